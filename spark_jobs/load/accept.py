"""What a load accepts: rows that it can't take stop the run, or are set aside, before anything is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spark_jobs import refusal
from spark_jobs.accounts import Accounts
from spark_jobs.errors import DataError
from spark_jobs.flow import Context
from spark_jobs.load.outside import Outside

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def accept(dataset: str, loads: Mapping[str, Any], accounts: Accounts, context: Context) -> tuple[DataFrame, int]:
    """The rows of a dataset that its loads publish, and how many they are.

    What one load can't take is set aside for all: a row is in the quarantine or in the tables, never in both.

    Args:
        dataset: its name.
        loads: name -> destination, of every load that takes it.
        accounts: where rows are counted.
        context: session and plan.

    Raises:
        DataError: rows lie outside the window or the scope, and the file doesn't say `outside: quarantine`.
    """
    staged = accounts.staged(dataset)
    rows = accounts.staging.read(staged, "check")
    limits: dict[str, Outside] = {}
    for name, destination in loads.items():
        here = replace(context, where=f"load.{name}")
        own = destination.outside(rows, here)
        if getattr(destination.write, "outside", "fail") != "fail":
            limits |= {limit.condition: limit for limit in own}
        elif own and not rows.where(_any(own)).isEmpty():
            raise _refused(rows, own, staged.rows, here)
    every = list(limits.values())
    strays = rows.where(_any(every)) if every else None
    if strays is None or strays.isEmpty():
        return rows, staged.rows
    accounts.split("load", dataset, rows.where(f"NOT ({_any(every)})"), _refuse(strays, every, dataset))
    staged = accounts.staged(dataset)
    return accounts.staging.read(staged, "load"), staged.rows


def _any(limits: Sequence[Outside]) -> str:
    return " OR ".join(f"({limit.condition})" for limit in limits)


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
