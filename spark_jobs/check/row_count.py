"""`row_count`: how many rows there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.report import CheckResult


@dataclass(frozen=True, kw_only=True)
class RowCount:
    """The dataset's number of rows lies between the bounds; read from the staged files' statistics, no row is read."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "row_count: {min: 1}"

    min: int | None = field(default=None, metadata={"ge": 0})
    """Smallest number of rows allowed."""
    max: int | None = field(default=None, metadata={"ge": 0})
    """Largest number of rows allowed."""
    on_fail: Literal["stop", "warn"] = "stop"
    """`stop` fails the run, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        if self.min is None and self.max is None:
            return {"min": "there is no bound: give min, max or both"}
        if self.min is not None and self.max is not None and self.min > self.max:
            return {"max": f"it is smaller than min, {self.min}: no number of rows can pass"}
        return {}

    def answer(self, total: int, context: Context) -> CheckResult:
        """Compare the number of rows with the bounds.

        Raises:
            ConfigError: no bound, or bounds that nothing fits between.
        """
        if self.min is None and self.max is None:
            raise ConfigError("no bound", where=context.where, expected="min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ConfigError(f"min {self.min} is larger than max {self.max}", where=context.where)
        success = (self.min is None or total >= self.min) and (self.max is None or total <= self.max)
        bounds = ((f"at least {self.min}", self.min), (f"at most {self.max}", self.max))
        wanted = " and ".join(text for text, bound in bounds if bound is not None)
        return CheckResult(
            name=self.name or "row_count",
            dataset=context.dataset,
            column=None,
            success=success,
            observed=total,
            on_fail=self.on_fail,
            answered_by="statistics",
            message="" if success else f"{total} rows, expected {wanted}",
        )
