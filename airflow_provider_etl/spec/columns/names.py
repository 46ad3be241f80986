"""One name in a query, looked up as Spark does: letter case aside, in the tables of its FROM, then further out."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_etl.spec.columns.options import hint_for
from airflow_provider_etl.spec.columns.references import Reference, has_no_fields
from airflow_provider_etl.spec.columns.tables import Table, Tables
from airflow_provider_etl.spec.diagnostics import Severity
from spark_jobs.outline import Outline, Rest, looser


@dataclass(frozen=True, kw_only=True)
class QueryProblem:
    """What can't be in a query, and where: the position in its text, from 0."""

    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    offset: int | None = None


Resolved = tuple[str | None, QueryProblem | None]
"""A column's type, as far as it is known, and why it can't be."""


@dataclass(frozen=True, kw_only=True)
class Names:
    """The names that a SELECT can see.

    Args:
        tables: of its FROM.
        outer: of the queries around it, the outermost first.
        aliases: names, in lower case, that it gives its own expressions.
        given: the same, and the columns that it selects as they are.
    """

    tables: Tables
    outer: tuple[Tables, ...]
    aliases: frozenset[str]
    given: frozenset[str]

    def resolve(self, reference: Reference, *, after: bool) -> Resolved:
        """What a name stands for.

        Args:
            reference: the name.
            after: whether it stands where the SELECT's own names win (ORDER BY).
        """
        first, *more = reference.parts
        called = self.tables.called(first) if more else []
        if len(called) == 1:
            return self._of_table(called[0], reference)
        if called or (more and any(tables.called(first) for tables in self.outer)):
            return None, None
        if after and first.lower() in self.given and not more:
            return None, None
        return self._bare(first, reference)

    def _of_table(self, table: Table, reference: Reference) -> Resolved:
        name, *fields = reference.parts[1:]
        spelled = table.outline.spelled(name)
        if spelled is not None:
            return (None if fields else table.outline.columns[spelled]), None
        certainty = table.outline.may_have(name)
        return None, self._missing(f"{table.alias} has no column {name!r}", name, table.outline, certainty, reference)

    def _bare(self, name: str, reference: Reference) -> Resolved:
        having = [table for table in self.tables.seen if table.outline.spelled(name) is not None]
        if len(having) > 1 and not (self.tables.natural or name.lower() in self.tables.shared | self.aliases):
            told = " and ".join(table.alias or "a table" for table in having)
            message, hint = f"{name!r} may be of {told}", f"say which: {having[0].alias or 't'}.{name}"
            return None, QueryProblem(code="ambiguous-column", message=message, hint=hint, offset=reference.offset)
        if having:
            outline = having[0].outline
            kind = has_no_fields(reference.parts, outline)
            if kind is not None and len(having) == 1:
                message = f"{name!r} is {kind} and has no field {reference.parts[1]!r}"
                return None, QueryProblem(code="unknown-column", message=message, offset=reference.offset)
            known = len(having) == 1 and len(reference.parts) == 1
            return (outline.columns[outline.spelled(name) or name] if known else None), None
        if name.lower() in self.aliases:
            return None, None
        every = [table.outline for tables in (*self.outer, self.tables) for table in tables.items]
        if any(outline.spelled(name) is not None for outline in every):
            return None, None
        certainty = looser("none", *(outline.may_have(name) for outline in every))
        visible = Outline(columns={key: None for outline in every for key in outline.columns})
        return None, self._missing(f"there is no column {name!r}", name, visible, certainty, reference)

    def _missing(
        self, message: str, name: str, outline: Outline, certainty: Rest, reference: Reference
    ) -> QueryProblem | None:
        if certainty == "any":
            return None
        if certainty == "none":
            hint = hint_for(name, outline)
            return QueryProblem(code="unknown-column", message=message, hint=hint, offset=reference.offset)
        return QueryProblem(
            code="column-not-promised",
            message=f"no contract names column {name!r}",
            hint=f"{hint_for(name, outline)}; add it to the source's `columns` if it comes with the files",
            severity="warning",
            offset=reference.offset,
        )
