"""`compare`: one column against another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.relation import HOLDS, Relation
from spark_jobs.check.rule import Question, counts
from spark_jobs.columns import column, require
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, NUMBERS, Misfit, Outline, Scope, family
from spark_jobs.refusal import shown

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Compare:
    """In every row a column's value compares with another column's as it is said."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "compare: {column: first, is: less_or_equal, other: second, on_fail: quarantine}"

    column: str = field(metadata={"column": True})
    """The column."""
    relation: Relation = field(metadata={"alias": "is"})
    """How they compare; a NaN is larger than any number, and equals itself. Beside a timestamp, a date is the midnight
    with which it begins in the pipeline's timezone."""
    other: str = field(metadata={"column": True})
    """The other column."""
    ignore_nulls: Literal["any", "all", "never"] = "any"
    """Which rows are ignored: those with a null in `any` of the two columns, those where `all` are null, or none. A row
    that isn't ignored and has a null passes, but a null equals nothing except a null."""
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
        return {"other": "it is the column itself"} if self.other == self.column else {}

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Columns that can't be compared."""
        mine, its = rows.columns.get(self.column), rows.columns.get(self.other)
        if not _alike(family(mine), family(its)):
            message = f"{self.column!r} is {mine}, {self.other!r} is {its}"
            yield Misfit(option="other", message=message, hint="cast one of them first")

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        require([self.column], rows.columns, f"{context.where}.column")
        require([self.other], rows.columns, f"{context.where}.other")
        self._refuse_unlike(rows, context)
        left, right = _moments((self.column, self.other), rows, context.plan.window.timezone)
        holds = HOLDS[self.relation](left, right)
        counted = counts(self.ignore_nulls, (self.column, self.other))
        fails = F.coalesce(~holds, F.lit(False))
        words = self.relation.replace("_", " ")
        analysed(lambda: rows.select(fails), rows.columns, context.where)
        return (
            Question(
                column=f"{self.column}, {self.other}",
                failing=fails if counted is None else fails & counted,
                counted=counted,
                reason=F.concat(
                    F.lit(f"{self.column}: "),
                    shown(self.column),
                    F.lit(f" is not {words} {self.other}: "),
                    shown(self.other),
                ),
                says=f"are not {words}",
                values=(self.column, self.other),
            ),
        )

    def _refuse_unlike(self, rows: DataFrame, context: Context) -> None:
        mine, its = (rows.schema[name].dataType.simpleString() for name in (self.column, self.other))
        if not _alike(family(mine), family(its)):
            raise ConfigError(
                f"{self.column!r} is {mine}, {self.other!r} is {its}",
                where=context.where,
                expected="columns that compare",
                remedy="cast one of them first",
            )


def _moments(names: tuple[str, str], rows: DataFrame, zone: str) -> Iterator[Column]:
    """Two columns; beside a timestamp, a date and a time without a zone are moments of the pipeline's timezone."""
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql import types as T  # noqa: N812

    kinds = [rows.schema[name].dataType for name in names]
    beside = any(isinstance(kind, T.TimestampType) for kind in kinds)
    for name, kind in zip(names, kinds, strict=True):
        local = beside and isinstance(kind, (T.DateType, T.TimestampNTZType))
        yield F.to_utc_timestamp(column(name).cast("timestamp"), zone) if local else column(name)


def _alike(one: str | None, other: str | None) -> bool:
    if one is None or other is None or "void" in (one, other):
        return True
    return one == other or {one, other} <= NUMBERS or {one, other} <= INSTANTS
