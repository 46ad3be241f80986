"""What a load accepts: rows outside its window stop the run or are set aside, before anything is published."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spark_jobs.accounts import Accounts
from spark_jobs.errors import DataError
from spark_jobs.flow import Context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def accept(dataset: str, destination: Any, accounts: Accounts, context: Context) -> tuple[DataFrame, int]:
    """The rows that a load publishes, and how many they are.

    Raises:
        DataError: rows lie outside the window, and the file doesn't say `outside: quarantine`.
    """
    staged = accounts.staged(dataset)
    rows = accounts.staging.read(staged, "check")
    outside = destination.outside(rows, context)
    strays = rows.where(outside) if outside else None
    if strays is None or strays.isEmpty():
        return rows, staged.rows
    if destination.write.outside == "fail":
        raise DataError(
            f"{strays.count()} of {staged.rows} rows lie outside the window {context.plan.window} "
            f"by {destination.write.column!r}",
            where=context.where,
            expected="only rows of the window",
            remedy="filter them, or say `outside: quarantine` in `write`",
        )
    accounts.split("load", dataset, rows.where(f"NOT ({outside})"), _refuse(strays, dataset, context))
    staged = accounts.staged(dataset)
    return accounts.staging.read(staged, "load"), staged.rows


def _refuse(strays: DataFrame, dataset: str, context: Context) -> DataFrame:
    """The rows in the shape of quarantine.REFUSED."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return strays.select(
        F.to_json(F.struct("*"), {"ignoreNullFields": "false"}).alias("raw"),
        F.lit(dataset).alias("dataset"),
        F.lit("load").alias("stage"),
        F.array(F.lit("outside_window")).alias("rules"),
        F.lit(f"outside the window {context.plan.window}").alias("message"),
        F.lit(None).cast("string").alias("source_file"),
        F.lit(None).cast("bigint").alias("source_line"),
    )
