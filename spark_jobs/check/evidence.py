"""Answers to checks from what files know of their rows: the same as reading the rows gives, or none."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from spark_jobs.check.bounds import Bounded
from spark_jobs.check.literal import Value
from spark_jobs.check.rule import Evidence
from spark_jobs.outline import family
from spark_jobs.statistics import Known, Statistics, single

if TYPE_CHECKING:
    from pyspark.sql.types import DataType

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_DIGITS: Final = 38  # of Spark's longest decimal
_WHOLE: Final = 20  # of the longest integer as Spark makes it a decimal

Answer = Mapping[str, Any] | None


def nulls(name: str) -> Evidence:
    """How many rows have no value in a column."""

    def answer(known: Statistics) -> Answer:
        there = known.values(name)
        return None if there is None else {"counted": known.rows, "failing": known.rows - there}

    return Evidence(columns=(name,), answer=answer)


def present(name: str) -> Evidence:
    """How many rows have a value in a column."""

    def answer(known: Statistics) -> Answer:
        there = known.values(name)
        return None if there is None else {"counted": there}

    return Evidence(columns=(name,), answer=answer)


def shares(names: Sequence[str]) -> Evidence:
    """`there`, the values of all columns together, `nulls`, those that aren't there, and `total`, the rows."""

    def answer(known: Statistics) -> Answer:
        values = [known.values(name) for name in names]
        there = [value for value in values if value is not None]
        if len(there) < len(values):
            return None
        return {"there": sum(there), "nulls": known.rows * len(values) - sum(there), "total": known.rows}

    return Evidence(columns=tuple(names), answer=answer)


def within(rule: Bounded, name: str, kind: DataType, zone: str) -> Evidence:
    """Whether all values lie between bounds."""
    low, high = (comparable(bound, kind, zone) for bound in (rule.min, rule.max))
    sure = (low is not None or rule.min is None) and (high is not None or rule.max is None)

    def fits(known: Known) -> bool:
        above = low is None or (known.least > low if rule.strict_min else known.least >= low)
        below = high is None or (known.greatest < high if rule.strict_max else known.greatest <= high)
        return sure and above and below

    return Evidence(columns=(name,), answer=lambda known: _all_pass(known, name, fits), by_bounds=True)


def among(values: Sequence[Value], name: str, kind: DataType, zone: str, *, allows: bool) -> Evidence:
    """Whether all values are certainly in a list, or certainly none is."""
    listed = [comparable(value, kind, zone) for value in values]
    group = family(kind.simpleString())

    def fits(known: Known) -> bool:
        if any(value is None for value in listed):
            return False
        if not allows:
            return all(value < known.least or value > known.greatest for value in listed)
        if group in {"integer", "date"}:  # all there are between the two
            steps = known.greatest - known.least
            return steps < len(listed) and set(range(known.least, known.greatest + 1)) <= set(listed)
        either = group == "boolean" or known.least == known.greatest
        return group != "float" and known.exact and either and {known.least, known.greatest} <= set(listed)

    return Evidence(columns=(name,), answer=lambda known: _all_pass(known, name, fits))


def newest(name: str, kind: DataType, zone: str) -> Evidence:
    """`newest`: the largest date or timestamp, in microseconds since 1970."""

    def answer(known: Statistics) -> Answer:
        if known.values(name) == 0:
            return {"newest": None}
        found = known.bounds(name)
        moment = _moment(found.greatest, family(kind.simpleString()), zone) if found and found.exact else None
        return None if moment is None else {"newest": moment}

    return Evidence(columns=(name,), answer=answer)


def _all_pass(known: Statistics, name: str, fits: Any) -> Answer:
    """`counted` and `failing` where no value fails; None where one does, or may."""
    there, bounds = known.values(name), known.bounds(name)
    passes = there == 0 or (bounds is not None and fits(bounds))
    return {"counted": there, "failing": 0} if there is not None and passes else None


def _moment(found: int, group: str | None, zone: str) -> int | None:
    """A date's end, or a timestamp, in microseconds since 1970; None beyond Python's calendar."""
    if group == "timestamp":
        return found
    try:
        local = _EPOCH + (timedelta(days=found + 1) if group == "date" else timedelta(microseconds=found))
        return (local.replace(tzinfo=ZoneInfo(zone)) - _EPOCH) // _MICRO
    except OverflowError:
        return None


def comparable(value: Value | None, kind: DataType, zone: str) -> Any:
    """A value of the pipeline file as statistics have a column's, as `literal` reads it; None where that isn't certain.

    Args:
        value: as in the pipeline file.
        kind: the column's type.
        zone: where a timestamp without an offset is read in.
    """
    told = kind.simpleString()
    group = family(told)
    if isinstance(value, bool) or value is None:
        return value if group == "boolean" else None
    if isinstance(value, str):
        return value.encode() if told == "string" else _instant(value, group, zone)
    if group == "float":
        return single(float(value)) if told == "float" else float(value)
    return _number(value, kind) if group in {"integer", "decimal"} else None


def _number(value: float, kind: DataType) -> Decimal | float | None:
    """A number; None where Spark would have to round one of the two, to compare them as decimals."""
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else value
    found = Decimal(str(value))
    sign = found.as_tuple()
    scale = max(0, -int(sign.exponent))
    whole, parts = max(0, len(sign.digits) + int(sign.exponent)), int(getattr(kind, "scale", 0))
    room = int(getattr(kind, "precision", _WHOLE)) - parts
    return found if max(whole, room) + max(scale, parts) <= _DIGITS else None


def _instant(text: str, group: str | None, zone: str) -> int | None:
    try:
        if group == "date":
            return (date.fromisoformat(text) - _EPOCH.date()).days
        moment = datetime.fromisoformat(text) if group in {"timestamp", "timestamp_ntz"} else None
    except ValueError:
        return None
    if moment is None:
        return None
    there = moment.replace(tzinfo=ZoneInfo(zone) if group == "timestamp" else UTC) if moment.tzinfo is None else moment
    return (there - _EPOCH) // _MICRO
