"""Columns by name: any name works, and one that doesn't exist is refused with the nearest that does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType


def quote(name: str) -> str:
    """A name as a SQL identifier: dots, spaces and backticks in it mean nothing."""
    return f"`{name.replace('`', '``')}`"


def column(name: str) -> Column:
    """The column of that name."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return F.col(quote(name))


def spare(columns: Iterable[str], wish: str) -> str:
    """A name for a helper column that no column has."""
    taken = {name.lower() for name in columns}
    name = f"_etl_{wish}".lower()
    while name in taken:
        name += "_"
    return name


def nearest(name: str, known: Sequence[str]) -> str:
    """`did you mean 'carrier'?`, or nothing where no name is near."""
    lowered = {item.lower(): item for item in reversed(known)}
    found = get_close_matches(name.lower(), list(lowered), n=1)
    return f"did you mean {lowered[found[0]]!r}?" if found else ""


def require(names: Iterable[str], known: Sequence[str], where: str, what: str = "column") -> None:
    """See that every name exists, letter case included.

    Raises:
        ConfigError: one doesn't, or stands there twice.
    """
    seen: set[str] = set()
    for name in names:
        if name not in known:
            raise ConfigError(
                f"unknown {what} {name!r}", where=where, expected=f"one of {listed(known)}", remedy=nearest(name, known)
            )
        if name in seen:
            raise ConfigError(f"{what} {name!r} is named twice", where=where)
        seen.add(name)


def refuse_collisions(columns: Sequence[str], where: str) -> None:
    """See that no two columns share a name; letter case doesn't tell them apart, in Spark as in most tables.

    Raises:
        ConfigError: two do.
    """
    seen: dict[str, str] = {}
    for name in columns:
        other = seen.get(name.lower())
        if other is not None:
            clash = f"two columns are called {name!r}" if other == name else f"columns {other!r} and {name!r} collide"
            raise ConfigError(clash, where=where, expected="names that differ in more than letter case")
        seen[name.lower()] = name


def listed(names: Sequence[object], limit: int = 30) -> str:
    """Names or values for an error text; a long list is cut."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + more if names else "none: there are none"


def comparable(left: DataType, right: DataType) -> bool:
    """Whether two types can be compared for equality without changing a value: 1 and '1' can't."""
    from pyspark.sql import types as T  # noqa: N812

    if isinstance(left, T.NullType) or isinstance(right, T.NullType):
        return True
    families: tuple[tuple[type[DataType], ...], ...] = (
        (T.IntegralType, T.DecimalType),
        (T.FloatType, T.DoubleType),
        (T.StringType, T.CharType, T.VarcharType),
    )
    return left == right or any(isinstance(left, family) and isinstance(right, family) for family in families)
