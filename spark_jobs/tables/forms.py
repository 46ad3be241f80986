r"""How a value may stand in raw records: its spellings as Java patterns, and whether a typed value is what was written.

A value ends where no letter, digit or _ goes on: 1 isn't found in 12. What JSON escapes (\n, é) ends no word.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from spark_jobs.outline import NUMBERS, family

_BEFORE: Final = r"(?:(?<![\p{L}\p{N}_])|(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4}))"
# A number isn't the fraction, the exponent or the whole part of a longer one.
_ALONE: Final = r"(?<!\d\.)(?<!\d[eE][+-])"
_WHOLE: Final = r"(?!\.\d|[eE][+-]?\d)"
_AFTER: Final = r"(?![\p{L}\p{N}_])"
_SHORT: Final = {"\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", '"': '"', "\\": "\\", "/": "/"}
_DATE: Final = r"\d{4}-\d\d-\d\d"
_MOMENT: Final = rf"{_DATE}[ T]\d\d:\d\d(:\d\d(\.\d{{1,6}})?)?"
_OFFSET: Final = r"(Z|[+-]\d\d:\d\d)?"
_PLAIN: Final = {"boolean", "text", "binary", "date", "timestamp", "timestamp_ntz", *NUMBERS}


@dataclass(frozen=True, kw_only=True)
class Form:
    """A value as a column's type has it.

    Args:
        kind: the type, as Spark writes it.
        text: the value, as Spark casts it to text.
    """

    kind: str
    text: str


def comparable(kind: str) -> bool:
    """Whether a value can be given for a column of a type: a struct, an array or a map has none that is text."""
    return family(kind) in _PLAIN


def means(text: str, form: Form) -> bool:
    """Whether a typed value is what was written, no digit less: 1.499 isn't 1.50, and 2013 is no day."""
    said, kind = text.strip(), family(form.kind)
    if kind in NUMBERS:
        return _same_number(said, form.text)
    if kind == "boolean":
        return said.lower() == form.text
    if kind == "date":
        return said == form.text
    if kind == "timestamp":
        return re.fullmatch(_MOMENT + _OFFSET, said) is not None
    if kind == "timestamp_ntz":
        return re.fullmatch(_MOMENT, said) is not None
    return text == form.text


def _same_number(one: str, other: str) -> bool:
    try:
        return one == other or Decimal(one) == Decimal(other)
    except InvalidOperation:
        return False


def pattern(value: str, forms: Iterable[Form] = ()) -> str:
    """A Java pattern for a value as it stands in raw records, in any of its spellings.

    Args:
        value: as it was given.
        forms: as the tables have it.
    """
    spelled = dict.fromkeys([_escaped(value), *(_spelled(form) for form in forms)])
    return f"{_BEFORE}(?:{'|'.join(spelled)}){_AFTER}"


def _escaped(value: str) -> str:
    """A text: bare, quoted as in CSV, each character escaped as JSON may."""
    return "".join(_character(character) for character in value)


def _character(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    code = "".join(rf"\\u(?i:{units[place : place + 4]})" for place in range(0, len(units), 4))
    spelled = [re.escape(character), code]
    if character in _SHORT:
        spelled.append(re.escape(f"\\{_SHORT[character]}"))
    if character == '"':
        spelled.append('""')
    # The longest first: what follows the value is looked at behind it.
    return f"(?:{'|'.join(sorted(spelled, key=len, reverse=True))})"


def _spelled(form: Form) -> str:
    kind = family(form.kind)
    if kind in NUMBERS:
        return _number(form.text)
    if kind == "boolean":
        return f"(?i:{form.text})"
    if kind == "date":
        return rf"{form.text}(?:[ T]00:00(?::00(?:\.0+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    if kind in {"timestamp", "timestamp_ntz"}:
        return _moment(form.text)
    return _escaped(form.text)


def _number(text: str) -> str:
    """A number with or without a sign, zeros before it, a whole part of 0, zeros behind its fraction, an exponent."""
    number = Decimal(text)
    if not number.is_finite():
        return _escaped(text)
    if not number:
        return rf"{_ALONE}[+-]?(?:0+(?:\.0*)?|\.0+)(?:[eE][+-]?\d+)?{_WHOLE}"
    whole, _, fraction = f"{abs(number):f}".partition(".")
    plain = _pointed(whole.lstrip("0"), fraction)
    digits = (whole + fraction.rstrip("0")).lstrip("0")
    # The point may stand before, between and behind the digits: 15e2, 1.5e+03 (as C writes it), .15E4 (as Fortran).
    moved = (_pointed(digits[:k], digits[k:]) + _exponent(number.adjusted() + 1 - k) for k in range(len(digits) + 1))
    sign = "-" if number < 0 else r"\+?"
    return rf"{_ALONE}{sign}0*(?:{'|'.join([plain, *moved])}){_WHOLE}"


def _pointed(whole: str, fraction: str) -> str:
    """Digits without the zeros that may lead them, and their fraction with zeros behind it."""
    fraction = fraction.rstrip("0")
    return rf"{whole}\.{fraction}0*" if fraction else rf"{whole}(?:\.0*)?"


def _exponent(power: int) -> str:
    """An exponent of any width: R, pandas and C write two digits or more."""
    sign = {-1: "-", 0: "[+-]?", 1: r"\+?"}[(power > 0) - (power < 0)]
    return rf"[eE]{sign}0*{abs(power)}"


def _moment(text: str) -> str:
    """An instant in UTC: with T or a space, with or without a second of 0, zeros of its fraction, and its zone."""
    day, _, clock = text.partition(" ")
    minute, second, fraction = clock[:5], clock[6:8], clock[9:].rstrip("0")
    behind = rf"\.{fraction}0*" if fraction else r"(?:\.0+)?"
    seconds = rf":{second}{behind}"
    seconds = seconds if second != "00" or fraction else f"(?:{seconds})?"
    return rf"{day}[ T]{minute}{seconds}(?![:.]?\d)(?:Z|[+-]00:?00|(?![+-]\d\d))"
