"""`distinct_count`: how many different values there are."""

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
class DistinctCount:
    """The number of different values of a column, exact, lies between the bounds; nulls are ignored."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "distinct_count: {column: customer, min: 2, max: 5000}"

    column: str = field(metadata={"column": True})
    """The column."""
    min: int | None = field(default=None, metadata={"ge": 0})
    """Smallest number of different values allowed."""
    max: int | None = field(default=None, metadata={"ge": 0})
    """Largest number of different values allowed."""
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
        return no_room(self, "number of values")

    def measure(self, rows: DataFrame, context: Context) -> tuple[Figure, ...]:
        """One figure."""
        require([self.column], rows.columns, f"{context.where}.column")
        return (Figure(column=self.column, judge=self._judge, tally=self._tally, shows_values=False),)

    def _tally(self, rows: DataFrame) -> DataFrame:
        """Counting groups needs less than a distinct count beside other aggregates, which would double every row."""
        return distinct(rows, self.column)

    def _judge(self, found: Mapping[str, Any]) -> Verdict:
        return judged(found.get("different") or 0, self, "the number of different values")
