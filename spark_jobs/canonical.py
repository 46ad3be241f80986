"""Values as texts that are the same wherever a value comes from: what keys and tokens are made of.

An integer 5, a decimal 5.00 and the text "5" are one value, "05" and " 5" are others; a date is its ISO text, a
timestamp that of its moment in UTC. Floating-point numbers have no text of their own: 0.1 + 0.2 isn't 0.3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from spark_jobs.columns import column
from spark_jobs.errors import ConfigError
from spark_jobs.outline import Outline, family

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType

_ODD: Final = frozenset({"float", "nested", "interval", "void", "time"})
REMEDY: Final = "cast it to int, decimal or string first"


def odd(name: str, rows: Outline) -> str | None:
    """The type of a column whose values have no text of their own; None where they have, or the type isn't known."""
    kind = rows.columns.get(name)
    return kind if family(kind) in _ODD else None


def text_of(name: str, rows: DataFrame, where: str) -> Column:
    """A column's values as texts; null stays null.

    Raises:
        ConfigError: values of the column's type have no text of their own.
    """
    return as_text(column(name), rows.schema[name].dataType, name, where)


def as_text(value: Column, kind: DataType, name: str, where: str) -> Column:
    """Values as texts; null stays null.

    Args:
        value: the values.
        kind: their type.
        name: the column, or the path of the field, for people.
        where: place in the pipeline file.

    Raises:
        ConfigError: values of the type have no text of their own.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
    from pyspark.sql import types as T  # noqa: N812

    if family(kind.simpleString()) in _ODD or isinstance(kind, T.UserDefinedType):
        raise ConfigError(
            f"column {name!r} is {kind.simpleString()}",
            where=where,
            expected="values that have a text of their own",
            remedy=REMEDY,
        )
    if isinstance(kind, T.BinaryType):
        return F.lower(F.hex(value))
    if isinstance(kind, T.DecimalType):
        # 5.00 and 5.0 are 5: two tables seldom have one scale.
        return F.regexp_replace(value.cast("string"), r"\.0+$|(\.\d*[1-9])0+$", "$1")
    return value.cast("string")
