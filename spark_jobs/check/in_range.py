"""`in_range`: values between two bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import no_room, words
from spark_jobs.check.evidence import present, within
from spark_jobs.check.literal import literal, misfit
from spark_jobs.check.rule import Question, choice, chosen
from spark_jobs.columns import column
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.refusal import shown

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType


@dataclass(frozen=True, kw_only=True)
class InRange:
    """Every value lies between the bounds; nulls are ignored, NaN fails."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "in_range: {column: amount, min: 0, max: 100000, mostly: 0.99}"

    column: str | None = field(default=None, metadata={"column": True})
    """The column, where it is one."""
    columns: tuple[str, ...] = field(default=(), metadata={"column": True})
    """The columns, each checked by itself."""
    min: int | float | str | None = None
    """Smallest value allowed: a number, or a date or timestamp as text, in the pipeline's timezone where there
    is no offset."""
    max: int | float | str | None = None
    """Largest value allowed."""
    strict_min: bool = False
    """Whether `min` itself is out of range."""
    strict_max: bool = False
    """Whether `max` itself is out of range."""
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
        """Options that can't go together: option -> why."""
        return choice(self.column, self.columns) | no_room(self)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Bounds that can't be compared with a column."""
        for name in self.columns or (str(self.column),):
            for option, bound in (("min", self.min), ("max", self.max)):
                if bound is not None:
                    yield from misfit(option, bound, name, rows.columns.get(name))

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question for each column."""
        if self.min is None and self.max is None:
            raise ConfigError("no bound", where=context.where, expected="min, max or both")
        names = chosen(self.column, self.columns, rows, context.where)
        return tuple(self._question(name, rows, context) for name in names)

    def _question(self, name: str, rows: DataFrame, context: Context) -> Question:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        outside = self._outside(name, rows.schema[name].dataType, context)
        return Question(
            column=name,
            failing=F.coalesce(outside, F.lit(False)),
            counted=column(name).isNotNull(),
            reason=F.concat(F.lit(f"{name}: "), shown(name), F.lit(f" is not {words(self)}")),
            says=f"are not {words(self)}",
            evidence=within(self, name, rows.schema[name].dataType, context.plan.window.timezone),
            present=present(name),
        )

    def _outside(self, name: str, kind: DataType, context: Context) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
        from pyspark.sql import types as T  # noqa: N812

        value, zone, tests = column(name), context.plan.window.timezone, []
        if self.min is not None:
            low = literal(self.min, kind, zone, f"{context.where}.min")
            tests.append(value <= low if self.strict_min else value < low)
        if self.max is not None:
            high = literal(self.max, kind, zone, f"{context.where}.max")
            tests.append(value >= high if self.strict_max else value > high)
        if isinstance(kind, (T.FloatType, T.DoubleType)):
            tests.append(F.isnan(value))  # Spark holds NaN for the largest number: without `max` it would pass
        return reduce(or_, tests)
