"""Calls whose answer is decided by the order of rows, where nothing gives them one.

Spark reads rows in whatever order its tasks end: a repeat of the window would give another answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sqlglot import Token
    from sqlglot.expressions import Expression

_PICK: Final = "take max_by(value, struct(when, key)) or min(value), or a dedupe step before"
_SORT: Final = "sort what it gives: sort_array(…), or listagg(…) WITHIN GROUP (ORDER BY …)"
# sqlglot's class -> (Spark's names, what to do); by name, so that nothing is imported.
_PICKED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "First": (("first",), _PICK),
    "FirstValue": (("first_value",), _PICK),
    "Last": (("last",), _PICK),
    "LastValue": (("last_value",), _PICK),
    "AnyValue": (("any_value",), _PICK),
    "Mode": (("mode",), "say mode(value, true): the smallest of those that are equally frequent"),
}
_LISTED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "ArrayAgg": (("collect_list", "array_agg"), _SORT),
    "ArrayUniqueAgg": (("collect_set",), _SORT),
    "GroupConcat": (("listagg", "string_agg"), _SORT),
}
_PLACED: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "NthValue": (("nth_value",), ""),
    "RowNumber": (("row_number",), ""),
    "Ntile": (("ntile",), ""),
    "Lag": (("lag",), ""),
    "Lead": (("lead",), ""),
}
_CALLS: Final = _PICKED | _LISTED | _PLACED
# Whoever asks these of a list doesn't see its order.
_BLIND: Final = frozenset({"ArraySort", "SortArray", "ArraySize", "ArrayContains", "ArrayMax", "ArrayMin"})
_BESIDE: Final = frozenset({"Filter", "IgnoreNulls", "RespectNulls"})


@dataclass(frozen=True, kw_only=True)
class Unordered:
    """A call that needs an order and has none.

    Args:
        name: of the function, as it is written.
        offset: where it stands in the text, from 0.
        window: whether it has a window, without ORDER BY.
        remedy: what to do.
    """

    name: str
    offset: int
    window: bool
    remedy: str


def unordered(tree: Expression, tokens: list[Token], *, grouped: bool) -> Iterator[Unordered]:
    """The calls of a text that need an order and have none.

    Args:
        tree: the statement.
        tokens: its tokens.
        grouped: whether calls without a window are aggregates over a group: in a query, or in `aggregate`.
    """
    from sqlglot import expressions as exp

    for call in tree.find_all(exp.Expression):
        known = _CALLS.get(type(call).__name__)
        if known is None:
            continue
        window = _window(call)
        if window is None and grouped and type(call).__name__ not in _PLACED and not _settled(call):
            yield _told(call, tokens, window=False)
        elif window is not None and not _ordered(window) and not _settled(call):
            yield _told(call, tokens, window=True)


def _told(call: Any, tokens: list[Token], *, window: bool) -> Unordered:
    names, remedy = _CALLS[type(call).__name__]
    found = [token for token, after in pairwise(tokens) if token.text.lower() in names and after.text == "("]
    remedy = "give its window an ORDER BY" if window else remedy
    name, offset = (found[0].text, found[0].start) if found else (names[0], 0)
    return Unordered(name=name, offset=offset, window=window, remedy=remedy)


def _window(call: Any) -> Any:
    """The window of a call; None where it has none."""
    above = call.parent
    while type(above).__name__ in _BESIDE:
        above = above.parent
    return above if type(above).__name__ == "Window" and above.args.get("this") is not None else None


def _ordered(window: Any) -> bool:
    """Whether a window has an order, by its own words or by the named one that it takes."""
    if window.args.get("order") is not None:
        return True
    name = str(window.args.get("alias") or "").lower()
    select = window.parent_select
    named = (select.args.get("windows") or []) if select is not None else []
    return any(item.name.lower() == name and _ordered(item) for item in named) if name else False


def _settled(call: Any) -> bool:
    """Whether the order makes no difference: the call sorts by itself, or nobody sees in which order its list is."""
    if type(call).__name__ == "Mode":
        return call.args.get("deterministic") is not None or type(call.parent).__name__ == "WithinGroup"
    if type(call).__name__ == "GroupConcat" and type(call.this).__name__ == "Order":
        return True
    if type(call.parent).__name__ == "WithinGroup":
        return True
    above = call.parent
    while type(above).__name__ in _BESIDE:
        above = above.parent
    return type(call).__name__ in _LISTED and type(above).__name__ in _BLIND
