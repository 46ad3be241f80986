"""Comparisons that can never hold: Spark refuses them, or fails at the first row.

ANSI mode casts a text to the type that it is compared with, so `day > '2013-01-01'` is fine and `amount > 'many'` ends
the run. A column of text may hold anything, and is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.spec.columns.types import Look, type_of
from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.sql_clock import says_clock
from spark_jobs.outline import INSTANTS, NUMBERS, family

if TYPE_CHECKING:
    from sqlglot.expressions import Expr

_COMPARE: Final = frozenset({"EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ"})
_LOGIC: Final = frozenset({"And", "Or", "Not"})
_TIMES: Final = INSTANTS | {"interval"}
# Parts of an expression of which Spark makes one type.
_ONE_TYPE: Final[dict[str, tuple[str, ...]]] = {
    **dict.fromkeys(("Coalesce", "Array"), ("this", "expressions")),
    **dict.fromkeys(("If", "Nvl2"), ("true", "false")),
    **dict.fromkeys(("Add", "Sub", "Nullif"), ("this", "expression")),
    "GenerateSeries": ("start", "end"),
    "Lag": ("this", "default"),
    "Lead": ("this", "default"),
}
_NUMBER: Final = re.compile(
    r"\s*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?[dflsy]?|nan|inf|infinity)\s*", re.IGNORECASE | re.ASCII
)
_DATE: Final = re.compile(r"\s*[+-]?(\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?\s*", re.ASCII)
_TIME: Final = re.compile(r"\s*T?\d{1,2}:.*", re.ASCII)
_BOOLEANS: Final = frozenset({"t", "true", "y", "yes", "1", "f", "false", "n", "no", "0"})
_BLANKED: Final = re.compile("x{3,}")  # what stands for ${…} while SQL is parsed
_GROUPS: Final = {"boolean": "boolean", **dict.fromkeys(NUMBERS, "number"), **dict.fromkeys(INSTANTS, "instant")}
_WORDS: Final = {"number": "a number", "instant": "a date or a time", "boolean": "true or false"}


@dataclass(frozen=True, kw_only=True)
class Clash:
    """A comparison that can't be.

    Args:
        tree: the part of the expression to point at.
        message: what was found.
        hint: what to do.
        clock: whether it is no clash, but a word that Spark reads as the clock.
    """

    tree: Any
    message: str
    hint: str
    clock: bool = False


def clashes(tree: Expr, look: Look) -> Iterator[Clash]:
    """The comparisons of an expression that can't be, subqueries included.

    Args:
        tree: the expression, or a query.
        look: gives the type of a column.
    """
    for found in tree.walk():
        name = type(found).__name__
        for other in _others(name, found):
            yield from _pair(found.this, other, look)
        if name in _LOGIC:
            yield from _operands(found, look)
        yield from _beside(name, found, look)
        if name in {"Cast", "TryCast", "TsOrDsToDate"} and _says_clock(found.this) and _to_instant(found):
            yield _clock(found.this)


def _others(name: str, found: Any) -> list[Any]:
    """What the left side of a comparison is compared with."""
    if name in _COMPARE:
        return [found.expression]
    if name == "In":
        return list(found.expressions)
    return [found.args[side] for side in ("low", "high")] if name == "Between" else []


def _pair(left: Any, right: Any, look: Look) -> Iterator[Clash]:
    for one, other in ((left, right), (right, left)):
        if _is_text(other) and not _is_text(one):
            yield from _against_text(one, other, look)
            return
    first, second = type_of(left, look), type_of(right, look)
    one, two = _GROUPS.get(family(first) or ""), _GROUPS.get(family(second) or "")
    if one and two and one != two:
        message = f"{_told(left)} is {first}, {_told(right)} is {second}: they can't be compared"
        yield Clash(tree=right, message=message, hint="cast one of them")


def _against_text(tree: Any, literal: Any, look: Look) -> Iterator[Clash]:
    kind, text = type_of(tree, look), str(literal.this)
    group = _GROUPS.get(family(kind) or "")
    if group is None or _BLANKED.fullmatch(text):
        return
    if group == "instant" and says_clock(text):
        yield _clock(literal)
    elif not _reads(text, group):
        message = f"{_told(tree)} is {kind}, and {shown(text)} can't be read as {_WORDS[group]}"
        yield Clash(tree=tree, message=message, hint="the first row that is compared ends the run")


def _beside(name: str, tree: Any, look: Look) -> Iterator[Clash]:
    """`coalesce(at, 'now')`: a text among times is read as a time."""
    for values in _of_one_type(name, tree):
        if any(family(type_of(value, look)) in _TIMES for value in values):
            yield from (_clock(value) for value in values if _says_clock(value))


def _of_one_type(name: str, tree: Any) -> Iterator[list[Any]]:
    """The parts of an expression that Spark makes one type of."""
    if name in _ONE_TYPE:
        found = [tree.args.get(key) for key in _ONE_TYPE[name]]
        yield [value for item in found for value in (item if isinstance(item, list) else [item])]
    elif name == "Case":
        branches = tree.args.get("ifs") or []
        yield [*(branch.args.get("true") for branch in branches), tree.args.get("default")]
        if tree.this is not None:
            yield [tree.this, *(branch.this for branch in branches)]


def _operands(tree: Any, look: Look) -> Iterator[Clash]:
    """`NOT amount`: Spark has no truth of numbers."""
    for side in (tree.this, tree.args.get("expression")):
        kind = type_of(side, look)
        if _GROUPS.get(family(kind) or "") in {"number", "instant"}:
            message = f"{_told(side)} is {kind}, and stands where true or false is wanted"
            yield Clash(tree=side, message=message, hint="compare it with something")


def _reads(text: str, group: str) -> bool:
    """Whether Spark can read a text so."""
    if group == "number":
        return _NUMBER.fullmatch(text) is not None
    if group == "boolean":
        return text.strip().lower() in _BOOLEANS
    match = _DATE.fullmatch(text)
    if match is None:
        return _TIME.fullmatch(text) is not None or text.strip().lower() == "epoch"
    return _in_calendar(*(int(part) if part else 1 for part in match.groups()))


def _in_calendar(year: int, month: int, day: int) -> bool:
    try:
        return bool(date(min(max(year, 1), 9999), month, day))
    except ValueError:
        return False


def _is_text(tree: Any) -> bool:
    return type(tree).__name__ == "Literal" and bool(tree.is_string)


def _says_clock(tree: Any) -> bool:
    return _is_text(tree) and says_clock(str(tree.this))


def _to_instant(tree: Any) -> bool:
    return type(tree).__name__ == "TsOrDsToDate" or family(tree.args["to"].sql("spark").lower()) in INSTANTS


def _clock(literal: Any) -> Clash:
    return Clash(tree=literal, message=f"{shown(str(literal.this))} is the clock to Spark", hint="", clock=True)


def _told(tree: Any) -> str:
    return shown(str(tree.sql("spark")), 40)
