"""What a load accepts: rows that it can't take stop the run, or are set aside, before anything is published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spark_jobs import refusal
from spark_jobs.accounts import Accounts
from spark_jobs.errors import DataError
from spark_jobs.flow import Context
from spark_jobs.load.outside import Outside

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def accept(dataset: str, destination: Any, accounts: Accounts, context: Context) -> tuple[DataFrame, int]:
    """The rows that a load publishes, and how many they are.

    Raises:
        DataError: rows lie outside the window or the scope, and the file doesn't say `outside: quarantine`.
    """
    staged = accounts.staged(dataset)
    rows = accounts.staging.read(staged, "check")
    limits = destination.outside(rows, context)
    outside = " OR ".join(f"({limit.condition})" for limit in limits)
    strays = rows.where(outside) if outside else None
    if strays is None or strays.isEmpty():
        return rows, staged.rows
    if getattr(destination.write, "outside", "fail") == "fail":
        raise _refused(rows, limits, staged.rows, context)
    accounts.split("load", dataset, rows.where(f"NOT ({outside})"), _refuse(strays, limits, dataset))
    staged = accounts.staged(dataset)
    return accounts.staging.read(staged, "load"), staged.rows


def _refused(rows: DataFrame, limits: Sequence[Outside], staged: int, context: Context) -> DataError:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    counts = rows.select(*[F.count_if(F.expr(limit.condition)) for limit in limits]).first()
    broken = [(limit, number) for limit, number in zip(limits, counts or (), strict=True) if number]
    return DataError(
        "; ".join(f"{number} of {staged} rows {limit.told}" for limit, number in broken),
        where=context.where,
        expected=broken[0][0].expected if broken else "",
        remedy="filter them, or say `outside: quarantine` in `write`",
    )


def _refuse(strays: DataFrame, limits: Sequence[Outside], dataset: str) -> DataFrame:
    """The rows in the shape of aside.REFUSED."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    broken = [(F.expr(limit.condition), limit.rule, F.lit(limit.told)) for limit in limits]
    rules, message = refusal.broken(broken)
    return refusal.shaped(strays, strays.columns, dataset=dataset, stage="load", rules=rules, message=message)
