"""Spark's types in a database that only its JDBC driver describes: numbers of java.sql.Types, and what they keep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.load.databases.base import Column
from spark_jobs.load.databases.unheld import DAYS, MOMENTS, NOT_FINITE, Unheld, decimals, too_long, whole_numbers

if TYPE_CHECKING:
    from pyspark.sql.types import DataType

BIT, TINYINT, SMALLINT, INTEGER, BIGINT, REAL, FLOAT, DOUBLE = -7, -6, 5, 4, -5, 7, 6, 8
NUMERIC, DECIMAL, BOOLEAN, DATE, TIMESTAMP = 2, 3, 16, 91, 93
VARCHAR, NVARCHAR, LONGVARCHAR, LONGNVARCHAR, CLOB, NCLOB = 12, -9, -1, -16, 2005, 2011
VARBINARY, LONGVARBINARY, BLOB = -3, -4, 2004

MICROSECONDS: Final = 6
"""Digits behind the second that a moment of Spark has."""
LONGEST: Final = 4000
"""Characters of a new text, where the database allows as many: most of them do, and can compare and index it."""
_KEY: Final = 255
_DIGITS: Final = {"boolean": 1, "byte": 3, "short": 5, "integer": 10, "long": 19}
_EXACT: Final = (DECIMAL, NUMERIC)
_LIMITED: Final = (NVARCHAR, VARCHAR)
_TEXTS: Final = (*_LIMITED, CLOB, NCLOB, LONGVARCHAR, LONGNVARCHAR)  # CHAR would fill them with blanks
MARKED: Final = frozenset({*_LIMITED, LONGVARCHAR, LONGNVARCHAR, VARBINARY, LONGVARBINARY})
"""Types whose nulls travel as marks: Spark's writer sends them as null CLOBs or BLOBs, which Derby refuses."""
_WORDS: Final = {TINYINT: "tinyint", SMALLINT: "smallint", INTEGER: "int", BIGINT: "bigint"}
_ZONED: Final = re.compile(r"(?<!without time )zone|(?<!n)tz", re.IGNORECASE)
# Spark's type -> those that keep its values or refuse them, in the order in which a new column takes one.
_KEPT: Final = {
    "boolean": (BOOLEAN, BIT, SMALLINT, *_EXACT),
    "byte": (SMALLINT, INTEGER, BIGINT, *_EXACT, TINYINT),
    "short": (SMALLINT, INTEGER, BIGINT, *_EXACT, TINYINT),
    "integer": (INTEGER, BIGINT, *_EXACT, SMALLINT, TINYINT),
    "long": (BIGINT, *_EXACT, INTEGER, SMALLINT, TINYINT),
    "float": (REAL, DOUBLE, FLOAT),
    "double": (DOUBLE, FLOAT),
    "decimal": _EXACT,
    **dict.fromkeys(("string", "char", "varchar", "void"), _TEXTS),
    "date": (DATE,),
    "timestamp": (TIMESTAMP,),
    "timestamp_ntz": (TIMESTAMP,),
    "binary": (BLOB, VARBINARY, LONGVARBINARY),
}
_BEYOND: Final = {
    **dict.fromkeys(("float", "double"), NOT_FINITE),
    "date": DAYS,
    **dict.fromkeys(("timestamp", "timestamp_ntz"), MOMENTS),
}


@dataclass(frozen=True, kw_only=True)
class Described(Column):
    """A column as the driver describes it.

    Args:
        code: of java.sql.Types.
        size: characters, bytes or digits; 0 where it isn't said.
        scale: digits behind the point, or behind the second.
    """

    code: int
    size: int = 0
    scale: int = 0


@dataclass(frozen=True, kw_only=True)
class Type:
    """A type that a database has.

    Args:
        name: as DDL says it.
        size: the most characters, bytes or digits of a value.
        scale: the most digits behind the second or the point.
    """

    name: str
    size: int
    scale: int

    def of(self, *sizes: int) -> str:
        """With sizes, as DDL says it: some names have a place for them, `VARCHAR () FOR BIT DATA`."""
        told = f"({','.join(map(str, sizes))})"
        return self.name.replace("()", told) if "()" in self.name else f"{self.name}{told}"


Types = Mapping[int, Type]


def zoned(name: str) -> bool:
    """Whether a type's name says that its moments have a zone: drivers list some under the number of those without."""
    return bool(_ZONED.search(name))


def text(types: Types) -> Type:
    """The type of short texts; the one of national letters where there is one, since the other may have fewer."""
    return next(types[code] for code in _LIMITED if code in types)


def new_column(name: str, kind: DataType, types: Types, *, key: bool) -> Described | None:
    """A new column for a Spark type; None where the database has no type for it."""
    word = kind.typeName()
    code = next((code for code in _KEPT.get(word, ()) if code in types), None)
    if code is None or (key and word == "binary"):
        return None
    held = types[code]
    exact = next((item for item in _EXACT if item in types and types[item].name == held.name), None)
    if exact is not None:  # some databases have one type for all numbers, and list it under every number's code
        return _exact(name, kind, exact, held.name, types[exact].size)
    if code in {*_LIMITED, VARBINARY}:
        size = min(held.size or LONGEST, _KEY if key else LONGEST)
        return Described(name=name, kind=held.of(size), code=code, size=size)
    return Described(name=name, kind=held.name, code=code, size=held.size, scale=MICROSECONDS)


def _exact(name: str, kind: DataType, code: int, type_name: str, most: int) -> Described | None:
    digits, scale = getattr(kind, "precision", _DIGITS.get(kind.typeName(), 0)), getattr(kind, "scale", 0)
    if not digits or digits > (most or digits):  # of a float nobody knows; nor how many there may be, where 0 is said
        return None
    made = Type(name=type_name, size=most, scale=scale)
    return Described(name=name, kind=made.of(digits, scale), code=code, size=digits, scale=scale)


def described(column: Column) -> Described:
    """A column of a table, or a new one; our own of staging tables, which nobody describes, are whole numbers."""
    return column if isinstance(column, Described) else Described(name=column.name, kind=column.kind, code=BIGINT)


def fits(kind: DataType, held: Described) -> bool:
    """Whether a column keeps every value of a Spark type as it is, or refuses it."""
    name = kind.typeName()
    if held.code not in _KEPT.get(name, ()):
        return False
    if held.code == TIMESTAMP:  # a precision below microseconds would be cut without a word
        return held.scale >= MICROSECONDS and not zoned(held.kind)
    if held.code == FLOAT:  # 15 digits or 53 bits; a real has 7 or 24
        return held.size == 15 or held.size >= 53
    return held.code not in _EXACT or int(getattr(kind, "scale", 0)) <= held.scale


def unheld(kind: DataType, held: Described) -> Iterator[Unheld]:
    """Values of a Spark type that a column can't hold."""
    name = kind.typeName()
    if name in _BEYOND:
        yield _BEYOND[name]
    elif held.code in _EXACT:
        yield from decimals(kind, f"({held.size},{held.scale})" if held.size else "")
    elif held.code in _WORDS and name != "boolean":
        yield from whole_numbers(kind, _WORDS[held.code])
    elif held.code in _LIMITED and held.size:  # Java's letters, as most drivers count: beyond U+FFFF there are two
        yield too_long("0.5 * octet_length", held.size, "characters").over("encode({c}, 'UTF-16BE')")
    elif held.code == VARBINARY and held.size:
        yield too_long("octet_length", held.size, "bytes")
