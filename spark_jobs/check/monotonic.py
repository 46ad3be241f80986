"""`monotonic`: values that only go up, or only down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.rule import Question
from spark_jobs.columns import column, require, spare
from spark_jobs.expressions import analysed
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.refusal import shown

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Monotonic:
    """Values only go up, or only down, in the order of another column.

    Rows without a value in one of the two columns are ignored, NaN fails; of rows of one place in the order, those come
    first that let the others pass. The two columns alone are sorted, by one task where there is no `by`.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "monotonic: {column: id, order_by: ordered_at, on_fail: warn}"

    column: str = field(metadata={"column": True})
    """The column."""
    order_by: str = field(metadata={"column": True})
    """The column that orders the rows."""
    by: tuple[str, ...] = field(default=(), metadata={"column": True})
    """Columns whose values have a sequence each, such as a meter's number."""
    direction: Literal["increasing", "decreasing"] = "increasing"
    """Where the values go."""
    strictly: bool = False
    """Whether a value that equals the one before it fails."""
    mostly: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Share of rows, 0 to 1, that must pass, else the check fails; default 1, and 0 with `on_fail: quarantine`."""
    on_fail: Literal["stop", "quarantine", "ask", "warn"] = "stop"
    """`stop` fails the run, `quarantine` sets the failing rows aside and loads the rest, `ask` lets a person decide,
    `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report and in the quarantine; default: the name of the kind."""

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        require(dict.fromkeys([self.column, self.order_by, *self.by]), rows.columns, context.where)
        flag = spare(rows.columns, context.where)
        counts = column(self.column).isNotNull() & column(self.order_by).isNotNull()
        question = Question(
            column=self.column,
            failing=column(flag),
            counted=counts,
            reason=F.concat(F.lit(f"{self.column}: "), shown(self.column), F.lit(f" is not {self._words()}")),
            says=f"are not {self._words()}",
            prepare=lambda given: self._flagged(given, flag, counts),
            tally=lambda given: self._tally(given, flag, counts),
        )
        analysed(lambda: self._flagged(rows, flag, counts), rows.columns, context.where)
        return (question,)

    def _tally(self, rows: DataFrame, flag: str, counts: Column) -> DataFrame:
        from pyspark.sql import functions as F  # noqa: N812

        asked = [column(name) for name in dict.fromkeys([self.column, self.order_by, *self.by])]
        flagged = self._flagged(rows.select(*asked).where(counts), flag, counts)
        return flagged.agg(F.count(F.lit(1)).alias("counted"), F.count_if(column(flag)).alias("failing"))

    def _flagged(self, rows: DataFrame, flag: str, counts: Column) -> DataFrame:
        from pyspark.sql import Window
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        value, up = column(self.column), self.direction == "increasing"
        is_float = isinstance(rows.schema[self.column].dataType, (T.FloatType, T.DoubleType))
        broken = F.isnan(value) if is_float else F.lit(False)
        order = Window.partitionBy(*[column(name) for name in self.by]).orderBy(
            column(self.order_by), value.asc() if up else value.desc()
        )
        before = F.last(F.when(counts & ~broken, value), ignorenulls=True).over(
            order.rowsBetween(Window.unboundedPreceding, -1)
        )
        turned = value < before if up else value > before
        fails = broken | turned | (value == before) if self.strictly else broken | turned
        return rows.withColumn(flag, F.coalesce(counts & fails, F.lit(False)))

    def _words(self) -> str:
        return f"{'strictly ' if self.strictly else ''}{self.direction} by {self.order_by}"
