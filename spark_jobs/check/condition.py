"""`condition`: what must hold in every row, in SQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.rule import Question
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import scalar
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, family

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A condition holds in every row; where it is null it doesn't."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "condition: amount > 0 OR customer IS NULL"
    shorthand: ClassVar[str] = "holds"

    holds: str = field(metadata={"expression": True})
    """Spark SQL condition over the dataset's columns."""
    mostly: float | None = field(default=None, metadata={"ge": 0, "le": 1})
    """Share of rows, 0 to 1, that must pass, else the check fails; default 1, and 0 with `on_fail: quarantine`."""
    on_fail: Literal["stop", "quarantine", "ask", "warn"] = "stop"
    """`stop` fails the run, `quarantine` sets the failing rows aside and loads the rest, `ask` lets a person decide,
    `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report and in the quarantine; default: the name of the kind."""

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """A condition that is none."""
        kind = scope.type_of(self.holds, rows)
        if family(kind) not in {None, "boolean", "void"}:
            yield Misfit(option="holds", message=f"{self.holds!r} is {kind}", hint="compare it with something")

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question, ...]:
        """One question."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        holds = scalar(self.holds, rows, context.where)
        kind = rows.select(holds.alias("holds")).schema[0].dataType.simpleString()
        if kind not in {"boolean", "void"}:
            raise ConfigError(f"{self.holds!r} is {kind}", where=context.where, expected="a condition")
        return (
            Question(
                column=self.holds,
                failing=~F.coalesce(holds.cast("boolean"), F.lit(False)),
                counted=None,
                reason=F.lit(f"not {self.holds}"),
                says=f"don't fulfil {self.holds}",
                values=(),
            ),
        )
