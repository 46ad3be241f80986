"""The scope: the part of a table that one pipeline owns, where several write it.

A load with a scope replaces and counts only rows whose columns have the scope's values.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from spark_jobs.columns import quote
from spark_jobs.load.literals import typed_literal

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

Scope = Mapping[str, str | int | bool]


def disjoint(one: Scope, other: Scope, *, exact: bool = True) -> bool:
    """Whether no row can belong to both: they give one column different values.

    Args:
        one: a load's scope.
        other: another's.
        exact: whether values differ that do so in letter case or blanks at the end alone: to many a database they are
            equal.
    """
    values = {column.lower(): _compared(value, exact=exact) for column, value in other.items()}
    return any(
        column.lower() in values and values[column.lower()] != _compared(value, exact=exact)
        for column, value in one.items()
    )


def _compared(value: str | int | bool, *, exact: bool) -> str:
    return str(value) if exact else str(value).rstrip().casefold()


def condition(scope: Scope, schema: StructType, where: str) -> str:
    """The rows of a scope as a Spark SQL condition; empty where there is no scope.

    Args:
        scope: column -> value.
        schema: of the rows; it has the scope's columns.
        where: place in the pipeline file.

    Raises:
        ConfigError: a column isn't there, or its type can't have the value.
    """
    return " AND ".join(f"{quote(name)} = {typed_literal(name, value, schema, where)}" for name, value in scope.items())


def with_columns(rows: DataFrame, scope: Scope, table: StructType | None, where: str) -> DataFrame:
    """The rows with the scope's columns, where the dataset has none of that name; case makes no difference.

    Args:
        rows: the dataset.
        scope: column -> value.
        table: the table's columns, whose types the new ones take; None where there is no table yet.
        where: place in the pipeline file.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    there = {name.lower() for name in rows.columns}
    known = {item.name.lower(): item for item in table or ()}
    missing = {}
    for name, value in scope.items():
        field = known.get(name.lower())
        if name.lower() in there:
            continue
        if field is None or table is None:
            missing[name] = F.lit(value)
        else:
            missing[field.name] = F.expr(typed_literal(name, value, table, where)).cast(field.dataType)
    return rows.withColumns(missing) if missing else rows


def strays(rows: DataFrame, scope: Scope, where: str) -> str | None:
    """The condition of rows that say that they belong elsewhere; None where no row can."""
    there = {name.lower() for name in rows.columns}
    said = {name: value for name, value in scope.items() if name.lower() in there}
    return f"NOT coalesce({condition(said, rows.schema, where)}, false)" if said else None
