"""Checks of one figure of a column of numbers: what `sum`, `mean`, `median` and `stddev` share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import judge, no_room, number_only
from spark_jobs.check.rule import Figure, required_number
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class OfNumbers:
    """A figure of a column's values lies between the bounds; a kind says which."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    called: ClassVar[str]
    """The figure's short name."""
    said: ClassVar[str]
    """The figure in words, such as "the mean"."""

    column: str = field(metadata={"column": True})
    """The column."""
    min: int | float | None = None
    """Smallest figure allowed."""
    max: int | float | None = None
    """Largest figure allowed."""
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
        return no_room(self, self.called)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A column that holds no numbers."""
        yield from number_only(self.column, rows)

    def measure(self, rows: DataFrame, context: Context) -> tuple[Figure, ...]:
        """One figure."""
        required_number(self.column, rows, context.where)
        return (Figure(column=self.column, judge=judge(self, self.said), values={"value": self.value(rows)}),)

    def value(self, rows: DataFrame) -> Column:
        """The aggregate that is the figure."""
        raise NotImplementedError
