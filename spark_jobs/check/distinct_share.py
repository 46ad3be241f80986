"""`distinct_share`: how many of the values are different."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import distinct, judged, no_room
from spark_jobs.check.rule import Figure, Verdict
from spark_jobs.columns import require
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class DistinctShare:
    """The number of a column's different values, exact, by the number of its values lies between the bounds.

    Nulls are ignored; the share of no values is 0.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "distinct_share: {column: id, min: 0.9}"

    column: str = field(metadata={"column": True})
    """The column."""
    min: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Smallest share, 0 to 1, allowed."""
    max: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Largest share, 0 to 1, allowed."""
    strict_min: bool = False
    """Whether `min` itself is out of range."""
    strict_max: bool = False
    """Whether `max` itself is out of range."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        return no_room(self, "share")

    def measure(self, rows: DataFrame, context: Context) -> tuple[Figure, ...]:
        """One figure."""
        require([self.column], rows.columns, f"{context.where}.column")
        return (Figure(column=self.column, judge=self._judge, tally=self._tally, shows_values=False),)

    def _tally(self, rows: DataFrame) -> DataFrame:
        """Counting groups needs less than a distinct count beside other aggregates, which would double every row."""
        return distinct(rows, self.column)

    def _judge(self, found: Mapping[str, Any]) -> Verdict:
        values = found.get("counted") or 0
        return judged((found.get("different") or 0) / values if values else 0.0, self, "the share of different values")
