"""Spark's types in MariaDB and MySQL: what a new column is, what one that is there can keep, how values travel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from spark_jobs.load.databases.unheld import DAYS, MOMENTS, NOT_FINITE, Unheld, decimals, too_long, whole_numbers

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType

# Letter case, accents and spaces at the end count, as they do in Spark.
EXACT: Final = "CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
_SCALARS: Final = {
    "boolean": "BOOLEAN",
    "byte": "TINYINT",
    "short": "SMALLINT",
    "integer": "INT",
    "long": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "string": f"LONGTEXT {EXACT}",
    "char": f"LONGTEXT {EXACT}",
    "varchar": f"LONGTEXT {EXACT}",
    "void": f"LONGTEXT {EXACT}",
    "date": "DATE",
    "timestamp": "DATETIME(6)",
    "timestamp_ntz": "DATETIME(6)",
    "time": "TIME(6)",
    "binary": "LONGBLOB",
}
_KEYS: Final = {
    **dict.fromkeys(("string", "char", "varchar"), f"VARCHAR(255) {EXACT}"),
    "binary": "VARBINARY(255)",
}
_WHOLE: Final = {"byte", "short", "integer", "long"}
_WHOLE_KEPT: Final = {"tinyint", "smallint", "mediumint", "int", "bigint", "decimal"}
_KEPT: Final = {
    "boolean": {"tinyint", "smallint", "int", "bigint"},
    **dict.fromkeys(_WHOLE, _WHOLE_KEPT),
    "float": {"float", "double"},
    "double": {"double"},
    "date": {"date"},
    "binary": {"tinyblob", "blob", "mediumblob", "longblob", "varbinary"},
    "string": {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "uuid", "json", "inet6"},
}
_INSTANTS: Final = {"timestamp": {"datetime(6)", "timestamp(6)"}, "timestamp_ntz": {"datetime(6)"}, "time": {"time(6)"}}
_BYTES: Final = {
    **dict.fromkeys(("tinytext", "tinyblob"), (1 << 8) - 1),
    **dict.fromkeys(("text", "blob"), (1 << 16) - 1),
    **dict.fromkeys(("mediumtext", "mediumblob"), (1 << 24) - 1),
}
_ASTRAL: Final = Unheld(
    rule="not_in_charset",
    condition=r"{c} RLIKE '[\\x{10000}-\\x{10FFFF}]'",
    told="hold a character beyond U+FFFF in {n}, which utf8mb3 hasn't got",
    expected="characters that the column's character set has",
)
CASTS: Final = {
    "decimal": "DECIMAL(65,18)",
    "date": "DATE",
    "timestamp": "DATETIME(6)",
    "timestamp_ntz": "DATETIME(6)",
    "double": "DOUBLE",
}
"""Spark's type of a column's values -> what a text is cast to."""
_BY_NAME: Final = {
    **dict.fromkeys(("float", "double"), NOT_FINITE),
    "date": DAYS,
    **dict.fromkeys(("timestamp", "timestamp_ntz"), MOMENTS),
}
_TEXTS: Final = ("char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "json")


def kind_of(kind: DataType, *, key: bool) -> str | None:
    """The type of a new column; None where there is none."""
    name = kind.typeName()
    if name == "decimal":
        return f"DECIMAL({kind.precision},{kind.scale})"  # type: ignore[attr-defined]
    if name in {"array", "map", "struct", "variant"}:
        return f"LONGTEXT {EXACT}"
    return _KEYS.get(name, _SCALARS.get(name)) if key else _SCALARS.get(name)


def fits(kind: DataType, held: str) -> bool:
    """Whether a column of a type keeps every value of a Spark type as it is, or refuses it."""
    name, lowered = kind.typeName(), held.lower()
    word = re.match(r"[a-z0-9]+", lowered)
    plain = word[0] if word else ""
    if name == "void":
        return True
    if name in _INSTANTS:  # a precision below microseconds would be cut without a word
        return lowered in _INSTANTS[name]
    if name in {"array", "map", "struct", "variant"}:
        return plain in {"longtext", "json"}
    if name == "decimal" or plain == "decimal":
        scale = re.search(r"\((\d+),(\d+)\)", lowered)
        return plain == "decimal" and name in {"decimal", *_WHOLE} and _scale(kind) <= int(scale[2] if scale else 0)
    return plain in _KEPT.get("string" if name in {"char", "varchar"} else name, set())


def unheld(kind: DataType, held: str) -> Iterator[Unheld]:
    """Values of a Spark type that a column can't hold.

    Args:
        kind: Spark's.
        held: the column's, as `column_type` has it, with its collation.
    """
    name, lowered = kind.typeName(), held.lower()
    word = re.match(r"[a-z0-9]+", lowered)
    plain, signed = word[0] if word else "", " unsigned" not in lowered
    if name in _BY_NAME:
        yield _BY_NAME[name]
    elif plain == "decimal":
        yield from decimals(kind, lowered, signed=signed)
    elif plain in {"tinyint", "smallint", "mediumint", "int", "bigint"}:
        yield from whole_numbers(kind, plain, signed=signed)
    elif name in {"string", "char", "varchar", "binary"}:
        yield from _lengths(lowered, plain)
        if re.search(r"character set utf8(mb3)?\b", lowered):  # MariaDB 10.5 calls it utf8
            yield _ASTRAL


def _lengths(held: str, plain: str) -> Iterator[Unheld]:
    """Texts and bytes that are too long."""
    said = re.match(r"(?:var)?(char|binary)\((\d+)\)", held)
    if said:
        measure, unit = ("length", "characters") if said[1] == "char" else ("octet_length", "bytes")
        yield too_long(measure, int(said[2]), unit)
    elif plain in _BYTES and "character set" in held and "character set utf8" not in held:
        yield too_long("length", _BYTES[plain], "characters")  # a letter takes a byte at least
    elif plain in _BYTES:
        yield too_long("octet_length", _BYTES[plain], "bytes")


def is_text(held: str) -> bool:
    """Whether values of a type are compared by a collation."""
    return held.lower().startswith(_TEXTS)


def spark_kind(held: str) -> str:
    """The Spark type whose values a column holds, as DDL; `void` where there is none."""
    lowered = held.lower()
    word = re.match(r"[a-z0-9]+", lowered)
    plain = word[0] if word else ""
    if plain == "decimal":
        found = re.search(r"\((\d+),(\d+)\)", lowered)
        return f"decimal({min(int(found[1]), 38)},{min(int(found[2]), 38)})" if found else "void"
    if plain in _WHOLE_KEPT:
        return "decimal(20,0)"
    if plain in {*_TEXTS, "uuid"} - {"json"}:
        return "string"
    return {"date": "date", "datetime": "timestamp_ntz", "timestamp": "timestamp", "double": "double"}.get(
        plain, "void"
    )


def wire(column: Column, kind: DataType) -> Column:
    """A column as it travels: what Arrow casts to a text that the server reads."""
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    name = kind.typeName()
    if name in {"array", "map", "struct", "variant"}:
        return F.to_json(column, {"ignoreNullFields": "false"})
    if name == "boolean":
        return column.cast("tinyint")
    if name == "timestamp":  # the session is in UTC; without a zone the text has none
        return column.cast("timestamp_ntz")
    return column.cast("string") if name in {"time", "void", "char", "varchar"} else column


def _scale(kind: DataType) -> int:
    return int(getattr(kind, "scale", 0))
