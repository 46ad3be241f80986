"""Upkeep of what checks found: results that are too old go, and the small files of many runs are put together.

Runs append meanwhile: they read nothing, so Delta lets neither of the two wait for the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.ledger import Ledger, committing, last_version
from spark_jobs.load.strategies import instant
from spark_jobs.plan import Plan
from spark_jobs.results import of
from spark_jobs.vacuum import vacuum

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_MANY: Final = 32  # files; fewer are read as fast as one


def kept_up(spark: SparkSession, plan: Plan, keep: timedelta | None, *, dry: bool) -> dict[str, Any] | None:
    """Remove results of checks that were asked longer ago than `keep`, put files together, remove those of a week ago.

    Args:
        spark: a session whose settings are nobody else's.
        plan: of the pipeline: what its checks look back at stays.
        keep: how long results are kept; None: for good.
        dry: only count.

    Returns:
        `{"table", "removed": rows, "files_before", "files_after"}`; None where nothing was kept yet.
    """
    from delta import DeltaTable

    path = of(plan).path
    if last_version(spark, path) is None:
        return None
    old = _old(spark, plan, datetime.now(UTC) - keep) if keep else "false"
    table = DeltaTable.forPath(spark, path)
    removed, files = table.toDF().where(old).count(), Ledger(spark, path).files().count()
    told = {"table": path, "removed": removed, "files_before": files}
    if dry:
        return told
    if removed:
        committing(lambda: DeltaTable.forPath(spark, path).delete(old))
    if files > _MANY:
        committing(lambda: DeltaTable.forPath(spark, path).optimize().executeCompaction())
    vacuum(spark, path)
    return told | {"files_after": Ledger(spark, path).files().count()}


def _old(spark: SparkSession, plan: Plan, before: datetime) -> str:
    """The rows that may go, as a condition: asked before an instant, of windows that no check looks back at."""
    condition, ends = f"evaluated_at < {instant(before)}", list(_ends(spark, plan))
    return f"{condition} AND window_end < {instant(min(ends))}" if ends else condition


def _ends(spark: SparkSession, plan: Plan) -> Iterator[datetime]:
    """For each check that looks back and has a history, the end of the first window that the next one's would see.

    And a repeat of the newest window, which sees one that is older.
    """
    for dataset, checks in plan.check.items():
        for _, kind in checks:
            if getattr(kind, "looks_back", False) and hasattr(kind, "series"):
                figure, column, last = kind.series
                series = {"dataset": dataset, "figure": figure, "column": column}
                yield from (end for end, _ in of(plan).published(spark, series, last + 1)[-1:])
