"""Values as Spark SQL literals of a column's own type: what is compared must be comparable without a cast."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import listed, nearest
from spark_jobs.errors import ConfigError
from spark_jobs.load.strategies import text

if TYPE_CHECKING:
    from pyspark.sql.types import DataType, StructType


def typed_literal(column: str, value: str | int | bool, schema: StructType, where: str) -> str:
    """A value as a literal of a column's type.

    Args:
        column: its name; case makes no difference.
        value: text for text and dates, a whole number for whole numbers, true or false for a boolean.
        schema: of the rows that are compared.
        where: for the error's text.

    Raises:
        ConfigError: there is no such column, or its type can't have the value.
    """
    names = {item.name.lower(): item for item in schema}
    found = names.get(column.lower())
    if found is None:
        known = [item.name for item in schema]
        raise ConfigError(
            f"unknown column {column!r}", where=where, expected=f"one of {listed(known)}", remedy=nearest(column, known)
        )
    literal = _literal(found.dataType, value)
    if literal is None:
        raise ConfigError(
            f"column {column!r} is {found.dataType.simpleString()}, which can't have the value {value!r}",
            where=where,
            expected="text for a string or a date (2013-01-01), a whole number for a whole number, true or false",
        )
    return literal


def _literal(kind: DataType, value: Any) -> str | None:
    from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

    if isinstance(kind, T.BooleanType):
        return str(value).lower() if isinstance(value, bool) else None
    if isinstance(kind, T.IntegralType):
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
    if isinstance(kind, T.DateType):
        return f"DATE '{value}'" if isinstance(value, str) and _is_date(value) else None
    return text(value) if isinstance(kind, T.StringType) and isinstance(value, str) else None


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
