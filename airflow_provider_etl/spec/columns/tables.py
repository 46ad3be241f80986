"""What stands in a query's FROM: each table with its alias and its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from spark_jobs.outline import Outline

_NUMBERS: Final = Outline(columns={"id": "bigint"}, rest="none")  # what range() gives
_WINDOWS: Final = frozenset({"window", "session_window"})


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a FROM.

    Args:
        alias: in lower case; empty where it has none.
        outline: its columns.
        hidden: whether its columns can't be selected, as of the right side of a semi join.
    """

    alias: str
    outline: Outline
    hidden: bool = False


@dataclass(frozen=True, kw_only=True)
class Tables:
    """All tables of a FROM.

    Args:
        items: in their order.
        shared: names, in lower case, of columns that a USING makes one.
        natural: whether a natural join makes one of all that share a name.
    """

    items: tuple[Table, ...] = ()
    shared: frozenset[str] = frozenset()
    natural: bool = False

    @property
    def seen(self) -> tuple[Table, ...]:
        """Those whose columns can be selected."""
        return tuple(item for item in self.items if not item.hidden)

    def called(self, alias: str) -> list[Table]:
        """Those of an alias."""
        return [item for item in self.items if item.alias == alias.lower()]


Resolve = Callable[[Any], Outline]
"""A nested query -> its columns."""


def tables_of(select: Any, known: Mapping[str, Outline], resolve: Resolve) -> Tables:
    """The tables of a SELECT.

    Args:
        select: sqlglot's node.
        known: name in lower case -> columns, shared table expressions included.
        resolve: gives the columns of a nested query.
    """
    begin = select.args.get("from_") or select.args.get("from")
    joins = [*(select.args.get("joins") or []), *((begin.this.args.get("joins") or []) if begin is not None else [])]
    items = [] if begin is None else [_table(begin.this, known, resolve)]
    for join in joins:
        hidden = join.args.get("kind") in {"SEMI", "ANTI"} or join.args.get("side") in {"SEMI", "ANTI"}
        found = _table(join.this, known, resolve)
        items.append(Table(alias=found.alias, outline=found.outline, hidden=hidden))
    items += [_table(lateral, known, resolve) for lateral in select.args.get("laterals") or []]
    shared = {item.name.lower() for join in joins for item in join.args.get("using") or []}
    natural = any(join.args.get("method") == "NATURAL" for join in joins)
    return Tables(items=tuple(items), shared=frozenset(shared), natural=natural)


def grouped(select: Any, tables: Tables) -> Tables:
    """The same tables, and what GROUP BY window(…) adds to them: a column `window` with start and end."""
    group = select.args.get("group")
    calls = {str(getattr(item, "name", "")).lower() for item in (group.expressions if group is not None else ())}
    made = Outline(columns=dict.fromkeys(sorted(calls & _WINDOWS)), rest="none")
    return (
        replace(tables, items=(*tables.items, Table(alias="", outline=made, hidden=True))) if made.columns else tables
    )


def _table(item: Any, known: Mapping[str, Outline], resolve: Resolve) -> Table:
    name = type(item).__name__
    outline = Outline()
    if item.args.get("pivots") or item.args.get("joins"):
        pass  # other columns, or several tables in parentheses
    elif name == "Table" and type(item.this).__name__ == "Identifier" and not item.args.get("db"):
        outline = known.get(item.name.lower(), Outline())
    elif name == "Table" and str(getattr(item.this, "name", "")).lower() == "range":
        outline = _NUMBERS
    elif name == "Subquery":
        outline = resolve(item.this)
    return Table(alias=item.alias_or_name.lower(), outline=aliased(item, outline))


def aliased(item: Any, outline: Outline) -> Outline:
    """Columns under the names of `AS t (a, b)`; where their number isn't known the others may be anything."""
    alias = item.args.get("alias")
    names = [column.name for column in (alias.args.get("columns") or [])] if hasattr(alias, "args") else []
    if not names:
        return outline
    if outline.rest == "none" and len(outline.columns) == len(names):
        return Outline(columns=dict(zip(names, outline.columns.values(), strict=True)), rest="none")
    return Outline(columns=dict.fromkeys(names), rest="none")


def nested(select: Any) -> Iterator[Any]:
    """The queries inside a SELECT that aren't tables of it: `IN (SELECT …)`, `EXISTS (…)`, scalar ones."""
    from sqlglot import expressions as exp

    tables = {id(found) for found in _in_from(select)}
    for found in select.walk(prune=lambda node: node is not select and isinstance(node, exp.Query)):
        inside = found is not select and isinstance(found, exp.Query) and id(found) not in tables
        if inside and not isinstance(found.parent, exp.CTE):
            yield found


def _in_from(select: Any) -> Iterator[Any]:
    begin = select.args.get("from_") or select.args.get("from")
    if begin is not None:
        yield begin.this
        yield from (join.this for join in begin.this.args.get("joins") or [])
    yield from (join.this for join in select.args.get("joins") or [])
