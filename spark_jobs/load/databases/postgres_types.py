"""Spark's types in PostgreSQL: what a new column is, what a column that is there can keep, how values travel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from spark_jobs.load.databases.unheld import DAYS, MOMENTS, Unheld, decimals, too_long, whole_numbers

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType

_SCALARS: Final = {
    "boolean": "boolean",
    "byte": "smallint",
    "short": "smallint",
    "integer": "integer",
    "long": "bigint",
    "float": "real",
    "double": "double precision",
    "string": "text",
    "char": "text",
    "varchar": "text",
    "date": "date",
    "timestamp": "timestamp with time zone",
    "timestamp_ntz": "timestamp without time zone",
    "time": "time without time zone",
    "binary": "bytea",
    "void": "text",
}
_WHOLE: Final = ("byte", "short", "integer", "long")
# Whole numbers: the server refuses those that are too large.
_KEPT: Final = {
    "boolean": {"boolean"},
    **{name: {"smallint", "integer", "bigint", "numeric"} for name in _WHOLE},
    "float": {"real", "double precision"},
    "double": {"double precision"},
    "date": {"date"},
    "timestamp": {"timestamp with time zone"},
    "timestamp_ntz": {"timestamp without time zone"},
    "time": {"time without time zone"},
    "binary": {"bytea"},
}
# A text isn't cast on its way: these would take another value than the one that was sent, or silently another type.
_NO_TEXT: Final = re.compile(
    r"^(boolean|smallint|integer|bigint|numeric|real|double|money|date|time|interval|bytea|bit|oid|\"?char\"?$)"
)
_NUL: Final = Unheld(
    rule="nul_character",
    condition="contains({c}, '\\u0000')",
    told="hold a NUL character in {n}, which a text of PostgreSQL can't",
    expected="texts without \\u0000",
)
# The escape itself, and not a backslash that is escaped before the letters of one.
_ESCAPED: Final = r"to_json({c}) RLIKE '(?<!\\\\)(\\\\\\\\)*\\\\u0000'"
_READ: Final = {
    **{name: name for name in ("boolean", "smallint", "bigint", "date")},
    "real": "float",
    "integer": "int",
    "double precision": "double",
    "timestamp with time zone": "timestamp",
    "timestamp without time zone": "timestamp_ntz",
    "bytea": "binary",
}
_TIMES: Final = {"date": DAYS, "timestamp": MOMENTS, "timestamp_ntz": MOMENTS}
_UNORDERED: Final = ("json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle")
_TEXTS: Final = ("text", "character", "citext", "name")


def kind_of(kind: DataType) -> str | None:
    """The type of a new column; None where there is none."""
    name = kind.typeName()
    if name == "decimal":
        return f"numeric({kind.precision},{kind.scale})"  # type: ignore[attr-defined]
    if name == "array":
        inner = kind.elementType  # type: ignore[attr-defined]
        element = None if _nested(inner) else kind_of(inner)
        return "jsonb" if element is None else f"{element}[]"
    if _nested(kind):
        return "jsonb"
    return _SCALARS.get(name)


def fits(kind: DataType, held: str) -> bool:
    """Whether a column of a type keeps every value of a Spark type as it is, or refuses it.

    Args:
        kind: Spark's.
        held: the column's, as `format_type` writes it.
    """
    name, plain = kind.typeName(), re.sub(r"\(.*?\)| COLLATE .*", "", held)
    if name == "void":
        return True
    if _is_array(kind):
        return held.endswith("[]") and fits(kind.elementType, held.removesuffix("[]"))  # type: ignore[attr-defined]
    if _nested(kind):
        return plain in {"json", "jsonb", "text"}
    return not held.endswith("[]") and _scalar_fits(name, _scale(kind), plain, held)


def _scalar_fits(name: str, scale: int, plain: str, held: str) -> bool:
    if name in {"string", "char", "varchar"}:
        return not _NO_TEXT.match(held)
    if plain == "numeric":
        return name in {*_WHOLE, "decimal"} and scale <= _held_scale(held)
    # A precision below microseconds would be rounded without a word.
    return plain in _KEPT.get(name, set()) and "(" not in held.replace("(6)", "")


def spark_kind(held: str) -> str:
    """The Spark type whose values a column holds, as DDL; `void` where there is none."""
    plain = re.sub(r"\(.*?\)| COLLATE .*", "", held)
    if plain == "numeric":
        found = re.search(r"\((\d+),(-?\d+)\)", held)
        return f"decimal({found[1]},{found[2]})" if found and int(found[1]) <= 38 else "decimal(38,18)"
    if plain in {"text", "character varying", "character", "citext", "name", "uuid"}:
        return "string"
    return _READ.get(plain, "void")


def wire(column: Column, kind: DataType) -> Column:
    """A column in the form in which COPY is given it."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    name = kind.typeName()
    if _is_array(kind):
        return _array(column, kind.elementType)  # type: ignore[attr-defined]
    if _nested(kind):
        return F.to_json(column, {"ignoreNullFields": "false"})
    return column.cast("string") if name in {"time", "void", "char", "varchar"} else column


def unheld(kind: DataType, held: str) -> Iterator[Unheld]:
    """Values of a Spark type that a column can't hold.

    Args:
        kind: Spark's.
        held: the column's, as `format_type` writes it.
    """
    name, plain = kind.typeName(), re.sub(r"\(.*?\)| COLLATE .*", "", held)
    if _is_array(kind) and held.endswith("[]"):
        inner = unheld(kind.elementType, held.removesuffix("[]"))  # type: ignore[attr-defined]
        yield from (item.anywhere() for item in inner)
    elif _nested(kind):
        yield from [replace(_NUL, condition=_ESCAPED)] if plain == "jsonb" else []
    elif name in {"string", "char", "varchar"}:
        yield from _unheld_texts(held)
    elif plain == "numeric":
        yield from decimals(kind, held)
    elif plain in {"smallint", "integer", "bigint"}:
        yield from whole_numbers(kind, plain)
    elif name in _TIMES:
        yield _TIMES[name]


def _unheld_texts(held: str) -> Iterator[Unheld]:
    yield _NUL
    length = re.match(r"character(?: varying)?\((\d+)\)", held)
    if length:
        yield too_long("length", int(length[1]), "characters")


def has_order(held: str) -> bool:
    """Whether values of a type are ordered alike on every server without more ado."""
    return not held.startswith((*_UNORDERED, *_TEXTS)) and not held.endswith("[]")


def _array(column: Column, inner: DataType) -> Column:
    """An array's literal: every element quoted."""
    from pyspark.sql import functions as F  # noqa: N812

    def element(value: Column) -> Column:
        hexed = inner.typeName() == "binary"
        text = F.concat(F.lit("\\x"), F.hex(value)) if hexed else wire(value, inner).cast("string")
        escaped = F.replace(F.replace(text, F.lit("\\"), F.lit("\\\\")), F.lit('"'), F.lit('\\"'))
        return F.coalesce(F.concat(F.lit('"'), escaped, F.lit('"')), F.lit("NULL"))

    return F.concat(F.lit("{"), F.array_join(F.transform(column, element), ","), F.lit("}"))


def _is_array(kind: DataType) -> bool:
    """Whether it is an array here too, of values that hold no others."""
    return kind.typeName() == "array" and (kind_of(kind) or "").endswith("[]")


def _nested(kind: DataType) -> bool:
    return kind.typeName() in {"array", "map", "struct", "variant"}


def _scale(kind: DataType) -> int:
    return int(getattr(kind, "scale", 0))


def _held_scale(held: str) -> int:
    found = re.search(r"\((\d+),(-?\d+)\)", held)
    return int(found[2]) if found else 1 << 20
