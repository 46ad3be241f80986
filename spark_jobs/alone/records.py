"""Whether records of rows behind their source are what it gives today: they are read back as they are, unasked."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pyspark.sql import Row
    from pyspark.sql.types import DataType

_SHOWN: Final = 3
_DAY: Final = r"\d{4}-\d\d-\d\d"
_TIME: Final = _DAY + r"T\d\d:\d\d:\d\d\.\d{6}"
_FORMS: Final = {
    "date": (re.compile(_DAY), "a date as records have them: 2013-01-31"),
    "timestamp": (re.compile(_TIME + r"(Z|[+-]\d\d:\d\d)"), "a time to the microsecond with its offset"),
    "timestamp_ntz": (re.compile(_TIME), "a time to the microsecond without an offset"),
}
"""How a type's values are written (refusal.py): of another type, or by an older release, they may mean another time."""


@dataclass(frozen=True, kw_only=True)
class Today:
    """What the source gives today.

    Args:
        types: its columns' types.
        required: those of them in which each row has a value.
        added: columns that steps may have added, in small letters.
    """

    types: Mapping[str, DataType]
    required: frozenset[str]
    added: frozenset[str]

    def unlike(self, found: Sequence[Row]) -> Iterator[str]:
        """What is in records that no row of the source would have today.

        Args:
            found: rows of the quarantine whose records are JSON.
        """
        for row in found:
            record = json.loads(row["raw"], parse_float=Decimal)
            for problem in (*self._strangers(record), *self._values(record)):
                yield f"a record of {row['dataset']} has {problem}"

    def _strangers(self, record: Mapping[str, Any]) -> Iterator[str]:
        """Columns are found by their very names."""
        if more := sorted(name for name in set(record) - set(self.types) if name.lower() not in self.added):
            yield f"{', '.join(more[:_SHOWN])}, which no source gives today"
        if less := sorted(set(self.types) - set(record)):
            yield f"no {', '.join(less[:_SHOWN])}, which the source gives today"

    def _values(self, record: Mapping[str, Any]) -> Iterator[str]:
        for name, kind in self.types.items():
            value = record.get(name)
            if value is None and name in self.required:
                yield f"nothing in {name}, which is required"
            problems = (_misfit(part, its) for part, its in _parts(value, kind))
            yield from (f"{problem} in {name}" for problem in problems if problem)


def _parts(value: Any, kind: DataType) -> Iterator[tuple[Any, DataType]]:
    """A value and all that stands within it, each with its type."""
    yield value, kind
    for item, its in _inner(value, kind):
        yield from _parts(item, its)


def _inner(value: Any, kind: DataType) -> list[tuple[Any, DataType]]:
    from pyspark.sql.types import ArrayType, MapType, StructType

    if isinstance(kind, StructType) and isinstance(value, dict):
        return [(value.get(item.name), item.dataType) for item in kind.fields]
    if isinstance(kind, MapType) and isinstance(value, dict):
        return [*((key, kind.keyType) for key in value), *((item, kind.valueType) for item in value.values())]
    if isinstance(kind, ArrayType) and isinstance(value, list):
        return [(item, kind.elementType) for item in value]
    return []


def _misfit(value: Any, kind: DataType) -> str:
    """What of a value would be read as another one than was written; empty where nothing would."""
    from pyspark.sql.types import DecimalType, StructType

    if isinstance(kind, StructType) and isinstance(value, dict) and set(value) != set(kind.names):
        return f"fields {', '.join(value)} instead of {', '.join(kind.names)}"
    if isinstance(kind, DecimalType) and _digits(value) > kind.scale:
        return f"{value}, which has more digits behind the point than {kind.simpleString()}"
    form, told = _FORMS.get(kind.simpleString(), (None, ""))
    if value is None or form is None or (isinstance(value, str) and form.fullmatch(value)):
        return ""
    return f"{value!r}, which isn't {told}: its type was another one, or an older release has kept it,"


def _digits(value: Any) -> int:
    """How many digits of a number stand behind the point, zeros at its end left out."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return 0  # no number: Spark refuses it
    exponent = number.normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0
