"""`column_count`: how many columns there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import Between, judged, no_room
from spark_jobs.check.rule import result
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.report import CheckResult

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class ColumnCount:
    """The dataset's number of columns lies between the bounds; the schema answers, no row is read."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "column_count: {min: 3, max: 20}"

    min: int | None = field(default=None, metadata={"ge": 0})
    """Smallest number of columns allowed."""
    max: int | None = field(default=None, metadata={"ge": 0})
    """Largest number of columns allowed."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        return no_room(Between(min=self.min, max=self.max), "number of columns")

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Fewer or more columns than there can be."""
        known = len(rows.columns)
        if rows.rest == "none" and self.min is not None and known < self.min:
            yield Misfit(option="min", message=f"there are {known} columns", hint="it would always fail")
        if self.max is not None and known > self.max:
            yield Misfit(option="max", message=f"there are at least {known} columns", hint="it would always fail")

    def look(self, rows: DataFrame, context: Context) -> tuple[CheckResult, ...]:
        """One result."""
        verdict = judged(len(rows.columns), Between(min=self.min, max=self.max), "the number of columns")
        return (result(self, "column_count", verdict, context, by="schema"),)
