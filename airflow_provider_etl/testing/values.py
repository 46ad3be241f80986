"""Whether a value is the one expected: the expectation is text, as it is written; the type is the column's."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from airflow_provider_etl.spec.schedule import local_instant
from spark_jobs.errors import ConfigError

_NOISE: Final = 1e-9
_FLOATS: Final = ("double", "float")
_WHOLE: Final = ("tinyint", "smallint", "int", "bigint", "decimal")


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How values are compared.

    Args:
        zone: IANA name in which expected timestamps without an offset are read.
        tolerance: how far a number may be away.
    """

    zone: str
    tolerance: float = 0.0

    def equal(self, wanted: Any, found: Any, kind: str) -> bool:
        """Whether a value is the one expected.

        Args:
            wanted: None, text, or lists and mappings of them.
            found: as JSON gives it, numbers with a point as Decimal.
            kind: the column's Spark SQL type.
        """
        if wanted is None or found is None:
            return wanted is None and found is None
        if isinstance(wanted, str):
            return self._scalar(wanted, found, kind.partition("(")[0])
        return self._nested(wanted, found)

    def _scalar(self, wanted: str, found: Any, kind: str) -> bool:
        if kind in _FLOATS:
            return self._near(wanted, found, noise=_NOISE if kind == "double" else 1e-6)
        if kind in _WHOLE:
            return self._near(wanted, found, noise=0.0)
        if kind == "boolean":
            return isinstance(found, bool) and wanted == str(found).lower()
        if kind == "timestamp":
            return self._instant(wanted, str(found))
        if kind in ("timestamp_ntz", "date"):
            return _moment(wanted, kind) == _moment(str(found), kind)
        return self._nested(wanted, found) if not isinstance(found, str) else wanted == found

    def _near(self, wanted: str, found: Any, *, noise: float) -> bool:
        one, two = _number(wanted), _number(str(found))
        if one is None or two is None:
            return False
        if one.is_nan() or two.is_nan() or one.is_infinite() or two.is_infinite():
            return str(one) == str(two)
        if one == two or abs(one - two) <= Decimal(str(self.tolerance)):
            return True
        return noise > 0 and math.isclose(float(one), float(two), rel_tol=noise)

    def _instant(self, wanted: str, found: str) -> bool:
        try:
            given = datetime.fromisoformat(wanted) if len(wanted) > 10 else date.fromisoformat(wanted)
            return local_instant(given, self.zone) == datetime.fromisoformat(found)
        except (ValueError, ConfigError):
            return False

    def _nested(self, wanted: Any, found: Any) -> bool:
        if isinstance(wanted, Mapping):
            same = isinstance(found, Mapping) and set(wanted) <= set(found)
            return same and all(self._nested(item, found[key]) for key, item in wanted.items())
        if isinstance(wanted, list):
            same = isinstance(found, list) and len(wanted) == len(found)
            return same and all(self._nested(one, two) for one, two in zip(wanted, found, strict=True))
        if wanted is None or found is None or isinstance(found, (Mapping, list)):
            return wanted is None and found is None
        if isinstance(found, bool):
            return bool(wanted == str(found).lower())
        return self._near(wanted, found, noise=_NOISE) if isinstance(found, (int, Decimal)) else bool(wanted == found)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _moment(text: str, kind: str) -> date | datetime | str:
    """A date or a wall-clock time; the text where it is none, so that it equals nothing else."""
    try:
        return date.fromisoformat(text) if kind == "date" else datetime.fromisoformat(text)
    except ValueError:
        return text


def shown(value: Any) -> str:
    """A value for people, on one line; instants without a fraction that is zero."""
    if value is None:
        return "null"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(shown(item) for item in value) + "]"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    text = text.replace(".000000Z", "Z").removesuffix(".000000")
    plain = text.isprintable() and text == text.strip() and text not in ("", "null")
    return text if plain else repr(text)
