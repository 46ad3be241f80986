"""`unique`: no two rows share a key."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.rule import Question, some
from spark_jobs.columns import column, spare
from spark_jobs.expressions import analysed
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.refusal import shown

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Unique:
    """No two rows of the window have the same values in the columns together; rows with a null in one are ignored."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "unique: [id]"
    shorthand: ClassVar[str] = "columns"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """The columns that are unique together; every row of a repeated key fails."""
    mostly: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Share of rows, 0 to 1, that must pass, else the check fails; default 1, and 0 with `on_fail: quarantine`."""
    on_fail: Literal["stop", "quarantine", "warn"] = "stop"
    """`stop` fails the run, `quarantine` sets the failing rows aside and loads the rest, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report and in the quarantine; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.columns else {"columns": "no column is given"}

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question for all columns together."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        some(self.columns, rows, context.where)
        label, flag = ", ".join(self.columns), spare(rows.columns, context.where)
        values = [F.concat(F.lit(f"{name}: "), shown(name)) for name in self.columns]
        question = Question(
            column=label,
            failing=column(flag),
            counted=self._complete(),
            reason=F.concat(F.concat_ws(", ", *values), F.lit(" is not unique")),
            says="are not unique",
            prepare=lambda given: self._flagged(given, flag),
            tally=self._tally,
        )
        analysed(lambda: self._flagged(rows, flag), rows.columns, context.where)
        return (question,)

    def _complete(self) -> Column:
        return reduce(and_, [column(name).isNotNull() for name in self.columns])

    def _flagged(self, rows: DataFrame, flag: str) -> DataFrame:
        from pyspark.sql import Window
        from pyspark.sql import functions as F  # noqa: N812

        times = F.count(F.lit(1)).over(Window.partitionBy(*[column(name) for name in self.columns]))
        return rows.withColumn(flag, self._complete() & (times > 1))

    def _tally(self, rows: DataFrame) -> DataFrame:
        """Counting groups needs no sort of the rows, unlike a window over them."""
        from pyspark.sql import functions as F  # noqa: N812

        times = (
            rows.where(self._complete())
            .groupBy([column(name) for name in self.columns])
            .agg(F.count(F.lit(1)).alias("times"))
        )
        repeated = F.when(F.col("times") > 1, F.col("times"))
        return times.agg(F.sum("times").alias("counted"), F.sum(repeated).alias("failing"))
