"""The rows that a test expects, each with its place in the test file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.testing.language import ExpectedRows, Row


@dataclass(frozen=True, kw_only=True)
class WantedRow:
    """One row.

    Args:
        cells: column -> None, the value as it is written, or lists and mappings of them.
        line: its line in the test file, from 1.
    """

    cells: Mapping[str, Any]
    line: int


@dataclass(frozen=True, kw_only=True)
class WantedRows:
    """The rows of one dataset or table.

    Args:
        rows: in any order.
        exact: whether every column must be named.
        tolerance: how far a number may be away.
        line: where the expectation begins.
    """

    rows: tuple[WantedRow, ...]
    exact: bool = False
    tolerance: float = 0.0
    line: int = 1


def wanted(expected: ExpectedRows | tuple[Row, ...], node: Node, problems: Problems) -> WantedRows | None:
    """An expectation with its places; None where it is wrong, with the reason told.

    Args:
        expected: as read.
        node: its place.
        problems: where problems go.
    """
    given = expected if isinstance(expected, ExpectedRows) else ExpectedRows(rows=expected)
    if (given.rows is None) == (given.csv is None):
        problems.add(node.holder, "invalid-value", "expected rows are one of rows and csv", "give one of them")
        return None
    place = node.get("rows" if given.csv is None else "csv") if isinstance(node, MapNode) else node
    if given.csv is None:
        rows = tuple(_listed(place or node))
    else:
        assert isinstance(place, ScalarNode)  # noqa: S101 - it was read as text
        rows = tuple(_table(place, problems))
    return WantedRows(rows=rows, exact=given.exact, tolerance=given.tolerance, line=node.holder.line)


def _listed(node: Node) -> Iterator[WantedRow]:
    for item in node.items if isinstance(node, ListNode) else ():
        if isinstance(item, MapNode):
            yield WantedRow(cells={key: _value(entry.value) for key, entry in item.entries.items()}, line=item.line)


def _value(node: Node) -> Any:
    if isinstance(node, MapNode):
        return {key: _value(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [_value(item) for item in node.items]
    return node.text if isinstance(node, ScalarNode) and described(node) != "nothing" else None


def _table(node: ScalarNode, problems: Problems) -> Iterator[WantedRow]:
    """The rows of a CSV text; an empty field is null."""
    block = node.source.text[node.start : node.start + 1] in ("|", ">")
    first = node.line + 1 if block else node.line
    lines = csv.reader(io.StringIO(node.text), skipinitialspace=True)
    header: list[str] | None = None
    begin = 0
    for cells in lines:
        line, begin = first + begin if block else first, lines.line_num
        if not cells:
            continue
        if header is None:
            header = [name.strip() for name in cells]
        elif len(cells) != len(header):
            message = f"line {line} has {len(cells)} fields, the header {len(header)}"
            problems.add(node, "invalid-value", message, "an empty field is null; quote a field that holds a comma")
        else:
            values = [cell.strip() for cell in cells]
            yield WantedRow(cells={name: cell or None for name, cell in zip(header, values, strict=True)}, line=line)
    if header is None:
        problems.add(node, "invalid-value", "the text has no header", "name the columns, or write [] for no rows")
