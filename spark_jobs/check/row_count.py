"""`row_count`: how many rows there are."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.check.bounds import judged, no_room, words
from spark_jobs.check.earlier import Earlier, earlier
from spark_jobs.check.rule import Figure, Verdict, result
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.report import CheckResult
from spark_jobs.results import ROWS
from spark_jobs.transform.match import other_dataset

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?) ?%")


@dataclass(frozen=True, kw_only=True)
class RowCount:
    """The dataset's number of rows lies between the bounds, or is another dataset's, or about that of earlier windows.

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
    last: int | None = field(default=None, metadata={"ge": 1, "le": 1000})
    """So many published windows before this one, in time, whose middle it is compared with, within `tolerance`. While
    there are fewer it passes and says so."""
    middle: Literal["median", "mean"] = "median"
    """What `last` means by the middle."""
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
        other = "same_as" if self.same_as is not None else "last"
        if self.last is None and self.middle != "median":
            return {"middle": "of what? `last` is missing"}
        if self.same_as is None and self.last is None:
            return no_room(self, "number of rows") | (
                {"tolerance": "of what? `same_as` and `last` are missing"} if self.tolerance else {}
            )
        if self.min is not None or self.max is not None:
            return {other: "min and max are given too: write two checks"}
        if self.last is not None and (self.same_as is not None or not self.tolerance):
            why = "same_as is given too: write two checks" if self.same_as else "`tolerance` is missing, such as 50%"
            return {"last": why}
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
        if self.last is not None:
            before = earlier(context, ROWS, "", self.last, self.last)
            return result(self, "row_count", self._usual(total, before), context, by="history", total=total)
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

    @property
    def looks_back(self) -> bool:
        """Whether it compares with earlier windows."""
        return self.last is not None

    @property
    def series(self) -> tuple[str, str, int]:
        """What it looks back at: the figure, its column (rows have none), in how many windows."""
        return ROWS, "", self.last or 0

    def _usual(self, total: int, before: Earlier) -> Verdict:
        if before.lacking:
            return Verdict(success=True, observed=total, message=before.lacking, figure=ROWS)
        middle = before.middle(self.middle)
        success = abs(total - Decimal(str(middle))) <= (self._tolerated(middle) or 0)
        message = f"{total} rows, the {self.middle} of {len(before.values)} windows before is {middle:g}"
        message += f" (± {self.tolerance})"
        return Verdict(success=success, observed=total, message="" if success else message, figure=ROWS)

    def _compared(self, total: int, other: int) -> Verdict:
        success = abs(total - other) <= (self._tolerated(other) or 0)
        give = f" (± {self.tolerance})" if self.tolerance else ""
        message = f"{total} rows, {self.same_as} has {other}{give}"
        return Verdict(success=success, observed={"self": total, "other": other}, message="" if success else message)

    def _tolerated(self, other: float) -> int | Decimal | None:
        """The tolerance in rows; None where it is none."""
        if isinstance(self.tolerance, int):
            return self.tolerance if self.tolerance >= 0 else None
        found = _SHARE.fullmatch(self.tolerance.strip())
        return Decimal(found[1]) * Decimal(str(other)) / 100 if found else None


def _size(rows: DataFrame) -> DataFrame:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    return rows.agg(F.count(F.lit(1)).alias("other"))
