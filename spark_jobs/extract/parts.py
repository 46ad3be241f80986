"""A source read by several tasks at once: conditions that share its rows out, each row to exactly one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any, ClassVar, Literal

from spark_jobs.errors import ConfigError
from spark_jobs.jdbc.database import EVERYTHING
from spark_jobs.jdbc.dialect import EPOCH, Dialect, Nature, micros
from spark_jobs.kinds import PYDANTIC

Scale = Literal["number", "days", "instant", "wall"]
_MICRO = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Partition:
    """Reading by several tasks at once, each a range of a column; nulls and what lies beyond the bounds come too."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    column: str = field(metadata={"min_length": 1})
    """A number, date or timestamp of the database, best one with an index and evenly spread."""
    parts: int = field(metadata={"ge": 2, "le": 1000})
    """How many tasks, each with a connection of its own."""
    lower: int | str | None = None
    """Where the second part could begin at the earliest: a whole number, or a date or time (UTC) such as 2013-01-01;
    default: the window's start where the column is the window's, else the least value, which a query finds."""
    upper: int | str | None = None
    """Likewise the end of the range that is cut evenly; default: the window's end, or the largest value."""

    def conflicts(self) -> str | None:
        """Why the bounds can't go together; None where they can."""
        if (self.lower is None) != (self.upper is None):
            return "lower and upper go together: give both, or neither"
        if self.lower is None or self.upper is None:
            return None
        low, high = _number(self.lower), _number(self.upper)
        if low is None or high is None or isinstance(self.lower, int) != isinstance(self.upper, int):
            return "lower and upper are both whole numbers, or both dates or times such as 2013-01-01"
        return None if low < high else "lower must lie below upper"

    def given(self) -> tuple[int, int] | None:
        """The bounds of the file on the column's own scale before `scale` is known: numbers, or microseconds."""
        if self.lower is None or self.upper is None:
            return None
        return _number(self.lower) or 0, _number(self.upper) or 0


def scale_of(nature: Nature) -> Scale | None:
    """How a column is cut; None where it can't be."""
    if nature.wire == "days":
        return "days"
    if nature.wire == "micros":
        return "instant" if nature.instant else "wall"
    word = nature.kind.partition("(")[0]
    return "number" if word in ("tinyint", "smallint", "int", "bigint", "decimal") else None


def conditions(name: str, low: int, high: int, parts: int, literal: Callable[[int], str]) -> list[str]:
    """Conditions that share rows out.

    Args:
        name: the column, quoted.
        low: where the range begins that is cut evenly.
        high: where it ends, not below `low`.
        parts: how many conditions at most.
        literal: a place on the column's scale as a literal.
    """
    cuts = sorted({low + (high - low) * place // parts for place in range(1, parts)} - {low})
    if not cuts:
        return [EVERYTHING]
    edges = [literal(cut) for cut in cuts]
    inner = [f"{name} >= {one} AND {name} < {two}" for one, two in pairwise(edges)]
    # Not the last one: there a value that is no number sorts above all others, and belongs to it alone.
    return [f"({name} < {edges[0]} OR {name} IS NULL)", *inner, f"{name} >= {edges[-1]}"]


def literals(scale: Scale, dialect: Dialect) -> Callable[[int], str]:
    """How a place on a scale is written: a number, days or microseconds since 1970."""
    if scale == "number":
        return str
    if scale == "days":
        return lambda days: dialect.day(EPOCH.date() + timedelta(days=days))
    if scale == "instant":
        return lambda since: dialect.instant(EPOCH + since * _MICRO)
    return lambda since: dialect.wall((EPOCH + since * _MICRO).replace(tzinfo=None))


def on_scale(bounds: Sequence[int], scale: Scale, partition: Partition, where: str) -> tuple[int, int]:
    """Bounds of the file on the column's scale.

    Raises:
        ConfigError: numbers for a time, or the other way round.
    """
    if (scale == "number") != isinstance(partition.lower, int):
        raise ConfigError(
            f"column {partition.column!r} can't be cut from {partition.lower!r} to {partition.upper!r}",
            where=f"{where}.partition",
            expected="whole numbers for a number, dates or times for a date or timestamp",
        )
    low, high = bounds
    return (low // 86_400_000_000, -(-high // 86_400_000_000)) if scale == "days" else (low, high)


def _number(bound: int | str) -> int | None:
    """A bound as a number, a date or time as microseconds since 1970; None where it is neither."""
    if isinstance(bound, int):
        return bound
    try:
        found = date.fromisoformat(bound) if len(bound) == 10 else datetime.fromisoformat(bound)
    except ValueError:
        return None
    if not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day)  # noqa: DTZ001 - its zone comes in the next line
    return micros(found if found.tzinfo else found.replace(tzinfo=EPOCH.tzinfo))
