"""Figures between two bounds: what `sum`, `mean` and the like share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from spark_jobs.check.literal import Value, inverted
from spark_jobs.check.rule import Verdict
from spark_jobs.columns import column, spare
from spark_jobs.outline import NUMBERS, Misfit, Outline, family

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


class Bounded(Protocol):
    """A check with two bounds."""

    @property
    def min(self) -> Any:
        """The lower one; None where there is none."""

    @property
    def max(self) -> Any:
        """The upper one."""

    @property
    def strict_min(self) -> bool:
        """Whether the lower one itself is out of range."""

    @property
    def strict_max(self) -> bool:
        """Whether the upper one itself is."""


@dataclass(frozen=True, kw_only=True)
class Between:
    """Two bounds that are both in range."""

    min: Any
    max: Any
    strict_min: bool = False
    strict_max: bool = False


def no_room(kind: Bounded, what: str = "value") -> dict[str, str]:
    """Why nothing can lie between the bounds: option -> why; empty where something can."""
    low: Value | None = kind.min
    high: Value | None = kind.max
    if low is None and high is None:
        return {"min": "there is no bound: give min, max or both"}
    if inverted(low, high):
        return {"max": f"it is smaller than min, {low!r}: no {what} can pass"}
    if low == high and (kind.strict_min or kind.strict_max):
        return {"max": f"min and max are equal and one of them is left out: no {what} can pass"}
    return {}


def words(kind: Bounded) -> str:
    """The bounds in words."""
    low = f"{'above' if kind.strict_min else 'at least'} {kind.min}"
    high = f"{'below' if kind.strict_max else 'at most'} {kind.max}"
    return " and ".join(text for text, bound in ((low, kind.min), (high, kind.max)) if bound is not None)


def judged(value: Any, kind: Bounded, what: str) -> Verdict:
    """Whether a figure lies between the bounds; what there is none of, and NaN, doesn't.

    Args:
        value: a number, or None.
        kind: holds the bounds.
        what: the figure in words, such as "the mean".
    """
    if value is None or math.isnan(value):
        why = "there is no value" if value is None else f"{what} is NaN, since a value is no number"
        return Verdict(success=False, observed=None, message=f"{why}, expected {what} {words(kind)}")
    low, high = _alike(kind.min, value), _alike(kind.max, value)
    above = low is None or (value > low if kind.strict_min else value >= low)
    below = high is None or (value < high if kind.strict_max else value <= high)
    success, seen = bool(above and below), plain(value)
    return Verdict(success=success, observed=seen, message="" if success else f"{what} is {seen}, not {words(kind)}")


def plain(value: Any) -> Any:
    """A figure as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, float) and not math.isfinite(value):  # JSON has no such number; Spark writes it so too
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _alike(bound: Any, value: Any) -> Any:
    """A bound that compares with a decimal as it is written: 0.1 is one tenth there."""
    return Decimal(str(bound)) if isinstance(value, Decimal) and isinstance(bound, float) else bound


def number_only(name: str, rows: Outline, option: str = "column") -> Iterator[Misfit]:
    """A misfit where a column certainly holds no numbers."""
    if family(rows.columns.get(name)) not in {None, *NUMBERS}:
        message = f"column {name!r} is {rows.columns[name]}"
        yield Misfit(option=option, message=message, hint="a column of numbers is wanted; cast it first")


def numbers(name: str, rows: DataFrame) -> Column:
    """A column's numbers without NaN, which has no place in their order."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
    from pyspark.sql import types as T  # noqa: N812

    broken = isinstance(rows.schema[name].dataType, (T.FloatType, T.DoubleType))
    return F.when(~F.isnan(column(name)), column(name)) if broken else column(name)


def judge(kind: Bounded, what: str, key: str = "value") -> Callable[[Mapping[str, Any]], Verdict]:
    """What judges one collected figure."""
    return lambda found: judged(found.get(key), kind, what)


def distinct(rows: DataFrame, name: str) -> DataFrame:
    """One row: how many values a column has, and how many of them are different."""
    from pyspark.sql import functions as F  # noqa: N812

    times = spare([name], "times")
    each = rows.where(column(name).isNotNull()).groupBy(column(name)).agg(F.count(F.lit(1)).alias(times))
    return each.agg(F.count(F.lit(1)).alias("different"), F.sum(times).alias("counted"))
