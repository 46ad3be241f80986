"""`not_null`: every row has a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.evidence import nulls
from spark_jobs.check.rule import Question, some
from spark_jobs.columns import column
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class NotNull:
    """Every row has a value in each of the columns; NaN is a value."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "not_null: [id, amount]"
    shorthand: ClassVar[str] = "columns"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """The columns, each checked by itself."""
    mostly: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Share of rows, 0 to 1, that must pass, else the check fails; default 1, and 0 with `on_fail: quarantine`."""
    on_fail: Literal["stop", "quarantine", "ask", "warn"] = "stop"
    """`stop` fails the run, `quarantine` sets the failing rows aside and loads the rest, `ask` lets a person decide,
    `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report and in the quarantine; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.columns else {"columns": "no column is given"}

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question for each column."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        some(self.columns, rows, context.where)
        return tuple(
            Question(
                column=name,
                failing=column(name).isNull(),
                counted=None,
                reason=F.lit(f"{name} is null"),
                says="are null",
                evidence=nulls(name),
            )
            for name in self.columns
        )
