"""VACUUM of Delta tables, without the ten thousand tasks in which it lists folders by default."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from spark_jobs.settings import changed

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TASKS: Final = "spark.sql.sources.parallelPartitionDiscovery.parallelism"
_SAFE: Final = "spark.databricks.delta.retentionDurationCheck.enabled"
_FEWEST, _EACH = 8, 4  # tasks at least, and for each core


@contextmanager
def few_tasks(spark: SparkSession) -> Iterator[None]:
    """Have VACUUM list folders in as many tasks as the cores can use: a small table takes a minute else."""
    tasks = max(_FEWEST, _EACH * spark.sparkContext.defaultParallelism)
    with changed(spark, _TASKS, str(tasks)):
        yield


def vacuum(spark: SparkSession, path: str, hours: float | None = None) -> None:
    """Remove files that no version of the last hours needs.

    Args:
        spark: a session, which one thread uses.
        path: the table's folder.
        hours: 0 and more; fewer than a week's break readers and writers under way. None: what the table says, a week.
    """
    from delta import DeltaTable

    with few_tasks(spark), changed(spark, _SAFE, "true" if hours is None else "false"):
        DeltaTable.forPath(spark, path).vacuum(hours)


def would_go(spark: SparkSession, named: str, hours: float | None = None) -> int:
    """How many files `vacuum` would remove.

    Args:
        spark: as for `vacuum`.
        named: the table, as SQL names it.
        hours: as for `vacuum`.
    """
    retain = "" if hours is None else f"RETAIN {hours} HOURS "
    with few_tasks(spark), changed(spark, _SAFE, "true" if hours is None else "false"):
        return spark.sql(f"VACUUM {named} {retain}DRY RUN").count()
