"""`completeness`: how many of the wanted values there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.evidence import shares
from spark_jobs.check.rule import Figure, Verdict, some
from spark_jobs.columns import column
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Completeness:
    """Of the values of all these columns together, so large a share is there.

    NaN is a value, and no rows lack nothing.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "completeness: {columns: [id, customer, amount], share: 0.99}"
    shorthand: ClassVar[str] = "columns"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """The columns that should have values."""
    share: float = field(default=0.99, metadata={"ge": 0, "le": 1})
    """Share of values, 0 to 1, that must be there."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.columns else {"columns": "no column is given"}

    def measure(self, rows: DataFrame, context: Context) -> tuple[Figure, ...]:
        """One figure."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        some(self.columns, rows, context.where)
        there = reduce(add, [F.count(column(name)) for name in self.columns])
        values = {"there": there, "total": F.count(F.lit(1))}
        return (
            Figure(
                column=", ".join(self.columns),
                judge=self._judge,
                values=values,
                shows_values=False,
                evidence=shares(self.columns),
            ),
        )

    def _judge(self, found: Mapping[str, Any]) -> Verdict:
        wanted = (found["total"] or 0) * len(self.columns)
        share = found["there"] / wanted if wanted else 1.0
        success = share >= self.share
        message = (
            f"{wanted - (found['there'] or 0)} of {wanted} values are missing; a share of {self.share:g} must be there"
        )
        return Verdict(success=success, observed=share, message="" if success else message)
