"""`null_share`: how many values are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import judged, no_room
from spark_jobs.check.evidence import shares
from spark_jobs.check.rule import Figure, Verdict
from spark_jobs.columns import column, require
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class NullShare:
    """The share of rows without a value in a column lies between the bounds; of no rows all have none."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "null_share: {column: amount, max: 0.05}"

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
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        require([self.column], rows.columns, f"{context.where}.column")
        nulls, total = F.count_if(column(self.column).isNull()), F.count(F.lit(1))
        values = {"nulls": nulls, "total": total}
        return (
            Figure(
                column=self.column,
                judge=self._judge,
                values=values,
                shows_values=False,
                evidence=shares([self.column]),
            ),
        )

    def _judge(self, found: Mapping[str, Any]) -> Verdict:
        total = found["total"] or 0
        return judged(found["nulls"] / total if total else 1.0, self, "the share of nulls")
