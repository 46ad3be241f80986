"""The schema of an Avro file, out of its header (Avro 1.11, object container files); the rows aren't read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any, Final

from airflow_provider_etl.contracts.seen import Seen
from spark_jobs.columns import quote

_MAGIC: Final = b"Obj\x01"
_LARGEST: Final = 16 << 20  # bytes of a part of the header: a schema
_PLAIN: Final = {
    "int": "int",
    "long": "bigint",
    "float": "float",
    "double": "double",
    "boolean": "boolean",
    "string": "string",
    "bytes": "binary",
    "fixed": "binary",
    "enum": "string",
    "null": "void",
}
_LOGICAL: Final = {
    "date": "date",
    "timestamp-millis": "timestamp",
    "timestamp-micros": "timestamp",
    "local-timestamp-millis": "timestamp_ntz",
    "local-timestamp-micros": "timestamp_ntz",
    "uuid": "string",
}


def schema_of(path: Path) -> dict[str, Seen]:
    """Column -> what the file's schema says of it.

    Raises:
        ValueError: the file isn't Avro, or holds no records.
    """
    with path.open("rb") as file:
        if file.read(4) != _MAGIC:
            raise ValueError("it doesn't begin as Avro does")
        header = _header(file)
    schema = json.loads(header.get("avro.schema", b"null"))
    if not isinstance(schema, dict) or schema.get("type") != "record":
        raise ValueError("its schema is no record")
    named = {str(schema.get("name")): ""}
    try:
        return {field["name"]: _seen(field["type"], named) for field in schema["fields"]}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"its schema isn't one of Avro: {error!r}") from error


def _header(file: IO[bytes]) -> dict[str, bytes]:
    """The header's map: blocks of keys and values, ended by an empty one."""
    found = {}
    while count := _long(file):
        if count < 0:  # the block's size in bytes follows
            count, _ = -count, _long(file)
        for _ in range(count):
            key = _bytes(file).decode()
            found[key] = _bytes(file)
    return found


def _bytes(file: IO[bytes]) -> bytes:
    size = _long(file)
    if not 0 <= size <= _LARGEST:
        raise ValueError(f"its header has a part of {size} bytes")
    found = file.read(size)
    if len(found) < size:
        raise ValueError("its header ends too early")
    return found


def _long(file: IO[bytes]) -> int:
    """A number in zig-zag coding, seven bits a byte."""
    number = shift = 0
    while True:
        byte = file.read(1)
        if not byte or shift > 63:
            raise ValueError("its header ends too early")
        number |= (byte[0] & 0x7F) << shift
        shift += 7
        if not byte[0] & 0x80:
            return (number >> 1) ^ -(number & 1)


def _seen(kind: Any, named: dict[str, str]) -> Seen:
    members = kind if isinstance(kind, list) else [kind]
    rest = [item for item in members if item != "null"]
    symbols = rest[0].get("symbols", ()) if len(rest) == 1 and isinstance(rest[0], dict) else ()
    return Seen(fixed=_type(kind, named), required=len(rest) == len(members), symbols=tuple(map(str, symbols)))


def _type(kind: Any, named: dict[str, str]) -> str:
    """Spark's type.

    Args:
        kind: a name, a union, or a mapping.
        named: the types so far that have a name; an empty one is still being read.
    """
    if isinstance(kind, list):
        rest = [item for item in kind if item != "null"]
        return _type(rest[0], named) if len(rest) == 1 else "string"
    if isinstance(kind, str):
        if named.get(kind) == "":
            raise ValueError(f"its type {kind!r} holds itself, which Spark can't read")
        return named.get(kind) or _PLAIN.get(kind, "string")
    name = str(kind.get("name"))
    named[name] = ""
    named[name] = _mapped(kind, named)
    return named[name]


def _mapped(kind: dict[str, Any], named: dict[str, str]) -> str:
    logical = kind.get("logicalType")
    if logical == "decimal":
        return f"decimal({int(kind['precision'])},{int(kind.get('scale', 0))})"
    if logical in _LOGICAL:
        return _LOGICAL[logical]
    if kind["type"] == "record":
        fields = (f"{quote(field['name'])}: {_type(field['type'], named)}" for field in kind["fields"])
        return f"struct<{', '.join(fields)}>"
    if kind["type"] == "array":
        return f"array<{_type(kind['items'], named)}>"
    return f"map<string, {_type(kind['values'], named)}>" if kind["type"] == "map" else _type(kind["type"], named)
