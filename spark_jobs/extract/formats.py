"""What sets one format of files apart from another, known before anything is read: options, nulls, types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Name = Literal["csv", "tsv", "json", "json_document", "xml", "fixed", "text", "logs", "excel", "parquet", "orc", "avro"]
"""The formats of source `files`."""


@dataclass(frozen=True, kw_only=True)
class Format:
    """One format.

    Args:
        label: its name in a sentence.
        options: the options that it has and others don't.
        needs: those that it can't do without.
        nested: whether it can hold arrays, maps and structs.
        typed: whether its files carry types and nulls of their own.
        nulls: texts that mean null, where nothing else is said.
    """

    label: str
    options: frozenset[str] = frozenset()
    needs: tuple[str, ...] = ()
    nested: bool = False
    typed: bool = False
    nulls: tuple[str, ...] = ()


_EMPTY: Final = ("",)
FORMATS: Final[dict[Name, Format]] = {
    "csv": Format(label="CSV", options=frozenset({"separator", "quote", "multiline", "trailer"}), nulls=_EMPTY),
    "tsv": Format(label="TSV", options=frozenset({"quote", "multiline", "trailer"}), nulls=_EMPTY),
    "json": Format(label="JSON", options=frozenset({"trailer"}), nested=True),
    "json_document": Format(label="JSON", options=frozenset({"records"}), nested=True),
    "xml": Format(label="XML", options=frozenset({"row_tag"}), needs=("row_tag",), nested=True, nulls=_EMPTY),
    "fixed": Format(
        label="fixed width", options=frozenset({"fields", "short_lines", "trailer"}), needs=("fields",), nulls=_EMPTY
    ),
    "text": Format(label="text", options=frozenset({"trailer"})),
    "logs": Format(label="logs", options=frozenset({"pattern"}), needs=("pattern",)),
    "excel": Format(label="Excel", options=frozenset({"sheet", "header"}), nulls=_EMPTY),
    "parquet": Format(label="Parquet", options=frozenset({"merge_schema"}), nested=True, typed=True),
    "orc": Format(label="ORC", options=frozenset({"merge_schema"}), nested=True, typed=True),
    "avro": Format(label="Avro", options=frozenset({"merge_schema"}), nested=True, typed=True),
}


def formats_with(option: str) -> tuple[str, ...]:
    """The formats that have an option; empty where all do."""
    return tuple(name for name, one in FORMATS.items() if option in one.options)
