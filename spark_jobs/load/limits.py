"""Which rows a load takes, whatever its kind: those of its window and its scope that have what the strategy needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import quote
from spark_jobs.flow import Context
from spark_jobs.load import scope
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.changes import refusals, strays_inside
from spark_jobs.load.outside import Outside
from spark_jobs.load.scope import Scope
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


def unnameable(rows: DataFrame, layout: Sequence[str], given: Scope) -> Iterator[Outside]:
    """Rows with the empty text in a column that lays a Delta table out: the table would hold null in its place.

    Args:
        rows: the dataset.
        layout: the columns that lay the table out.
        given: the load's scope, which rows get where they lack its columns: a repeat wouldn't find them under null.
    """
    from pyspark.sql.types import StringType

    there = {field.name.lower(): field for field in rows.schema}
    empty = {name.lower() for name, value in given.items() if value == ""}
    for name in layout:
        field = there.get(name.lower())
        if field is None and name.lower() in empty:
            yield _nameless(name, "true", "a value in `scope` that is no empty text")
        elif field is not None and isinstance(field.dataType, StringType):
            yield _nameless(field.name, f"coalesce({quote(field.name)} = '', false)", "a text or null there")


def _nameless(name: str, condition: str, expected: str) -> Outside:
    told = f"have the empty text in {name!r}, by which the table is laid out and which can't hold it"
    return Outside(rule="empty_partition", condition=condition, told=told, expected=expected)
