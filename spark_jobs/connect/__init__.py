"""Runs over Spark Connect: a thin client has no Java, so what others ask the JVM is asked of Spark itself here."""

from __future__ import annotations

from typing import Any


def is_connect(spark: Any) -> bool:
    """Whether a session is a thin client's: no JVM stands behind it in this process."""
    return type(spark).__module__.startswith("pyspark.sql.connect")
