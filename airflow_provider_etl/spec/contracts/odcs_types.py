"""Types of the Open Data Contract Standard as Spark's: the physical one where Spark or a database knows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from airflow_provider_etl.spec.contracts.contract import items_of
from airflow_provider_etl.spec.nodes import MapNode, Node, ScalarNode
from spark_jobs.columns import quote
from spark_jobs.outline import family, plain_type

KEYS: Final = frozenset({"logicalType", "physicalType", "items", "properties"})
_LOGICAL: Final = {
    "string": "string",
    "integer": "bigint",
    "number": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
# What databases call their types; the words that Spark knows are left as they are.
_PHYSICAL: Final = {
    "varchar": "string",
    "nvarchar": "string",
    "char": "string",
    "character": "string",
    "character varying": "string",
    "text": "string",
    "uuid": "string",
    "json": "string",
    "jsonb": "string",
    "int2": "smallint",
    "int4": "int",
    "int8": "bigint",
    "int32": "int",
    "int64": "bigint",
    "serial": "int",
    "bigserial": "bigint",
    "float4": "float",
    "float8": "double",
    "float64": "double",
    "double precision": "double",
    "bool": "boolean",
    "number": "decimal",
    "bytea": "binary",
    "blob": "binary",
    "bytes": "binary",
    "datetime": "timestamp",
    "timestamptz": "timestamp",
    "timestamp with time zone": "timestamp",
    "timestamp without time zone": "timestamp_ntz",
}
# Spark would take it for decimal(10,0), a database for any number of digits.
_BARE: Final = re.compile(r"\b(?:decimal|dec|numeric|number)\b(?!\s*\()", re.IGNORECASE)
_SIZED: Final = re.compile(r"\s*([a-z][a-z0-9_ ]*?)\s*(\([0-9, ]+\))?\s*", re.IGNORECASE)


def type_of(item: MapNode) -> tuple[str, Node, list[tuple[str, Node]]]:
    """(Spark's type, where it stands, fields that were passed over) of a property; an empty type where none is said."""
    physical, logical = item.get("physicalType"), item.get("logicalType")
    left: list[tuple[str, Node]] = []
    if isinstance(physical, ScalarNode):
        found = _physical(physical.text)
        if found is not None:
            return found, physical, left
        if isinstance(logical, ScalarNode) and logical.text not in ("object", "array"):
            left.append((f"physicalType {physical.text}", physical))
    if isinstance(logical, ScalarNode):
        made = _logical(item, logical.text, left)
        return made or logical.text, logical, left
    if isinstance(physical, ScalarNode) and not _BARE.search(physical.text):
        return physical.text, physical, left  # a type that nobody knows is told as one
    return "", item, left


def _physical(text: str) -> str | None:
    match = _SIZED.fullmatch(text)
    if _BARE.search(text):
        return None
    if match is None:
        return plain_type(text) if family(text) == "nested" else None
    word, size = " ".join(match[1].lower().split()), (match[2] or "").replace(" ", "")
    known = _PHYSICAL.get(word)
    if known is not None:
        return known + (size if known == "decimal" else "")
    plain = plain_type(word + size)
    whole = plain if family(plain) == "decimal" else plain_type(word)
    return whole if family(whole) not in (None, "void", "nested") else None


def _logical(item: MapNode, kind: str, left: list[tuple[str, Node]]) -> str | None:
    if kind == "object":
        fields = [f"{quote(name)}: {found}" for name, found in _fields(item, left)]
        return f"struct<{', '.join(fields)}>" if fields and not any(text.endswith(": ") for text in fields) else None
    if kind == "array":
        inner = item.get("items")
        found, _, more = type_of(inner) if isinstance(inner, MapNode) else ("", item, [])
        left.extend(more)
        return f"array<{found}>" if found else None
    return "string" if kind == "time" else _LOGICAL.get(kind)


def _fields(item: MapNode, left: list[tuple[str, Node]]) -> Iterator[tuple[str, str]]:
    for below in items_of(item.get("properties")):
        name = below.get("name") if isinstance(below, MapNode) else None
        if isinstance(below, MapNode) and isinstance(name, ScalarNode):
            found, _, more = type_of(below)
            left.extend(more)
            left.extend(
                (f"{key} of a nested field", entry.key) for key, entry in below.entries.items() if key not in _PLAIN
            )
            yield name.text, found


_PLAIN: Final = KEYS | {"name", "id", "description"}
