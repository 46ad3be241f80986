"""What a sample shows of a column."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

from airflow_provider_etl.contracts.personal import kind_in, kind_of
from airflow_provider_etl.contracts.types import INT, joined, of_text, spark_type

_MOST: Final = 100_000  # values that are remembered, to see whether one comes twice
_JOINED: Final = {
    frozenset({"bigint", "double"}): "double",
    frozenset({"bigint", "decimal(38,0)"}): "decimal(38,0)",
    frozenset({"date", "timestamp"}): "timestamp",
}


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
    texts: set[str] = field(default_factory=set)
    personal: dict[str, int] = field(default_factory=dict)
    inside: dict[str, int] = field(default_factory=dict)
    zeros: bool = False

    def add(self, value: Any) -> None:
        """Take a row's value; None, and an empty text of CSV, is none."""
        self.rows += 1
        if value is None or (self.text and value == ""):
            self.nulls += 1
            self.required = None if self.required else self.required  # a file has it not, whatever others say
            return
        if self.fixed is None:
            self.kinds.add(self._kind(value))
        self._remember(value)

    def meet(self, other: Seen, name: str) -> None:
        """Take what another file's own schema says of the column.

        Raises:
            ValueError: no type holds the values of both.
        """
        joined_type = joined(self.fixed, other.fixed)
        if joined_type is None:
            raise ValueError(f"column {name!r} is {other.fixed} here and {self.fixed} in the files before")
        self.fixed = joined_type
        self.required = self.required if self.required == other.required else None
        self.symbols = tuple(dict.fromkeys((*self.symbols, *other.symbols))) if self.symbols and other.symbols else ()

    def _kind(self, value: Any) -> str:
        if isinstance(value, str):
            kind = of_text(value, numbers=self.text)
            self.zeros = self.zeros or (kind == "string" and re.fullmatch(r"0[0-9]+", value) is not None)
            return kind
        return spark_type(value)

    def _remember(self, value: Any) -> None:
        if isinstance(value, (dict, list)):
            for leaf in _leaves(value):
                self._look(leaf)
        elif value in self.values:
            self.twice = True
            self.values[value] += 1
        else:
            self._look(value)
            if len(self.values) < _MOST:
                self.values[value] = 1

    def _look(self, value: Any) -> None:
        """Count what is personal; each value once, as far as values are remembered."""
        text = told(value)
        if text is None or text in self.texts:
            return
        if len(self.texts) < _MOST:
            self.texts.add(text)
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


def told(value: Any) -> str | None:
    """A value as a person reads it, to see whether it is personal; None where it says nothing by itself."""
    if isinstance(value, (float, Decimal)):
        return str(int(value)) if math.isfinite(value) and value == int(value) else None
    return str(value) if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _leaves(value: Any) -> Iterator[Any]:
    """The single values of nested ones, names included."""
    if isinstance(value, dict):
        yield from value
    for item in (value.values() if isinstance(value, dict) else value) if isinstance(value, (dict, list)) else ():
        yield from _leaves(item) if isinstance(item, (dict, list)) else (item,)


def _iso(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return int(value) if INT.fullmatch(value) else float(value)
    if not isinstance(value, Decimal) or not value.is_finite():
        return float(value) if isinstance(value, Decimal) else value
    return int(value) if value == int(value) else float(value)
