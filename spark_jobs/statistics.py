"""What files know of their rows without a row being read: how many, which nulls, the smallest and the largest value.

Whatever isn't certain is unknown: an answer from here must be the one that reading the rows would give.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from spark_jobs.outline import family

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)
_MILLISECOND: Final = 1000
_OLDEST: Final = (date(1900, 1, 1) - _EPOCH.date()).days  # before it calendars and local times were others
_DAY: Final = 86_400_000_000
_DELTA_TEXT: Final = 32  # characters of a text that Delta keeps


@dataclass(frozen=True, kw_only=True)
class Known:
    """What is known of a column.

    Args:
        nulls: rows without a value.
        least, greatest: no value lies beyond them, and none is NaN; None where that isn't known or there is no value.
            A date is days, a timestamp microseconds since 1970 (UTC, or without a zone), a text its UTF-8 bytes.
        exact: whether both are values that are there.
    """

    nulls: int
    least: Any = None
    greatest: Any = None
    exact: bool = True


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """What is known of rows.

    Args:
        rows: how many there are.
        columns: name -> what is known; a column that isn't there is unknown.
    """

    rows: int
    columns: Mapping[str, Known]

    def values(self, name: str) -> int | None:
        """How many rows have a value; None where that isn't known."""
        return self.rows - self.columns[name].nulls if name in self.columns else None

    def bounds(self, name: str) -> Known | None:
        """A column of which the smallest and the largest value are known; None of another, or without a value."""
        found = self.columns.get(name)
        return found if found is not None and found.least is not None else None


def together(parts: Sequence[Statistics]) -> Statistics:
    """What is known of the rows of all parts."""
    names = set.intersection(*(set(part.columns) for part in parts)) if parts else set()
    return Statistics(rows=sum(part.rows for part in parts), columns={name: _joined(name, parts) for name in names})


def _joined(name: str, parts: Sequence[Statistics]) -> Known:
    nulls = sum(part.columns[name].nulls for part in parts)
    held = [part.columns[name] for part in parts if part.values(name)]
    if not held or any(item.least is None or item.greatest is None for item in held):
        return Known(nulls=nulls)
    return Known(
        nulls=nulls,
        least=min(item.least for item in held),
        greatest=max(item.greatest for item in held),
        exact=all(item.exact for item in held),
    )


def known(nulls: int, least: Any, greatest: Any, kind: str, *, exact: bool) -> Known:
    """What is known of a column, as far as its type lets it be compared.

    Args:
        nulls: rows without a value.
        least: no value is smaller, as Known has it; None where that isn't known.
        greatest: no value is larger.
        kind: the column's Spark type.
        exact: whether both are values that are there.
    """
    group = family(kind)
    unsure = least is None or greatest is None or (group == "text" and kind != "string")  # a collation orders otherwise
    if unsure or (group == "float" and (least != least or greatest != greatest)):  # noqa: PLR0124 - that is NaN
        return Known(nulls=nulls)
    if (group == "date" and least < _OLDEST) or (group in {"timestamp", "timestamp_ntz"} and least < _OLDEST * _DAY):
        return Known(nulls=nulls)
    if kind == "float":
        least, greatest = single(least), single(greatest)
    return Known(nulls=nulls, least=least, greatest=greatest, exact=exact)


def single(value: float) -> float:
    """The 32-bit float next to a number: written in decimal digits, one reads as another 64-bit float."""
    try:
        return float(struct.unpack("f", struct.pack("f", value))[0])
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def of_delta(files: Iterable[str | None], types: Mapping[str, str]) -> Statistics | None:
    """What the statistics of a Delta table's files say together (`stats` of their actions).

    Args:
        files: of each file the JSON; None where it has none.
        types: column -> Spark type; only these are looked for.

    Returns:
        None where the rows of a file aren't counted, or where some of them have been deleted.
    """
    parts = []
    for text in files:
        found = json.loads(text, parse_float=Decimal) if text else {}
        if "numRecords" not in found or not found.get("tightBounds", True):
            return None
        columns = {name: _of_delta(found, name, kind) for name, kind in types.items()}
        told = {name: item for name, item in columns.items() if item is not None}
        parts.append(Statistics(rows=int(found["numRecords"]), columns=told))
    return together(parts)


def _of_delta(found: Mapping[str, Any], name: str, kind: str) -> Known | None:
    nulls = found.get("nullCount", {}).get(name)
    if not isinstance(nulls, int):  # a struct has those of its fields
        return None
    least, greatest = (found.get(part, {}).get(name) for part in ("minValues", "maxValues"))
    try:
        least, greatest = _delta_value(least, kind), _delta_value(greatest, kind)
    except ValueError:
        return Known(nulls=nulls)
    group = family(kind)
    if group in {"timestamp", "timestamp_ntz"} and greatest is not None:
        return known(nulls, least, greatest + _MILLISECOND, kind, exact=False)  # the rest of the millisecond is cut off
    whole = group != "text" or all(item is None or len(item.decode()) < _DELTA_TEXT for item in (least, greatest))
    return known(nulls, least, greatest, kind, exact=whole)


def _delta_value(value: Any, kind: str) -> Any:
    """A value of Delta's JSON as Known has it; None where there is none, or where it can't be compared.

    Raises:
        ValueError: it is beyond Python's calendar.
    """
    group = family(kind)
    if value is None or group in {"integer", "boolean"}:
        return value
    if group == "date":
        return (date.fromisoformat(value) - _EPOCH.date()).days
    if group in {"timestamp", "timestamp_ntz"}:
        moment = datetime.fromisoformat(value)
        return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH) // _MICRO
    if group == "text":
        return str(value).encode()
    return {"float": float, "decimal": Decimal}[group](str(value)) if group in {"float", "decimal"} else None
