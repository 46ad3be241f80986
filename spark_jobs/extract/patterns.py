r"""Regular expressions of pipeline files: named groups are columns, and none may take forever.

They run as Java's, which tries one way after the other: `(a+)+$` takes longer than anybody waits at 40 letters.
Python's parser reads them here, so that `lint` can tell; what only one of the two languages knows is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as reader  # type: ignore[attr-defined]
from typing import Any, Final

_FEW: Final = 9  # times that a part may be repeated and still be called few
_MOST_ANYTHINGS: Final = 3
_OPEN: Final = re.compile(r"\(\?P?<([A-Za-z_]\w*)>")
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|\(\?P?<[A-Za-z_]\w*>|.", re.DOTALL)
_QUOTED: Final = r"(?:[^\"\\]|\\.)*+"
_COMMON: Final = (
    r"(?<host>\S+) (?<identity>\S+) (?<user>\S+) \[(?<time>[^\]]*)\] "
    rf'"(?<request>{_QUOTED})" (?<status>\S+) (?<bytes>\S+)'
)
KNOWN: Final[Mapping[str, str]] = {
    "common": _COMMON,
    "combined": rf'{_COMMON} "(?<referer>{_QUOTED})" "(?<user_agent>{_QUOTED})"',
}
"""The log formats of Apache and nginx by name, see httpd.apache.org/docs/current/logs.html."""
TIME: Final = "dd/MMM/yyyy:HH:mm:ss Z"
"""How they write the time, as a pattern of Spark."""


@dataclass(frozen=True, kw_only=True)
class Pattern:
    """A regular expression that was looked through.

    Args:
        java: the expression for Java, matching a text from end to end, its groups by number.
        groups: name -> number.
    """

    java: str
    groups: Mapping[str, int]


@cache
def pattern(text: str) -> Pattern:
    """Read a regular expression, or the name of a known one.

    Raises:
        ValueError: it is none, has no named group, or may take forever.
    """
    text = KNOWN.get(text, text)
    ours = _renamed(text, r"(?P<\1>")
    try:
        compiled, tree = re.compile(ours), reader.parse(ours)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"it is no regular expression that Java and Python both read: {error}") from error
    if not compiled.groupindex:
        raise ValueError("it has no named group (?<name>…), and groups are the columns")
    danger = next(_dangers(tree), None)
    if danger is None and _bars(text) != _choices(tree):
        danger = "write [ab] for a|b where both are one letter"
    if danger is None and _anythings(tree) > _MOST_ANYTHINGS:
        danger = f"more than {_MOST_ANYTHINGS} times .* or .+: say what a part can't hold, such as [^ ]*"
    if danger is not None:
        raise ValueError(f"it may take forever: {danger}")
    return Pattern(java=rf"(?s)\A(?:{_renamed(text, '(')})\z", groups=dict(compiled.groupindex))


def known_names(text: str) -> tuple[str, ...] | None:
    """The columns that a pattern gives; None where the lines name them themselves, or where it is wrong."""
    try:
        return None if text in ("json", "logfmt") else tuple(pattern(text).groups)
    except ValueError:
        return None


def nulls(text: str) -> tuple[str, ...]:
    """Texts that mean null in lines of a pattern, where nothing else is said."""
    return ("", "-") if text in KNOWN else () if text == "json" else ("",)


def _tokens(text: str) -> Iterator[str]:
    """The expression cut into escapes, classes in brackets, beginnings of named groups, and other letters."""
    return (found[0] for found in _TOKEN.finditer(text))


def _renamed(text: str, opening: str) -> str:
    """The expression with its named groups begun otherwise: Java takes no `_` in their names, Python wants a `P`."""
    return "".join(_OPEN.sub(opening, token) if token.startswith("(") else token for token in _tokens(text))


def _bars(text: str) -> int:
    return list(_tokens(text)).count("|")


_BACKTRACKING: Final = (ops.MAX_REPEAT, ops.MIN_REPEAT)
_ONE: Final = (ops.LITERAL, ops.NOT_LITERAL, ops.IN, ops.ANY)


def _dangers(tree: Any) -> Iterator[str]:
    """Why an expression may take forever, or need a stack as deep as the text is long."""
    for op, value in tree:
        if op in (ops.GROUPREF, ops.GROUPREF_EXISTS):
            yield "it refers to an earlier group"
        often = op in _BACKTRACKING and value[1] > _FEW
        if often and [item for item, _ in value[2]] not in [[one] for one in _ONE]:
            yield "a group is repeated and given back piece by piece; if it never has to give back, write *+ for *"
        for part in _parts(op, value):
            yield from _dangers(part)


def _anythings(tree: Any) -> int:
    """How many times anything is repeated."""
    found = 0
    for op, value in tree:
        times = 1 if op not in _BACKTRACKING or value[1] > _FEW else int(value[1])
        often = op in _BACKTRACKING and value[1] > _FEW
        found += often and next(iter(value[2]))[0] is ops.ANY
        found += times * sum(_anythings(part) for part in _parts(op, value))
    return found


def _choices(tree: Any) -> int:
    """How many `|` an expression has; Python reads those between single letters as `[ab]`, Java doesn't."""
    found = sum(len(value[1]) - 1 for op, value in tree if op is ops.BRANCH)
    return found + sum(_choices(part) for op, value in tree for part in _parts(op, value))


def _parts(op: Any, value: Any) -> list[Any]:
    """The expressions in an expression."""
    if op in (*_BACKTRACKING, ops.POSSESSIVE_REPEAT):
        return [value[2]]
    if op is ops.SUBPATTERN:
        return [value[3]]
    if op is ops.BRANCH:
        return list(value[1])
    if op in (ops.ASSERT, ops.ASSERT_NOT):
        return [value[1]]
    return [value] if op is ops.ATOMIC_GROUP else []
