"""Which values a type leaves between two bounds: none is a contradiction, whatever the data."""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal, localcontext
from typing import Final

from spark_jobs.outline import plain_type

Number = int | float
_BITS: Final = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_DECIMAL: Final = re.compile(r"decimal(?:\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\))?")
_EXACT: Final = Context(prec=400)  # more digits than a double or a decimal has
_DIGITS: Final = ("10", "0")  # of a decimal that says nothing


def ends(kind: str) -> tuple[Decimal, Decimal, Decimal] | None:
    """The smallest and the largest number of a Spark type, and its step; None for others than whole and decimal ones.

    Args:
        kind: a Spark type, such as `tinyint`, `decimal(10,2)`.
    """
    named = plain_type(kind)
    if named in _BITS:
        half = Decimal(2) ** (_BITS[named] - 1)
        return -half, half - 1, Decimal(1)
    found = _DECIMAL.fullmatch(named)
    if found is None:
        return None
    digits, scale = (int(given or usual) for given, usual in zip(found.groups(), _DIGITS, strict=True))
    step = Decimal(1).scaleb(-scale)
    largest = Decimal(10) ** (digits - scale) - step
    return -largest, largest, step


def none_left(kind: str, low: object, high: object) -> str:
    """Why no value of a type lies between two bounds that don't exclude each other; empty where one does.

    Args:
        kind: a Spark type.
        low: the least value; anything but a number is no bound here.
        high: the largest one, likewise.
    """
    with localcontext(_EXACT):
        return _none_left(kind, low, high)


def _none_left(kind: str, low: object, high: object) -> str:
    known = ends(kind)
    if known is None:
        return ""
    smallest, largest, step = known
    first = max(smallest, _up(low, step)) if _finite(low) else smallest
    last = min(largest, -_up(-high, step)) if _finite(high) else largest  # type: ignore[operator]
    if first <= last:
        return ""
    if _finite(low) and Decimal(str(low)) > largest:
        return f"it is above {largest}, the largest {plain_type(kind)}: no value can pass"
    if _finite(high) and Decimal(str(high)) < smallest:
        return f"it is below {smallest}, the smallest {plain_type(kind)}: no value can pass"
    return f"no {plain_type(kind)} lies between {low} and {high}"


def outside(kind: str, value: object) -> str:
    """Why a value is none of a type; empty where it is one, or that isn't known."""
    with localcontext(_EXACT):
        known = ends(kind)
        if known is None or not _finite(value):
            return ""
        smallest, largest, step = known
        exact = Decimal(str(value))
        fits = smallest <= exact <= largest and _up(value, step) == exact
        return "" if fits else f"{value} is no {plain_type(kind)}"


def _finite(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _up(value: object, step: Decimal) -> Decimal:
    """The smallest multiple of a step that isn't below a number."""
    exact = Decimal(str(value))
    whole = int(exact / step)
    return whole * step if whole * step >= exact else (whole + 1) * step
