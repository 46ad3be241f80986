"""`sum_of_columns`: what the columns of a row add up to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import number_only
from spark_jobs.check.rule import Question, counts, required_number, some
from spark_jobs.columns import column
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class SumOfColumns:
    """In every row the columns add up to one number; a null adds nothing."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "sum_of_columns: {columns: [id, amount], equals: 100, tolerance: 0.01, on_fail: warn}"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """The columns."""
    equals: int | float
    """What they add up to."""
    tolerance: int | float = field(default=0, metadata={"ge": 0})
    """How far off the sum may be; sums of doubles are seldom exact."""
    ignore_nulls: Literal["any", "all", "never"] = "all"
    """Which rows are ignored: those with a null in `any` of the columns, those where `all` are null, or none."""
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
        return {} if len(self.columns) > 1 else {"columns": "a sum needs two columns at least"}

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that hold no numbers."""
        for name in self.columns:
            yield from number_only(name, rows, "columns")

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        some(self.columns, rows, context.where)
        for name in self.columns:
            required_number(name, rows, context.where)
        total = reduce(add, [self._part(name, rows) for name in self.columns])
        counted, wanted = counts(self.ignore_nulls, self.columns), self._wanted(rows)
        off = F.abs(total - wanted) > F.lit(self.tolerance) if self.tolerance else total != wanted
        bad = F.coalesce(off | F.isnan(total.cast("double")), F.lit(False))
        says = f"add up to {self.equals}" + (f" ± {self.tolerance}" if self.tolerance else "")
        return (
            Question(
                column=", ".join(self.columns),
                failing=bad if counted is None else bad & counted,
                counted=counted,
                reason=F.concat(
                    F.lit(f"{', '.join(self.columns)} are "), total.cast("string"), F.lit(f", don't {says}")
                ),
                says=f"don't {says}",
                values=self.columns,
            ),
        )

    def _part(self, name: str, rows: DataFrame) -> Column:
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        whole = isinstance(rows.schema[name].dataType, T.IntegralType)
        return F.coalesce(column(name).cast("decimal(20,0)") if whole else column(name), F.lit(0))

    def _wanted(self, rows: DataFrame) -> Column:
        from pyspark.sql import functions as F  # noqa: N812
        from pyspark.sql import types as T  # noqa: N812

        kinds = [rows.schema[name].dataType for name in self.columns]
        floats = any(isinstance(kind, (T.FloatType, T.DoubleType)) for kind in kinds)
        return F.lit(float(self.equals)) if floats else F.lit(Decimal(str(self.equals)))
