"""`stddev`: how far a column's values spread."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import judge, no_room, number_only
from spark_jobs.check.rule import Figure, required_number
from spark_jobs.columns import column
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Stddev:
    """The standard deviation of a column's values, a sample's, lies between the bounds.

    Nulls are ignored; NaN fails, and so do fewer than two values, which have none.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "stddev: {column: amount, max: 250}"

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
    on_fail: Literal["stop", "warn"] = "stop"
    """`stop` fails the run, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        return no_room(self, "stddev")

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A column that holds no numbers."""
        yield from number_only(self.column, rows)

    def measure(self, rows: DataFrame, context: Context) -> tuple[Figure, ...]:
        """One figure."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        required_number(self.column, rows, context.where)

        return (
            Figure(
                column=self.column,
                judge=judge(self, "the standard deviation"),
                values={"value": F.stddev_samp(column(self.column))},
            ),
        )
