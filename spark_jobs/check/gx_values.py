"""Values that Great Expectations writes otherwise: types by PySpark's classes, dates by strftime's patterns."""

from __future__ import annotations

import re
from typing import Any, Final

CLASSES: Final = {
    "ByteType": "tinyint",
    "ShortType": "smallint",
    "IntegerType": "int",
    "LongType": "bigint",
    "DecimalType": "decimal",
    "FloatType": "float",
    "DoubleType": "double",
    "StringType": "string",
    "VarcharType": "varchar",
    "CharType": "char",
    "BooleanType": "boolean",
    "DateType": "date",
    "TimestampType": "timestamp",
    "TimestampNTZType": "timestamp_ntz",
    "BinaryType": "binary",
    "ArrayType": "array",
    "MapType": "map",
    "StructType": "struct",
    "VariantType": "variant",
}
_FAMILIES: Final = {
    "IntegralType": ("tinyint", "smallint", "int", "bigint"),
    "FractionalType": ("float", "double", "decimal"),
    "NumericType": ("tinyint", "smallint", "int", "bigint", "float", "double", "decimal"),
}
_NARROW: Final = {"d": "dd", "m": "MM", "H": "HH", "I": "hh", "M": "mm", "S": "ss", "j": "DDD"}
_WIDE: Final = {"d": "d", "m": "M", "H": "H", "I": "h", "M": "m", "S": "s", "j": "D"}
_SAME: Final = {"Y": "yyyy", "y": "yy", "b": "MMM", "B": "MMMM", "p": "a", "f": "SSSSSS"}
_WHOLE: Final = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M"}
_BACK: Final = {pattern: letter for known in (_NARROW, _WIDE, _SAME) for letter, pattern in known.items()}
_PATTERN: Final = re.compile(r"'((?:[^']|'')*)'|(([A-Za-z])\3*)|(.)", re.DOTALL)
_PLAIN: Final = re.compile(r"[ .,:;/_-]+")  # means nothing in a pattern
_LETTER: Final = re.compile(r"%(.)", re.DOTALL)
_PART: Final = re.compile(r"%(.)|([^%]+)", re.DOTALL)


def spark_type(name: Any) -> tuple[str, ...]:
    """The Spark SQL types of a class of `pyspark.sql.types`.

    Raises:
        ValueError: there is no such class of a column's type.
    """
    if isinstance(name, str) and name in _FAMILIES:
        return _FAMILIES[name]
    if not isinstance(name, str) or name not in CLASSES:
        raise ValueError(f"{name!r} is no type of PySpark, such as IntegerType or StringType")
    return (CLASSES[name],)


def spark_class(kind: str) -> str:
    """The class of `pyspark.sql.types` for a Spark SQL type; the type itself where there is none."""
    word = re.split(r"[(<]", kind)[0]
    return next((name for name, text in CLASSES.items() if text == word), kind)


def strftime(text: Any) -> str:
    """Spark's pattern for one of strftime's: numbers of one digit or two, unless another number stands beside them.

    Raises:
        ValueError: it has a part that Spark has no equal of.
    """
    whole = _LETTER.sub(lambda found: _WHOLE.get(found[1], found[0]), str(text))
    if _LETTER.sub("", whole).endswith("%"):
        raise ValueError(f"{text!r} has a % at the end that stands for nothing: write %%")
    parts = list(_PART.finditer(whole))
    return "".join(_piece(place, parts) for place in range(len(parts)))


def _piece(place: int, parts: list[re.Match[str]]) -> str:
    letter, literal = parts[place][1], parts[place][2]
    if literal is not None:
        quoted = literal.replace("'", "''")
        return literal if _PLAIN.fullmatch(literal) else f"'{quoted}'"
    if letter == "%":
        return "%"
    beside = [parts[other][1] for other in (place - 1, place + 1) if 0 <= other < len(parts)]
    known = _SAME | (_NARROW if any(item and item != "%" for item in beside) else _WIDE)
    if letter not in known:
        raise ValueError(f"%{letter} has no equal here: write a pattern of Spark (`parseable_date`)")
    return known[letter]


def strftime_of(pattern: str) -> str | None:
    """The strftime pattern for one of Spark's; None where there is none."""
    found = ""
    for quoted, run, _, other in _PATTERN.findall(pattern):
        if run and run not in _BACK:
            return None
        text = quoted.replace("''", "'") if quoted else other
        found += f"%{_BACK[run]}" if run else text.replace("%", "%%")
    return found
