"""Spark SQL of a pipeline file, held against the columns that it can see."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.spec.class_plan import option_node, plan_of
from airflow_provider_etl.spec.columns.comparisons import Clash, clashes
from airflow_provider_etl.spec.columns.options import Telling
from airflow_provider_etl.spec.columns.query import Queries
from airflow_provider_etl.spec.columns.references import has_no_fields, kind_of, references, referred
from airflow_provider_etl.spec.columns.types import Look, type_of
from airflow_provider_etl.spec.nodes import ScalarNode, scalars
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.sql import parts
from airflow_provider_etl.spec.sql_parsing import parse
from airflow_provider_etl.spec.variables import blanked
from airflow_provider_etl.spec.verbs import Placed
from spark_jobs.kinds import reads_datasets
from spark_jobs.outline import Outline

if TYPE_CHECKING:
    from sqlglot.expressions import Expr


@functools.lru_cache(maxsize=1024)
def parsed(text: str) -> Expr | None:
    """The only statement of a text; None where it is none or several, which `sql.py` tells."""
    try:
        found = [item for item in parse(blanked(text))[0] if item is not None]
    except Exception:  # noqa: BLE001 - told by sql.py, which has parsed it before
        return None
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Expressions:
    """Reads expressions and queries.

    Args:
        problems: where problems go.
        deterministic: whether words that mean the clock are refused.
    """

    problems: Problems
    deterministic: bool = field(default=True, kw_only=True)

    def type_of(self, text: str, rows: Outline) -> str | None:
        """The type of an expression over these columns; None where it isn't known."""
        return type_of(parsed(text), _look(rows))

    def query(self, text: str, tables: Mapping[str, Outline]) -> Outline:
        """What a SELECT over these tables gives."""
        tree = parsed(text)
        return Outline() if tree is None else Queries(tables).outline(tree)

    def check(self, placed: Placed, rows: Outline, datasets: Mapping[str, Outline]) -> None:
        """Report what can't be in the expressions and queries of a kind.

        Args:
            placed: the kind.
            rows: the columns that it gets.
            datasets: the other datasets' columns.
        """
        for kind, node in parts(placed.kind, placed.node):
            for key, option in plan_of(type(kind)).fields.items():
                found = option_node(type(kind), node, key)
                for text in scalars(found) if found is not None else ():
                    if option.metadata.get("expression"):
                        self._expression(text, rows)
                    elif option.metadata.get("query") and placed.group == "transform":
                        self._query(text, {**datasets, "input": rows})
                    elif option.metadata.get("query") and reads_datasets(kind):
                        self._query(text, datasets)

    def _expression(self, node: ScalarNode, rows: Outline) -> None:
        tree = parsed(node.text)
        if tree is None:
            return
        for _, reference in references(tree):
            kind = has_no_fields(reference.parts, rows)
            if kind is not None:
                message = f"{reference.parts[0]!r} is {kind} and has no field {reference.parts[1]!r}"
                self.problems.add(node, "unknown-column", message, offset=reference.offset)
            else:
                Telling(problems=self.problems).unless_there(reference.parts[0], rows, node, offset=reference.offset)
        for clash in clashes(tree, _look(rows)):
            self._clash(node, clash)

    def _query(self, node: ScalarNode, tables: Mapping[str, Outline]) -> None:
        tree = parsed(node.text)
        if tree is None:
            return
        queries = Queries(tables)
        queries.outline(tree)
        for problem in queries.problems:
            self.problems.add(
                node, problem.code, problem.message, problem.hint, severity=problem.severity, offset=problem.offset
            )
        for clash in clashes(tree, queries.look):
            self._clash(node, clash)

    def _clash(self, node: ScalarNode, clash: Clash) -> None:
        code = "expression-clock" if clash.clock else "type-mismatch"
        hint = "use ${window.start}, or say `deterministic: false`" if clash.clock else clash.hint
        if not clash.clock or (self.deterministic and not self.problems.holds(node, code)):
            self.problems.add(node, code, clash.message, hint, offset=_offset(clash.tree))


def _look(rows: Outline) -> Look:
    def look(column: Any) -> str | None:
        return kind_of(referred(column).parts, rows)

    return look


def _offset(tree: Any) -> int | None:
    """Where a part of an expression begins, as far as sqlglot knows: at its first name."""
    starts = [item.meta["start"] for item in tree.walk() if "start" in item.meta]
    return min(starts) if starts else None
