"""Any other database: standard SQL, and the types that every driver gives unchanged."""

from __future__ import annotations

import re
from typing import Final

from spark_jobs.jdbc.dialect import Dialect, Found, Nature, doubled, wall

_PLAIN: Final = frozenset({"tinyint", "smallint", "int", "bigint", "float", "double", "string", "boolean", "binary"})
_DECIMAL: Final = re.compile(r"decimal\((\d+),-?\d+\)")


def _nature(found: Found) -> Nature | None:
    if found.spark in _PLAIN:
        return Nature(kind=found.spark)
    match = _DECIMAL.fullmatch(found.spark)
    if match and int(match[1]) < 38:
        return Nature(kind=found.spark)
    if found.spark in ("date", "timestamp_ntz") or match:
        # By its text, which Spark reads exactly or not at all.
        return Nature(kind=found.spark, value="CAST({c} AS VARCHAR(100))", wire="text")
    return None


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _session(limit: int) -> dict[str, str]:
    """What every driver knows; that nothing is written is a matter of the user's rights there."""
    return {"queryTimeout": str(-(-limit // 1000))}


OTHER: Final = Dialect(
    name="other",
    quote=doubled('"'),
    text=_text,
    instant=wall,
    wall=wall,
    nature=_nature,
    session=_session,
)
