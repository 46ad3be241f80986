"""What a sample shows of a column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from airflow_provider_etl.contracts.personal import kind_in, kind_of

_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|(?:0|[1-9][0-9]*))(?:[eE][-+]?[0-9]+)?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}.*")
_MOST: Final = 100_000  # values that are remembered, to see whether one comes twice
_JOINED: Final = {
    frozenset({"bigint", "double"}): "double",
    frozenset({"date", "timestamp"}): "timestamp",
}
_LOOKED: Final = 1_000  # texts that are looked at for personal values


@dataclass
class Seen:
    """What the rows so far have shown of a column.

    Args:
        fixed: the type that the file's own schema gives; None where the values tell.
        required: whether the file's own schema says that each row has a value.
        symbols: the only values that the file's own schema allows.
        text: whether values come as texts, whatever they mean (CSV).
    """

    fixed: str | None = None
    required: bool | None = None
    symbols: tuple[str, ...] = ()
    text: bool = False
    rows: int = 0
    nulls: int = 0
    kinds: set[str] = field(default_factory=set)
    values: dict[Any, int] = field(default_factory=dict)
    twice: bool = False
    low: Any = None
    high: Any = None
    looked: int = 0
    personal: dict[str, int] = field(default_factory=dict)
    inside: dict[str, int] = field(default_factory=dict)
    zeros: bool = False

    def add(self, value: Any) -> None:
        """Take a row's value; None, and an empty text of CSV, is none."""
        self.rows += 1
        if value is None or (self.text and value == ""):
            self.nulls += 1
            return
        if self.fixed is None:
            self.kinds.add(self._kind(value))
        self._remember(value)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and self.looked < _LOOKED:
            self._look(str(value))

    def _kind(self, value: Any) -> str:
        if isinstance(value, str):
            kind = _of_text(value, numbers=self.text)
            self.zeros = self.zeros or (kind == "string" and re.fullmatch(r"0[0-9]+", value) is not None)
            return kind
        return spark_type(value)

    def _remember(self, value: Any) -> None:
        if isinstance(value, (dict, list)):
            return
        if value in self.values:
            self.twice = True
            self.values[value] += 1
        elif len(self.values) < _MOST:
            self.values[value] = 1

    def _look(self, text: str) -> None:
        self.looked += 1
        whole = kind_of(text)
        inside = None if whole else kind_in(text)
        for found, counts in ((whole, self.personal), (inside, self.inside)):
            if found:
                counts[found] = counts.get(found, 0) + 1

    @property
    def given(self) -> int:
        """How many rows have a value."""
        return self.rows - self.nulls

    @property
    def type(self) -> str:
        """The type that all values have."""
        if self.fixed is not None:
            return self.fixed
        kinds = frozenset(self.kinds - {"void"})
        if len(kinds) == 1:
            return next(iter(kinds))
        return _JOINED.get(kinds, "string")

    @property
    def mixed(self) -> bool:
        """Whether the values are of several types that only text can hold."""
        return self.fixed is None and len(self.kinds - {"void"}) > 1 and self.type == "string"

    @property
    def unique(self) -> bool:
        """Whether each row has a value that no other one has, as far as that was remembered."""
        small = len(self.values) < _MOST and self.rows > 1
        return small and not self.twice and self.nulls == 0 and self.type in ("bigint", "int", "string", "smallint")

    def bounds(self) -> tuple[Any, Any] | None:
        """The smallest and the largest value, as a contract says them; None where values have no order that tells."""
        if self.type in ("date", "timestamp", "timestamp_ntz"):
            texts = [_iso(value) for value in self.values]
            return (min(texts), max(texts)) if texts else None
        if self.type == "double" or self.type.endswith("int") or self.type.startswith("decimal"):
            numbers = [_number(value) for value in self.values]
            finite = [number for number in numbers if number == number and abs(number) != float("inf")]  # noqa: PLR0124 - NaN
            return (min(finite), max(finite)) if finite else None
        return None


def _of_text(text: str, *, numbers: bool) -> str:
    if _DATE.fullmatch(text) and _is(date, text):
        return "date"
    if _TIME.fullmatch(text) and _is(datetime, text):
        return "timestamp"
    if numbers and text in ("true", "false"):
        return "boolean"
    if numbers and _INT.fullmatch(text):
        return "bigint"
    return "double" if numbers and _FLOAT.fullmatch(text) and not re.match(r"[-+]?0[0-9]", text) else "string"


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
        return "bigint"
    if isinstance(value, (float, Decimal)):
        return "double"
    if isinstance(value, Mapping):
        fields = ", ".join(f"`{name}`: {spark_type(item)}" for name, item in value.items() if name)
        return f"struct<{fields}>" if fields else "map<string, string>"
    if isinstance(value, list):
        inner = {spark_type(item) for item in value} - {"void"}
        return f"array<{next(iter(inner)) if len(inner) == 1 else 'string'}>"
    return "void" if value is None else "string"


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return int(value) if _INT.fullmatch(value) else float(value)
    return float(value) if isinstance(value, Decimal) else value
