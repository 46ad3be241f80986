"""The way of the columns: sources, then datasets in the order of the file, then checks and loads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.columns.expressions import Expressions
from airflow_provider_etl.spec.columns.options import check_names
from airflow_provider_etl.spec.diagnostics import Severity
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.rules import target_of
from airflow_provider_etl.spec.verbs import Placed, Verbs
from spark_jobs.audit import AUDIT, TYPES, wanted
from spark_jobs.kinds import reads_datasets
from spark_jobs.outline import Misfit, Outline


@dataclass(frozen=True)
class Known:
    """What a kind may ask (spark_jobs.outline.Scope).

    Args:
        datasets: the other datasets' columns.
        expressions: reads SQL.
    """

    datasets: dict[str, Outline]
    expressions: Expressions

    def type_of(self, text: str, rows: Outline) -> str | None:
        """The type of an expression; None where it isn't known."""
        return self.expressions.type_of(text, rows)

    def query(self, text: str, rows: Outline | None) -> Outline:
        """What a SELECT gives."""
        return self.expressions.query(text, self.datasets if rows is None else {**self.datasets, "input": rows})


@dataclass
class _Follower:
    verbs: Verbs
    problems: Problems
    expressions: Expressions
    outlines: dict[str, Outline] = field(default_factory=dict)

    def follow(self) -> dict[str, Outline]:
        for name, placed in self.verbs.extract.items():
            self.outlines[name] = self._source(placed)
        for name in self.verbs.datasets:
            origin = self.verbs.origins.get(name)
            rows = self.outlines.get(origin.text, Outline()) if origin is not None else Outline()
            for placed in self.verbs.transform.get(name, []):
                rows = self._step(placed, rows)
            self.outlines[name] = rows
        for name, checks in self.verbs.check.items():
            for placed in checks:
                self._look(placed, self.outlines.get(name, Outline()))
        for name, placed in self.verbs.load.items():
            rows = self.outlines.get(target_of(name, self.verbs) or "", Outline())
            # Options name columns of the rows, some of which the table may not keep, and of the table.
            table: Outline = self._asked(placed, "outline", rows, self._known()) or Outline()
            more = {column: kind for column, kind in table.columns.items() if rows.spelled(column) is None}
            self._look(placed, rows, rows.plus(more))
            self._personal(name, placed, rows)
        return self.outlines

    def _personal(self, load: str, placed: Placed, rows: Outline) -> None:
        """Warn of personal columns that a load gets as they are."""
        for name in rows.columns:
            if name.lower() in rows.personal:
                message = f"column {name!r} is personal (`pii`), and load {load!r} gets it as it is"
                hint = "mask or drop it, or say `# etl: ignore=pii-unmasked` if the table may hold it"
                self.problems.add(placed.node.holder, "pii-unmasked", message, hint, severity="warning")

    def _source(self, placed: Placed) -> Outline:
        if placed.kind is FAILED:
            return Outline()
        given = (self._known(),) if reads_datasets(placed.kind) else ()
        rows: Outline = self._asked(placed, "outline", *given) or Outline()
        self._look(placed, rows)
        return self._audited(placed, rows) if wanted(placed.kind) else rows

    def _audited(self, placed: Placed, rows: Outline) -> Outline:
        """A source's columns, with those that say where its rows come from."""
        for name in filter(None, map(rows.spelled, AUDIT)):
            message, hint = f"the source has a column {name!r} itself", "leave it out, or don't ask for audit_columns"
            misfit = Misfit(option="audit_columns", message=message, hint=hint, code="column-collision")
            self._tell(placed, misfit)
        return rows.plus(TYPES)

    def _step(self, placed: Placed, rows: Outline) -> Outline:
        if placed.kind is FAILED:
            return Outline()
        self._look(placed, rows)
        return self._asked(placed, "outline", rows, self._known()) or Outline()

    def _look(self, placed: Placed, rows: Outline, named: Outline | None = None) -> None:
        """Hold a kind's options against the columns that it gets.

        Args:
            placed: the kind.
            rows: the columns.
            named: those that its options may name, where it has some of its own.
        """
        if placed.kind is FAILED:
            return
        check_names(placed, named or rows, self.outlines, self.problems)
        self.expressions.check(placed, rows, self.outlines)
        for misfit in self._asked(placed, "misfits", rows, self._known()) or ():
            self._tell(placed, misfit)

    def _asked(self, placed: Placed, question: str, *given: Any) -> Any:
        """What a kind answers; None where it doesn't know the question, or a third party's fails at it."""
        method = getattr(placed.kind, question, None)
        try:
            found = None if method is None else method(*given)
            return list(found) if isinstance(found, Iterator) else found
        except Exception as error:  # noqa: BLE001 - a third party's code may fail in any way; it is told here
            message = f"{placed.name}.{question} fails: {type(error).__name__}: {error}"
            self.problems.add(placed.node.holder, "kind-broken", message, "mend the kind")
            return None

    def _tell(self, placed: Placed, misfit: Misfit) -> None:
        severity: Severity = "warning" if misfit.code == "column-not-promised" else "error"
        self.problems.add(_place(placed, misfit.option), misfit.code, misfit.message, misfit.hint, severity=severity)

    def _known(self) -> Known:
        return Known(datasets=self.outlines, expressions=self.expressions)


def _place(placed: Placed, option: str) -> Node:
    """Where an option stands: `columns.amount` is the key `amount` in `columns`; else the kind itself."""
    kind: Any = type(placed.kind)
    first, *more = option.split(".", 1)
    node = option_node(kind, placed.node, first)
    if node is None:
        node, more = placed.node, [option] if option else []
    for key in more:
        found = node.get(key) if isinstance(node, MapNode) else None
        node = found or node
    return node


def check(verbs: Verbs, problems: Problems, *, deterministic: bool = True) -> dict[str, Outline]:
    """Report columns that can't exist and types that can't be compared.

    Args:
        verbs: what was read; what is wrong in itself has been told.
        problems: where problems go.
        deterministic: whether words that mean the clock, such as 'today', are refused.

    Returns:
        Source or dataset -> its columns, as far as they are known.
    """
    return _Follower(verbs, problems, Expressions(problems, deterministic=deterministic)).follow()


def scope_of(outlines: dict[str, Outline]) -> Known:
    """What a kind may ask once all columns have been followed."""
    return Known(datasets=outlines, expressions=Expressions(Problems(), deterministic=True))
