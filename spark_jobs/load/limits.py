"""Which rows a load takes, whatever its kind: those of its window and its scope that have what the strategy needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from spark_jobs.flow import Context
from spark_jobs.load import scope
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.changes import refusals, strays_inside
from spark_jobs.load.outside import Outside
from spark_jobs.load.strategies import ReplaceWindow
from spark_jobs.lookback import reach_of

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


def limits(destination: Any, rows: DataFrame, context: Context) -> list[Outside]:
    """Which rows a load can't take; none where every row is taken.

    Args:
        destination: its `write` and `scope` say which.
        rows: the dataset.
        context: `dataset` is its name.
    """
    found, write = [], destination.write
    if isinstance(write, ReplaceWindow):
        reach = reach_of(context.plan, context.dataset, destination)
        span, told = (reach, "window and its lookback") if reach else (context.plan.window, "window")
        condition = f"NOT coalesce({write.condition(rows, span, context.where)}, false)"
        what = f"lie outside the {told} {span} by {write.column!r}"
        found.append(Outside(rule="outside_window", condition=condition, told=what, expected="only rows of the window"))
    if isinstance(write, Keyed):
        found += refusals(write)
    inside = strays_inside(write, rows, destination.scope, context.where) if isinstance(write, Keyed) else None
    found += [inside] if inside is not None else []
    if strays := scope.strays(rows, destination.scope, context.where):
        what = f"lie outside the scope {dict(destination.scope)}"
        found.append(Outside(rule="outside_scope", condition=strays, told=what, expected="only rows of the scope"))
    return found
