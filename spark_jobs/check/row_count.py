"""`row_count`: how many rows there are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.check.bounds import judged, no_room, words
from spark_jobs.check.rule import Figure, Verdict, result
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.report import CheckResult
from spark_jobs.transform.match import other_dataset

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")


@dataclass(frozen=True, kw_only=True)
class RowCount:
    """The dataset's number of rows lies between the bounds, or is another dataset's.

    It is known from the staged files' statistics, no row is read.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "row_count: {min: 1}"

    min: int | None = field(default=None, metadata={"ge": 0})
    """Smallest number of rows allowed."""
    max: int | None = field(default=None, metadata={"ge": 0})
    """Largest number of rows allowed."""
    strict_min: bool = False
    """Whether `min` itself is out of range."""
    strict_max: bool = False
    """Whether `max` itself is out of range."""
    same_as: str | None = field(default=None, metadata={"dataset": True, "another": True})
    """Another dataset that has as many rows: these are counted."""
    tolerance: int | str = 0
    """How far off that number may be: rows, such as 10, or a share of the other's, such as `1%`."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        if self.same_as is None:
            return no_room(self, "number of rows") | (
                {"tolerance": "of what? `same_as` is missing"} if self.tolerance else {}
            )
        if self.min is not None or self.max is not None:
            return {"same_as": "min and max are given too: write two checks"}
        return {} if self._tolerated(100) is not None else {"tolerance": f"{self.tolerance!r} is neither 10 nor 1%"}

    def answer(self, total: int, context: Context) -> CheckResult | Figure:
        """Compare the number of rows with the bounds, or with that of another dataset.

        Raises:
            ConfigError: no bound, bounds that nothing fits between, an unknown dataset.
        """
        wrong = self.conflicts()
        if wrong:
            option, why = next(iter(wrong.items()))
            raise ConfigError(why, where=f"{context.where}.{option}")
        if self.same_as is None:
            message = f"{total} rows, expected {words(self)}"
            verdict = replace(judged(total, self, "the number of rows"), message="")
            verdict = verdict if verdict.success else replace(verdict, message=message)
            return result(self, "row_count", verdict, context, by="statistics", total=total)
        other = other_dataset(self.same_as, replace(context, where=f"{context.where}.same_as"))
        return Figure(
            column=None,
            judge=lambda found: self._compared(total, found["other"]),
            tally=lambda _: _size(other),
            shows_values=False,
        )

    def _compared(self, total: int, other: int) -> Verdict:
        success = abs(total - other) <= (self._tolerated(other) or 0)
        give = f" (± {self.tolerance})" if self.tolerance else ""
        message = f"{total} rows, {self.same_as} has {other}{give}"
        return Verdict(success=success, observed={"self": total, "other": other}, message="" if success else message)

    def _tolerated(self, other: int) -> int | Decimal | None:
        """The tolerance in rows; None where it is none."""
        if isinstance(self.tolerance, int):
            return self.tolerance if self.tolerance >= 0 else None
        found = _SHARE.fullmatch(self.tolerance.strip())
        return Decimal(found[1]) * other / 100 if found else None


def _size(rows: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return rows.agg(F.count(F.lit(1)).alias("other"))
