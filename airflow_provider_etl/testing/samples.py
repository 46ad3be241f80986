"""What a source finds in a test: rows as the file that the source reads, so that contracts and quarantine act."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec import scalars
from airflow_provider_etl.spec.diagnostics import did_you_mean, near_miss, shown
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node, ScalarNode, described
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.testing.language import Row, Sample

_TEXT: Final = ("csv", "tsv", "json", "json_document", "xml", "fixed", "text", "logs")
_UNWRITTEN: Final = ("xml", "fixed", "text", "logs", "excel")
"""Formats that rows alone don't make: how a line or a sheet looks is what the source is tested for."""
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_INFERRED: Final = {"int": "bigint", "float": "double", "bool": "boolean", "text": "string"}


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A sample, ready to be put where a source reads: one of a text, a file, and typed rows.

    Args:
        format: the source's.
        text: the file's text.
        file: absolute path of a sample file, read where it is.
        columns: column -> Spark SQL type of typed rows.
        rows: a JSON object each.
    """

    format: str
    text: str | None = None
    file: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    rows: tuple[str, ...] = ()


def stand_in(source: Any, path: str = "sample") -> Any:
    """What reads a sample in a source's place: the files that it says stand for it, or itself.

    Args:
        source: a source, or a destination.
        path: of those files.
    """
    sampled = getattr(source, "sampled", None)
    return sampled(path) if sampled is not None else source


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """Samples of one test file on their way.

    Args:
        folder: the test file's.
        problems: where problems go.
    """

    folder: Path
    problems: Problems

    def prepared(self, sample: Sample | tuple[Row, ...], node: Node, source: Any) -> Prepared | None:
        """The sample as its source finds it; None where it can't be, with the reason told.

        Args:
            sample: as read.
            node: its place.
            source: the pipeline's source, whose format, contract and dialect count.
        """
        given = sample if isinstance(sample, Sample) else Sample(rows=sample)
        if sum(item is not None for item in (given.rows, given.text, given.file)) != 1:
            self.problems.add(
                node.holder, "invalid-value", "a sample is one of rows, text and file", "give one of them"
            )
            return None
        form = str(getattr(source, "format", "json"))
        if given.file is not None:
            return self._file(given.file, node, form)
        if given.text is not None:
            return self._text(given.text, node, form)
        return self._rows(given, node, source, form)

    def _rows(self, given: Sample, node: Node, source: Any, form: str) -> Prepared | None:
        if form in _UNWRITTEN:
            hint = "give a file" if form == "excel" else "give text: as the supplier sends it, or a file"
            self.problems.add(node.holder, "invalid-value", f"rows don't say what {form} looks like", hint)
            return None
        rows = given.rows or ()
        self._near_misses(rows, source)
        if form in ("csv", "tsv"):
            return self._delimited(rows, given, node, source)
        if form == "json":
            return Prepared(format=form, text="".join(f"{_object(row)}\n" for row in rows))
        if form == "json_document":
            return Prepared(format=form, text=_document(rows, source.records))
        return self._typed(rows, given, node, source)

    def _file(self, name: str, node: Node, form: str) -> Prepared | None:
        path = (self.folder / name).resolve()
        at = _option(node, "file")
        if not path.is_relative_to(self.folder.resolve()):
            message = f"{shown(name)} leads out of the test file's folder"
            self.problems.add(at, "path-outside-roots", message, "put samples beside the test file")
        elif not path.exists():
            self.problems.add(at, "file-unreadable", f"there is no {path}", "check the path")
        else:
            return Prepared(format=form, file=str(path))
        return None

    def _text(self, text: str, node: Node, form: str) -> Prepared | None:
        if form in _TEXT:
            return Prepared(format=form, text=text)
        hint = "give a file" if form == "excel" else "give rows or a file"
        self.problems.add(_option(node, "text"), "invalid-value", f"a {form} source has no text", hint)
        return None

    def _near_misses(self, rows: Sequence[Row], source: Any) -> None:
        """A column that is nearly one of the contract is a slip of the pen, most likely; new columns are allowed."""
        contract = getattr(source, "columns", None) or {}
        for column, cell in {column: cell for row in rows for column, cell in row.items()}.items():
            near = near_miss(column, contract)
            if column not in contract and near is not None:
                message = f"column {shown(column)} isn't in the source's contract"
                self.problems.add(
                    _key(cell), "sample-column", message, did_you_mean(column, contract), severity="warning"
                )

    def _delimited(self, rows: Sequence[Row], given: Sample, node: Node, source: Any) -> Prepared | None:
        header = list(dict.fromkeys([*source.columns, *given.columns, *(column for row in rows for column in row)]))
        if not header:
            hint = "give `columns: {name: type}`, or `text:` with the header line alone"
            self.problems.add(node.holder, "missing-key", "nothing says which columns the file has", hint)
            return None
        null, separator = _null_text(source.null_values), "\t" if source.format == "tsv" else source.separator
        lines = [[self._cell(row.get(column), null) for column in header] for row in rows]
        special = (separator, source.quote, "\n", "\r")
        if not source.quote and any(mark in cell for line in lines for cell in line for mark in special if mark):
            self.problems.add(node, "invalid-value", "a value holds the separator, and the source has no quotes")
            return None
        text = "".join(_line(line, separator, source.quote) for line in [header, *lines])
        return Prepared(format=str(source.format), text=text)

    def _cell(self, node: Node | None, null: str) -> str:
        if node is None or described(node) == "nothing":
            return null
        if isinstance(node, ScalarNode):
            return node.text
        self.problems.add(node, "wrong-type", f"{described(node)} stands where a field of a CSV line is wanted")
        return ""

    def _typed(self, rows: Sequence[Row], given: Sample, node: Node, source: Any) -> Prepared | None:
        contract = {name: column.type for name, column in (getattr(source, "columns", None) or {}).items()}
        names = dict.fromkeys([*contract, *given.columns, *(column for row in rows for column in row)])
        types = {}
        for name in names:
            known = given.columns.get(name) or contract.get(name)
            types[name] = known or self._inferred(name, [row[name] for row in rows if name in row])
        if not types:
            hint = "give `columns: {name: type}`"
            self.problems.add(node.holder, "missing-key", "nothing says which columns the sample has", hint)
            return None
        return Prepared(format=str(source.format), columns=types, rows=tuple(_object(row) for row in rows))

    def _inferred(self, name: str, cells: Sequence[Node]) -> str:
        found = dict.fromkeys(kind for kind in map(_kind_of, cells) if kind is not None)
        if set(found) == {"bigint", "double"}:
            return "double"
        if len(found) > 1 or "" in found:
            message = f"the values of {shown(name)} don't say which type it has"
            self.problems.add(_key(cells[0]), "invalid-value", message, f"give `columns: {{{name}: string}}`")
        return next(iter(found), "string")


def _kind_of(node: Node) -> str | None:
    """The Spark type that a value looks like; None for null, empty where it could be anything."""
    if not isinstance(node, ScalarNode):
        return ""
    kind, value = scalars.resolved(node.text) if node.plain else ("text", node.text)
    if kind == "null":
        return None
    if kind == "unclear" and value == "a date":
        return "date" if len(node.text) == 10 else "timestamp"
    return _INFERRED.get(kind, "string")


def _key(cell: Node) -> Node:
    """The place of a cell's column name."""
    return cell.holder


def _option(node: Node, key: str) -> Node:
    return (node.get(key) if isinstance(node, MapNode) else None) or node


def _null_text(values: Sequence[str] | None) -> str:
    return "" if not values or "" in values else values[0]


def _line(cells: Sequence[str], separator: str, quote: str) -> str:
    return separator.join(_quoted(cell, separator, quote, alone=len(cells) == 1) for cell in cells) + "\n"


def _quoted(cell: str, separator: str, quote: str, *, alone: bool) -> str:
    """A field; a lonely empty one is quoted, or its line would be a blank one, which is no record."""
    wanted = any(mark in cell for mark in (separator, quote, "\n", "\r") if mark) or (alone and not cell)
    return f"{quote}{cell.replace(quote, quote * 2)}{quote}" if quote and wanted else cell


def _document(rows: Sequence[Row], records: str | None) -> str:
    """A document whose array of records stands behind the keys that lead to it."""
    text = "[" + ", ".join(map(_object, rows)) + "]"
    for key in reversed(records.split(".") if records else []):
        text = f"{{{json.dumps(key)}: {text}}}"
    return text


def _object(row: Row) -> str:
    return "{" + ", ".join(f"{json.dumps(column)}: {_json(cell)}" for column, cell in row.items()) + "}"


def _json(node: Node) -> str:
    """A value as JSON; numbers as they are written, dates as text."""
    if isinstance(node, MapNode):
        return _object({key: entry.value for key, entry in node.entries.items()})
    if isinstance(node, ListNode):
        return "[" + ", ".join(_json(item) for item in node.items) + "]"
    assert isinstance(node, ScalarNode)  # noqa: S101 - there are three kinds of nodes
    kind, value = scalars.resolved(node.text) if node.plain else ("text", node.text)
    if kind in ("int", "float") and _NUMBER.fullmatch(node.text):
        return node.text
    return json.dumps(node.text if kind == "unclear" else value, ensure_ascii=False)
