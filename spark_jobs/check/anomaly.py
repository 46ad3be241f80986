"""`anomaly`: a figure that is unlike those of the windows before."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import number_only, plain
from spark_jobs.check.earlier import Earlier, earlier
from spark_jobs.check.evidence import shares
from spark_jobs.check.rule import Figure, Question, Verdict, required_number
from spark_jobs.columns import column, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.privacy import Privacy
from spark_jobs.results import ROWS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Anomaly:
    """A figure of this window isn't far from those of the last published windows before it.

    How far it is, is the modified z-score of Iglewicz and Hoaglin (How to Detect and Handle Outliers, 1993): 0.6745
    times its distance from their median, by the median distance (MAD). Where that is 0, since half of them or more are
    alike, it is 0.7979 times the distance by the mean distance; where all are alike, any other figure fails.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "anomaly: {of: null_share, column: amount, last: 14, on_fail: warn}"
    looks_back: ClassVar[bool] = True

    of: Literal["rows", "null_share", "mean"] = "rows"
    """The figure: the number of rows, the share of nulls of a column, its mean."""
    column: str | None = field(default=None, metadata={"column": True})
    """The column; of `rows` none."""
    last: int = field(default=14, metadata={"ge": 3, "le": 1000})
    """How many windows it looks back at."""
    needs: int | None = field(default=None, metadata={"ge": 3, "le": 1000})
    """How many of them there must be before it judges; until then it passes and says so. Default: half of `last`, 3 at
    least."""
    z: float = field(default=3.5, metadata={"ge": 0.1})
    """The score that is still usual, above and below."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        found = {} if self.needed <= self.last else {"needs": f"it looks back at {self.last} windows only (`last`)"}
        if self.of == "rows" and self.column is not None:
            return found | {"column": "rows are of no column: take it out, or say which figure by `of`"}
        return found if self.of == "rows" or self.column else found | {"of": f"{self.of} of what? `column` is missing"}

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A mean of a column that holds no numbers."""
        if self.of == "mean" and self.column:
            yield from number_only(self.column, rows)

    @property
    def needed(self) -> int:
        """How many earlier windows there must be."""
        return self.needs if self.needs is not None else max(3, (self.last + 1) // 2)

    @property
    def series(self) -> tuple[str, str, int]:
        """What it looks back at: the figure, its column (empty for rows), in how many windows."""
        return self.of, self.column or "", self.last

    def measure(self, rows: DataFrame, context: Context) -> tuple[Question | Figure, ...]:
        """One figure.

        Raises:
            ConfigError: an unknown column, or one whose figures are kept nowhere.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{context.where}.{option}")
        before = earlier(context, *self.series, self.needed)
        if self.of == ROWS or self.column is None:
            values = {"total": F.count(F.lit(1))}
            return (
                Figure(
                    column=None,
                    judge=lambda found: self._judge(found["total"] or 0, before),
                    values=values,
                    shows_values=False,
                    evidence=shares([]),
                ),
            )
        return (self._of_column(self.column, rows, before, context),)

    def _of_column(self, name: str, rows: DataFrame, before: Earlier, context: Context) -> Figure:
        from pyspark.sql import functions as F  # noqa: N812

        if self.of == "mean":
            required_number(name, rows, context.where)
            if Privacy(context.plan).forbids(context.dataset):
                raise ConfigError(
                    "the mean of personal or masked values isn't kept",
                    where=f"{context.where}.of",
                    expected="rows or null_share",
                )
            values = {"value": F.avg(column(name)).cast("double")}
            return Figure(column=name, judge=lambda found: self._judge(found["value"], before), values=values)
        require([name], rows.columns, f"{context.where}.column")
        nulls = {"nulls": F.count_if(column(name).isNull()), "total": F.count(F.lit(1))}
        return Figure(
            column=name,
            judge=lambda found: self._judge(_share(found), before),
            values=nulls,
            shows_values=False,
            evidence=shares([name]),
        )

    def _judge(self, value: Any, before: Earlier) -> Verdict:
        what = {"rows": "the number of rows", "null_share": "the share of nulls", "mean": "the mean"}[self.of]
        nothing = value is None or math.isnan(value)
        seen = None if nothing else plain(value)  # what is seen becomes history: a NaN would spoil it
        if before.lacking:
            return Verdict(success=True, observed=seen, message=before.lacking, figure=self.of)
        if nothing:
            why = f"there is no value, so {what} can't be compared"
            why = why if value is None else f"{what} is NaN, which can't be compared"
            return Verdict(success=False, observed=None, message=why)
        score = before.score(float(value))
        success = abs(score) <= self.z
        usual = f"{len(before.values)} windows before have a median of {before.middle():g}"
        message = f"{what} is {seen}, {usual}: a score of {score:.3g}, at most {self.z:g} is usual"
        return Verdict(success=success, observed=seen, message="" if success else message, figure=self.of)


def _share(found: Mapping[str, Any]) -> float:
    total = found["total"] or 0
    return found["nulls"] / total if total else 1.0
