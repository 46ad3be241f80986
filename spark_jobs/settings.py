"""Settings of a session that hold for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def changed(spark: SparkSession, key: str, value: str) -> Iterator[None]:
    """Have a setting hold within the block; afterwards it is what it was.

    Args:
        spark: a session, which one thread uses.
        key: the setting's name.
        value: as Spark's settings are written.
    """
    before = spark.conf.get(key, None)
    spark.conf.set(key, value)
    try:
        yield
    finally:
        spark.conf.unset(key) if before is None else spark.conf.set(key, before)
