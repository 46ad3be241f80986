"""`unique`: no two rows share a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.rule import Figure, Question, Verdict, counts, some
from spark_jobs.columns import column, spare
from spark_jobs.errors import ConfigError
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
    ignore_nulls: Literal["any", "all", "never"] = "any"
    """Which rows are ignored: those with a null in `any` of the columns, those where `all` are null, or none; a null
    equals another."""
    approximate: float | None = field(default=None, metadata={"ge": 0.002, "le": 0.2})
    """The relative standard error of an estimate that needs no shuffle, such as 0.01: different keys are counted by
    HyperLogLog. It fails only where the repeats can't be its error, three times this."""
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
        if not self.columns:
            return {"columns": "no column is given"}
        if len(set(self.columns)) < len(self.columns):
            return {"columns": "a column is named twice"}
        if self.approximate is not None and self.on_fail == "quarantine":
            return {"approximate": "an estimate names no row that could be set aside"}
        return {}

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question | Figure, ...]:
        """One question for all columns together; or a figure, where an estimate will do."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        some(self.columns, rows, context.where)
        if self.approximate is not None:
            return (self._estimate(rows, context, self.approximate),)
        label, flag = ", ".join(self.columns), spare(rows.columns, context.where)
        values = [F.concat(F.lit(f"{name}: "), shown(name)) for name in self.columns]
        question = Question(
            column=label,
            failing=column(flag),
            counted=counts(self.ignore_nulls, self.columns),
            reason=F.concat(F.concat_ws(", ", *values), F.lit(" is not unique")),
            says="are not unique",
            prepare=lambda given: self._flagged(given, flag),
            tally=self._tally,
            values=self.columns,
        )
        analysed(lambda: self._flagged(rows, flag), rows.columns, context.where)
        return (question,)

    def _counts(self) -> Column:
        from pyspark.sql import functions as F  # noqa: N812

        counted = counts(self.ignore_nulls, self.columns)
        return F.lit(True) if counted is None else counted

    def _estimate(self, rows: DataFrame, context: Context, error: float) -> Figure:
        from pyspark.sql import functions as F  # noqa: N812

        if self.on_fail == "quarantine":
            raise ConfigError("an estimate names no row that could be set aside", where=f"{context.where}.approximate")
        key = F.when(self._counts(), F.xxhash64(*[column(name) for name in self.columns]))
        analysed(lambda: rows.select(key), rows.columns, context.where)
        values = {"different": F.approx_count_distinct(key, error), "counted": F.count(key)}
        return Figure(
            column=", ".join(self.columns),
            judge=lambda found: self._judged(found, error),
            values=values,
            shows_values=False,
        )

    def _judged(self, found: Mapping[str, Any], error: float) -> Verdict:
        counted, wanted = found["counted"] or 0, 1.0 if self.mostly is None else self.mostly
        share = min(1.0, (found["different"] or 0) / counted) if counted else 1.0
        success = share >= wanted - 3 * error
        about = f"about {100 * share:.3g} % of {counted} keys are different (± {300 * error:g})"
        message = f"{about}, expected {100 * wanted:g} %"
        return Verdict(success=success, observed=share, message="" if success else message)

    def _flagged(self, rows: DataFrame, flag: str) -> DataFrame:
        from pyspark.sql import Window
        from pyspark.sql import functions as F  # noqa: N812

        times = F.count(F.lit(1)).over(Window.partitionBy(*[column(name) for name in self.columns]))
        return rows.withColumn(flag, self._counts() & (times > 1))

    def _tally(self, rows: DataFrame) -> DataFrame:
        """Counting groups needs no sort of the rows, unlike a window over them."""
        from pyspark.sql import functions as F  # noqa: N812

        times = spare(self.columns, "times")
        keys = [column(name) for name in self.columns]
        each = rows.where(self._counts()).groupBy(keys).agg(F.count(F.lit(1)).alias(times))
        repeated = F.when(F.col(times) > 1, F.col(times))
        return each.agg(F.sum(times).alias("counted"), F.sum(repeated).alias("failing"))
