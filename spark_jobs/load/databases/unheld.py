"""Values that a column can't hold, by Spark conditions: such rows are found before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyspark.sql.types import DataType

_DAYS: Final = (-719_162, 2_932_896)  # of the years 1 to 9999, since 1970
_DAY: Final = 86_400_000_000  # microseconds
_BITS: Final = {"tinyint": 8, "smallint": 16, "mediumint": 24, "integer": 32, "int": 32, "bigint": 64}
_WHOLE: Final = {"byte": 8, "short": 16, "integer": 32, "long": 64}
_DIGITS: Final = {"byte": 3, "short": 5, "integer": 10, "long": 19}
_MOST: Final = 38  # digits of Spark's decimals


@dataclass(frozen=True, kw_only=True)
class Unheld:
    """Values that a column can't hold.

    Args:
        rule: what they break: nul_character, too_long, out_of_range, not_finite, not_in_charset.
        condition: Spark SQL with `{c}` for the value; it may be null for null.
        told: what such a row does, in words that follow "rows", with `{n}` for the column's name.
        expected: which values are held.
    """

    rule: str
    condition: str
    told: str
    expected: str

    def over(self, expression: str) -> Unheld:
        """The same, of what an expression makes of the value."""
        return replace(self, condition=self.condition.replace("{c}", expression))

    def anywhere(self) -> Unheld:
        """The same, of an array's elements."""
        inner = self.condition.replace("{c}", "etl_item")
        return replace(self, condition=f"exists({{c}}, etl_item -> coalesce({inner}, false))")


def too_long(measure: str, most: int, unit: str) -> Unheld:
    """Texts or bytes that are longer than a column.

    Args:
        measure: Spark SQL's function.
        most: how long they may be.
        unit: of what.
    """
    told = f"have a {{n}} of more than {most} {unit}"
    return Unheld(rule="too_long", condition=f"{measure}({{c}}) > {most}", told=told, expected=f"{most} {unit} at most")


def whole_numbers(kind: DataType, held: str, *, signed: bool = True) -> Iterator[Unheld]:
    """Whole numbers beyond those of a column.

    Args:
        kind: Spark's type.
        held: the column's, a word of _BITS.
        signed: whether it has negative ones.
    """
    bits = _BITS[held]
    first, last = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    mine = _WHOLE.get(kind.typeName(), 0)
    if mine and (mine > bits or (not signed)):
        yield _beyond("{c}", first, min(last, (1 << mine - 1) - 1), f"{first} to {last}")


def decimals(kind: DataType, held: str, *, signed: bool = True) -> Iterator[Unheld]:
    """Numbers with more digits before the point than a column has, `numeric(9,2)`.

    Args:
        kind: Spark's type.
        held: the column's type with its digits; without them it holds all.
        signed: whether it has negative ones.
    """
    found = re.search(r"\((\d+)(?:,(-?\d+))?\)", held)
    digits, scale = getattr(kind, "precision", _DIGITS.get(kind.typeName(), 0)), getattr(kind, "scale", 0)
    before = int(found[1]) - int(found[2] or 0) if found else _MOST
    if digits - scale > before:
        end = f"1{'0' * before}BD"
        lowest = f"{{c}} <= -{end}" if signed else "{c} < 0"
        told, expected = f"have a {{n}} of more than {before} digits before the point", f"{before} digits at most"
        yield Unheld(rule="out_of_range", condition=f"{{c}} >= {end} OR {lowest}", told=told, expected=expected)
    elif not signed:
        yield Unheld(rule="out_of_range", condition="{c} < 0", told="have a {n} below zero", expected="zero and more")


def _beyond(number: str, first: int, last: int, words: str) -> Unheld:
    condition = f"{number} < {first}BD OR {number} > {last}BD"
    return Unheld(rule="out_of_range", condition=condition, told=f"have a {{n}} beyond {words}", expected=words)


_FIRST, _LAST = _DAYS
_INSTANT: Final = "unix_micros(CAST({c} AS TIMESTAMP))"
NOT_FINITE: Final = Unheld(
    rule="not_finite",
    condition="isnan({c}) OR abs({c}) = double('Infinity')",
    told="have no finite number in {n}",
    expected="finite numbers",
)
DAYS: Final = _beyond("unix_date({c})", _FIRST, _LAST, "days of the years 1 to 9999")
MOMENTS: Final = _beyond(_INSTANT, _FIRST * _DAY, (_LAST + 1) * _DAY - 1, "times of the years 1 to 9999")
