"""What a scalar's text may mean, once a field says what it wants.

YAML's own resolver is not asked: it reads `NO` as false, `1.10` as 1.1, `012` as 10 and `12:30:45` as 45045. A plain
scalar that any YAML version would read as something else than text is no text here, and the hint says to quote it.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from math import isfinite
from typing import Any, Final

_BOOLS: Final = {"true": True, "false": False}
_YAML_BOOL: Final = re.compile(r"(?i:true|false|yes|no|on|off)")
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
_INT: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NUMBER_LIKE: Final = re.compile(
    r"[-+]?(?:0[0-9_]+|0x[0-9a-fA-F_]+|0b[01_]+|0o[0-7_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"
    r"|[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\.[0-9][0-9_]*|\.(?i:inf)|\.(?i:nan))"
)
_DATE_LIKE: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?")
_RELATIVE: Final = re.compile(
    r"(?i:now|today|yesterday|tomorrow|midnight|(?:last|next|this)\s+\w+|[+-]?\s*\d+\s*(?:[smhdw]|[a-z]+)(?:\s+ago)?"
    r"|\w*(?:ago|now|today|utcnow)\s*\(.*|.*\bago|[+-]?P[0-9T].*|now\s*[+-].*)"
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
LONGEST: Final = timedelta(days=3660)
DURATION: Final = re.compile(r"([0-9]+)([smhdw])")


def resolved(text: str) -> tuple[str, Any]:
    """What a plain scalar is.

    Returns:
        `(kind, value)`: kind is "null", "bool", "int", "float", "text", or "unclear" where YAML versions differ or
        where it looks like a date; the value of "unclear" says what it looks like.
    """
    if text in _NULLS:
        return "null", None
    if text in _BOOLS:
        return "bool", _BOOLS[text]
    if text[0].isalpha() and not _YAML_BOOL.fullmatch(text):
        return "text", text
    if _INT.fullmatch(text) and len(text) < 400:  # Python refuses to parse longer ones
        return "int", int(text)
    if _FLOAT.fullmatch(text) and isfinite(float(text)):
        return "float", float(text)
    return _unclear(text)


def _unclear(text: str) -> tuple[str, Any]:
    if _YAML_BOOL.fullmatch(text):
        return "unclear", "a boolean"
    if _DATE_LIKE.fullmatch(text):
        return "unclear", "a date"
    if _NUMBER_LIKE.fullmatch(text):
        return "unclear", "a number"
    return ("unclear", "a merge key") if text in ("=", "<<") else ("text", text)


def duration(text: str) -> timedelta:
    """`15m`, `2h`, `1d` as a span of time.

    Raises:
        ValueError: no whole number followed by s, m, h, d or w, or one that is longer than ten years: no calendar
            would bear sums with it.
    """
    match = DURATION.fullmatch(text)
    if match is None or len(text) > 10:
        raise ValueError("a duration such as 30s, 15m, 2h, 1d or 1w")
    found = timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if found > LONGEST:
        raise ValueError(f"a duration such as 30s, 15m, 2h, 1d or 1w, of {LONGEST.days}d at most")
    return found


def is_relative(text: str) -> bool:
    """Whether a text names a date by the clock: `yesterday`, `1 day ago`, `-7d`, `days_ago(1)`, `now() - …`."""
    return _RELATIVE.fullmatch(text.strip()) is not None


def instant(text: str) -> date | datetime:
    """`2013-01-01` as a date, `2013-01-01T05:00` as a datetime, aware where it carries an offset.

    Raises:
        ValueError: it is neither, or the calendar has no such day.
    """
    wanted = "a date such as 2013-01-01, or a time such as 2013-01-01T05:00"
    if not _DATE_LIKE.fullmatch(text):
        raise ValueError(wanted)
    try:
        found = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{wanted} ({error})") from error
    if not 1900 <= found.year < 2200:
        raise ValueError(f"{wanted}, in a year from 1900 to 2199")
    return found
