"""A SELECT, as Spark resolves its names: shared table expressions, nested queries, aliases, stars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_etl.spec.columns.names import Names, QueryProblem
from airflow_provider_etl.spec.columns.references import references, referred
from airflow_provider_etl.spec.columns.tables import Tables, aliased, grouped, nested, tables_of
from airflow_provider_etl.spec.columns.types import type_of
from spark_jobs.outline import Outline, looser


@dataclass
class Queries:
    """Resolves one query.

    Args:
        tables: name -> columns of the tables that it may read.
        problems: what can't be, found on the way.
    """

    tables: Mapping[str, Outline]
    problems: list[QueryProblem] = field(default_factory=list)
    _kinds: dict[int, str | None] = field(default_factory=dict)
    _twice: dict[int, list[str]] = field(default_factory=dict)

    def outline(self, tree: Any) -> Outline:
        """The columns that the query gives, in their order."""
        found = self._query(tree, {name.lower(): item for name, item in self.tables.items()}, ())
        for name in self._twice.get(id(_first(tree)), []):
            message = f"the query gives two columns called {name!r}"
            self.problems.append(QueryProblem(code="column-collision", message=message, hint="give one an alias"))
        return found

    def look(self, column: Any) -> str | None:
        """The type of a column of the query that was resolved; None where it isn't known."""
        return self._kinds.get(id(column))

    def _query(self, tree: Any, known: Mapping[str, Outline], outer: tuple[Tables, ...]) -> Outline:
        known = self._shared(tree, known, outer)
        name = type(tree).__name__
        if name == "Select":
            return self._select(tree, known, outer)
        if name == "Subquery":
            return aliased(tree, self._query(tree.this, known, outer))
        if name in {"Union", "Intersect", "Except"}:
            left, right = (self._query(side, known, outer) for side in (tree.this, tree.expression))
            same = left.columns == right.columns
            kinds = left.columns if same else dict.fromkeys(left.columns)
            return Outline(columns=kinds, rest=looser(left.rest, right.rest))
        return Outline()

    def _shared(self, tree: Any, known: Mapping[str, Outline], outer: tuple[Tables, ...]) -> dict[str, Outline]:
        """The tables known in a query: its WITH's before those of the same name outside."""
        found = dict(known)
        shared = tree.args.get("with_") or tree.args.get("with")
        for item in shared.expressions if shared is not None else ():
            if shared.args.get("recursive"):
                found[item.alias.lower()] = Outline()
            found[item.alias.lower()] = aliased(item, self._query(item.this, found, outer))
        return found

    def _select(self, select: Any, known: Mapping[str, Outline], outer: tuple[Tables, ...]) -> Outline:
        tables = grouped(select, tables_of(select, known, lambda query: self._query(query, known, outer)))
        aliases = frozenset(_aliases(select))
        given = aliases | {item.name.lower() for item in select.expressions if type(item).__name__ == "Column"}
        names = Names(tables=tables, outer=outer, aliases=aliases, given=given)
        for column, reference in references(select):
            kind, problem = names.resolve(reference, after=_after_select(column, select))
            self._kinds[id(column)] = kind
            if problem is not None:
                self.problems.append(problem)
        for query in nested(select):
            self._query(query, known, (*outer, tables))
        return self._given(select, tables)

    def _given(self, select: Any, tables: Tables) -> Outline:
        """What a SELECT gives: a column for each expression, all of a table's for a star."""
        given = Outline(rest="none")
        twice: list[str] = []
        for item in select.expressions:
            part = self._part(item, tables)
            shared = {
                name for name in part.columns if _is_star(item) and (tables.natural or name.lower() in tables.shared)
            }
            twice += [name for name in part.columns if given.spelled(name) is not None and name not in shared]
            given = Outline(columns={**given.columns, **part.columns}, rest=looser(given.rest, part.rest))
        self._twice[id(select)] = [
            *twice,
            *(name for item in select.expressions for name in self._twice.pop(id(item), [])),
        ]
        return given

    def _part(self, item: Any, tables: Tables) -> Outline:
        if _is_star(item):
            return self._star(item, tables)
        name = type(item).__name__
        if name == "Aliases":
            return Outline(columns=dict.fromkeys(alias.name for alias in item.expressions), rest="none")
        if name == "Column":
            return Outline(columns={referred(item).parts[-1]: self.look(item)}, rest="none")
        if name == "Alias":
            return Outline(columns={item.alias: type_of(item.this, self.look)}, rest="none")
        return Outline()  # Spark makes up a name

    def _star(self, item: Any, tables: Tables) -> Outline:
        star = item.this if type(item).__name__ == "Column" else item
        chosen = tables.called(item.parts[-2].name) if star is not item else list(tables.seen)
        if any(star.args.get(key) for key in ("except_", "except", "replace", "rename")) or not chosen:
            return Outline()
        given = Outline(rest="none")
        for table in chosen:
            clash = [name for name in table.outline.columns if given.spelled(name) is not None]
            if star is item and clash and not tables.natural:
                self._twice.setdefault(id(item), []).extend(name for name in clash if name.lower() not in tables.shared)
            given = Outline(
                columns={**given.columns, **table.outline.columns}, rest=looser(given.rest, table.outline.rest)
            )
        return given


def _aliases(select: Any) -> Iterator[str]:
    """The names that a SELECT gives its expressions: later ones, GROUP BY and ORDER BY may use them."""
    for item in select.expressions:
        if type(item).__name__ == "Aliases":
            yield from (alias.name.lower() for alias in item.expressions)
        elif item.alias:
            yield item.alias.lower()


def _after_select(column: Any, select: Any) -> bool:
    """Whether a name stands where the SELECT's own columns are known: ORDER BY, GROUP BY, HAVING and the like."""
    here = column
    while here.parent is not None and here.parent is not select:
        here = here.parent
    return type(here).__name__ in {"Order", "Group", "Having", "Qualify", "Sort", "Cluster", "Distribute", "Window"}


def _is_star(item: Any) -> bool:
    return type(item).__name__ == "Star" or (type(item).__name__ == "Column" and type(item.this).__name__ == "Star")


def _first(tree: Any) -> Any:
    """The SELECT whose names a query's result bears."""
    while type(tree).__name__ in {"Subquery", "Union", "Intersect", "Except"}:
        tree = tree.this
    return tree
