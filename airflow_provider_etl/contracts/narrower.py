"""Whether what a new contract says of a column lies within what the old one said: its type and its bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final, Literal

from spark_jobs.outline import INSTANTS, family, plain_type

Side = Literal["min", "max"]
Value = int | float | bool | str
_NESTED: Final = re.compile(r"\s*(array|map|struct)\s*<(.*)>\s*", re.IGNORECASE | re.DOTALL)
_FIELD: Final = re.compile(r"\s*(`(?:[^`]|``)*`|[^\s:`<]+)\s*(?::|\s)\s*(.*)", re.DOTALL)
_MORE: Final = re.compile(r"\s+(?:comment\s.*|not\s+null\b.*)", re.IGNORECASE | re.DOTALL)
_ALIASES: Final = {"decimal": "decimal(10,0)"}


def normal(text: str) -> str:
    """A type in one spelling, whatever stands within it: `ARRAY<INTEGER>` is `array<int>`."""
    match = _NESTED.fullmatch(text)
    if match is None:
        plain = "".join(plain_type(text).split())
        return _ALIASES.get(plain, plain)
    word, parts = match[1].lower(), list(_parts(match[2]))
    return f"{word}<{','.join(_field(part) if word == 'struct' else normal(part) for part in parts)}>"


def _field(text: str) -> str:
    match = _FIELD.fullmatch(text)
    if match is None:
        return text.strip()
    more = _MORE.search(match[2])
    strict = " not null" if more and "not" in more[0].lower().split()[:1] else ""
    name = match[1][1:-1].replace("``", "`") if match[1].startswith("`") else match[1]
    return f"{name}:{normal(match[2][: more.start()] if more else match[2])}{strict}"


def _parts(text: str) -> Iterator[str]:
    """What commas part, but for those inside of brackets and quotes."""
    depth, quote, start = 0, "", 0
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "`'\"":
            quote = sign
        elif sign in "<(":
            depth += 1
        elif sign in ">)":
            depth -= 1
        elif sign == "," and not depth:
            yield text[start:place]
            start = place + 1
    yield text[start:]


def widened(side: Side, old: Value, new: Value | None, values: Sequence[Value], kind: str) -> bool:
    """Whether values may come that lie beyond an old bound.

    Args:
        side: min or max.
        old: the bound that there was.
        new: the one that there is; None for none.
        values: the only values that there are now; empty where others may come.
        kind: the column's type.
    """
    if new is not None and not _beyond(side, old, new, kind):
        return False
    return not values or any(_beyond(side, old, value, kind) for value in values)


def _beyond(side: Side, old: Value, new: Value, kind: str) -> bool:
    """Whether a value lies further out than a bound; those that can't be compared do."""
    if isinstance(old, str) != isinstance(new, str):
        return True
    if not isinstance(old, str) or not isinstance(new, str):
        return bool(new < old if side == "min" else new > old)  # type: ignore[operator]
    if family(kind) not in INSTANTS:
        return new < old if side == "min" else new > old
    try:
        before, after = datetime.fromisoformat(old), datetime.fromisoformat(new)
    except ValueError:
        return True
    if (before.tzinfo is None) != (after.tzinfo is None):
        return True  # which one is first depends on the zone of who reads
    return after < before if side == "min" else after > before
