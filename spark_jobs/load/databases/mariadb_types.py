"""Spark's types in MariaDB and MySQL: what a new column is, what one that is there can keep, how values travel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

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


def is_text(held: str) -> bool:
    """Whether values of a type are compared by a collation."""
    return held.lower().startswith(_TEXTS)


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
