"""Options that name columns: `keys`, `by`, `column` and the like, found by their metadata."""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from airflow_provider_etl.spec import hints
from airflow_provider_etl.spec.class_plan import FieldPlan, option_node, plan_of
from airflow_provider_etl.spec.diagnostics import did_you_mean
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.sql import parts
from airflow_provider_etl.spec.verbs import Placed
from spark_jobs.masking.nested import steps
from spark_jobs.outline import Outline
from spark_jobs.transform.dedupe import directed

_MOST: Final = 30  # columns that an error lists


@dataclass(frozen=True, kw_only=True)
class _Name:
    """A column's name in an option: where, and of which dataset (None: the incoming rows)."""

    text: str
    node: Node
    dataset: str | None = None


def check_names(placed: Placed, rows: Outline, datasets: Mapping[str, Outline], problems: Problems) -> None:
    """Report the names in a kind's options that no column bears.

    Args:
        placed: the kind.
        rows: the columns that it gets.
        datasets: other datasets' columns.
        problems: where problems go.
    """
    for name in _names(placed, rows):
        outline = rows if name.dataset is None else datasets.get(name.dataset, Outline())
        # A source's own options speak of the files that will come: what a contract leaves open is theirs to say.
        tell = Telling(problems=problems, exact=placed.group != "load", certain_only=placed.group == "extract")
        tell.unless_there(name.text, outline, name.node, dataset=name.dataset)


@dataclass(frozen=True, kw_only=True)
class Telling:
    """How a column that isn't there is told.

    Args:
        problems: where problems go.
        exact: whether letter case counts.
        certain_only: whether only a column that can't be there is told.
    """

    problems: Problems
    exact: bool = False
    certain_only: bool = False

    def unless_there(
        self, name: str, outline: Outline, node: Node, *, dataset: str | None = None, offset: int | None = None
    ) -> None:
        """Tell it where no such column is known.

        Args:
            name: the column.
            outline: the columns there are.
            node: the place.
            dataset: the dataset that is asked, where it isn't the incoming rows.
            offset: where in the node's text.
        """
        spelled = outline.spelled(name)
        if spelled == name or (spelled is not None and not self.exact):
            return
        certainty = "none" if spelled is not None else outline.may_have(name)
        if certainty == "any" or (certainty == "new" and self.certain_only):
            return
        what = f"{dataset} has no column {name!r}" if dataset else f"there is no column {name!r}"
        if spelled is not None:
            self.problems.add(
                node, "unknown-column", what, f"write {spelled!r}: letter case counts here", offset=offset
            )
        elif certainty == "none":
            self.problems.add(node, "unknown-column", what, hint_for(name, outline), offset=offset)
        else:
            message = f"no contract names column {name!r}"
            hint = f"{hint_for(name, outline)}; add it to the source's `columns` if it comes with the files"
            self.problems.add(node, "column-not-promised", message, hint, severity="warning", offset=offset)


def hint_for(name: str, outline: Outline) -> str:
    """The column that was probably meant, and those that there are."""
    known = list(outline.columns)
    near = did_you_mean(name, known)
    more = f" and {len(known) - _MOST} more" if len(known) > _MOST else ""
    listed = f"there are: {', '.join(known[:_MOST])}{more}" if known else "no column is known here"
    return f"{near} {listed}".strip()


def _names(placed: Placed, rows: Outline) -> Iterator[_Name]:
    for kind, node in parts(placed.kind, placed.node):
        for key, field in plan_of(type(kind)).fields.items():
            below = option_node(type(kind), node, key)
            if below is not None:
                yield from _of_option(kind, field, below, rows)


def _of_option(kind: Any, field: FieldPlan, node: Node, rows: Outline) -> Iterator[_Name]:
    value, metadata = getattr(kind, field.name), field.metadata
    other = metadata.get("column_of")
    if other:
        for text, place in _texts(value, node):
            name = directed(text, ())[0] if metadata.get("directed") else text
            yield _Name(text=name, node=place, dataset=getattr(kind, other))
    elif metadata.get("column") and not _is_word(field, value):
        for text, place in _texts(value, node):
            name = directed(text, rows.columns)[0] if metadata.get("directed") else text
            name = steps(name, rows.columns)[0] if metadata.get("fields") else name
            yield _Name(text=name, node=place)
        if metadata.get("shared_with"):
            dataset = getattr(kind, metadata["shared_with"])
            yield from (_Name(text=text, node=place, dataset=dataset) for text, place in _counterparts(value, node))


def _is_word(field: FieldPlan, value: Any) -> bool:
    """Whether a value is one of the option's own words (`trim: all`), not a column."""
    literals = [item for item in hints.members(field.hint) if typing.get_origin(item) is Literal]
    return any(value in typing.get_args(item) for item in literals) if isinstance(value, str) else False


def _texts(value: Any, node: Node) -> Iterator[tuple[str, Node]]:
    """The names in a text, a list, or the keys of a mapping, each with its place."""
    if isinstance(value, str):
        yield value, node
    elif isinstance(value, Mapping) and isinstance(node, MapNode):
        yield from ((name, entry.key) for name, entry in node.entries.items())
    elif isinstance(node, ListNode):
        yield from zip(value, node.items, strict=False)


def _counterparts(value: Any, node: Node) -> Iterator[tuple[str, Node]]:
    """Names of the other dataset's columns: the values of a mapping, the items of a list."""
    if isinstance(value, Mapping) and isinstance(node, MapNode):
        yield from (
            (entry.value.text, entry.value) for entry in node.entries.values() if isinstance(entry.value, ScalarNode)
        )
    else:
        yield from _texts(value, node)
