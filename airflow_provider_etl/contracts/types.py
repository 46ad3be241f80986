"""Types of single values and of several, as a draft of a contract says them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from airflow_provider_etl.contracts.personal import kind_in, kind_of

INT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"-?(?:[0-9]+\.[0-9]*|\.[0-9]+|(?:0|[1-9][0-9]*))(?:[eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
_LADDERS: Final[tuple[tuple[str, ...], ...]] = (
    ("tinyint", "smallint", "int", "bigint"),
    ("float", "double"),
    ("date", "timestamp"),
)


def of_text(text: str, *, numbers: bool) -> str:
    """The type of a text; of numbers and truth values only where all values come as texts."""
    if _DATE.fullmatch(text) and _is(date, text):
        return "date"
    if _TIME.fullmatch(text) and _is(datetime, text):
        return "timestamp"
    if numbers and text in ("true", "false"):
        return "boolean"
    if numbers and INT.fullmatch(text):
        return _whole(text.lstrip("-"), text)
    return "double" if numbers and _FLOAT.fullmatch(text) and not re.match(r"-?0[0-9]", text) else "string"


def _whole(digits: str, text: str) -> str:
    """The type that keeps every digit of a whole number."""
    if len(digits) <= 19 and -(2**63) <= int(text) < 2**63:
        return "bigint"
    return "decimal(38,0)" if len(digits) <= 38 else "string"


def _is(kind: type[date], text: str) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return True


def spark_type(value: Any) -> str:
    """The type of a value of JSON, nested ones included."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return _whole(digits := str(abs(value)), "-" * (value < 0) + digits)
    if isinstance(value, (float, Decimal)):
        return "double"
    if isinstance(value, Mapping):
        return _record(value)
    if isinstance(value, list):
        return f"array<{_one(value)}>"
    return "void" if value is None else "string"


def _record(value: Mapping[str, Any]) -> str:
    """A struct; a map where the names of its fields are data, and not for a draft."""
    if any(kind_of(name) or kind_in(name) for name in value):
        return f"map<string, {_one(value.values())}>"
    fields = ", ".join(f"`{name}`: {spark_type(item)}" for name, item in value.items() if name)
    return f"struct<{fields}>" if fields else "map<string, string>"


def _one(values: Iterable[Any]) -> str:
    """The one type of several values; text where there is none."""
    inner = {spark_type(item) for item in values} - {"void"}
    return next(iter(inner)) if len(inner) == 1 else "string"


def joined(one: str | None, other: str | None) -> str | None:
    """The type that holds the values of two; None where there is none."""
    if one == other or other is None:
        return one
    if one is None:
        return other
    for ladder in _LADDERS:
        if one in ladder and other in ladder:
            return max(one, other, key=ladder.index)
    return None
