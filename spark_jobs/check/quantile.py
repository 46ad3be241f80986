"""`quantile`: where the values of a column lie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.check.bounds import Between, judged, no_room, number_only, numbers
from spark_jobs.check.rule import Figure, Verdict, required_number
from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import DataType


@dataclass(frozen=True, kw_only=True)
class QuantileRange:
    """What a quantile lies between."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    min: int | float | None = None
    """Smallest value allowed."""
    max: int | float | None = None
    """Largest value allowed."""


@dataclass(frozen=True, kw_only=True)
class Quantile:
    """Quantiles of a column lie between their bounds.

    A quantile is the smallest value that so large a share of the values doesn't exceed. It is exact, so the distinct
    values are held in memory, unless `relative_error` allows otherwise. Nulls and NaN are ignored, and a column without
    a value fails.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "quantile: {column: amount, ranges: {0.5: {min: 10, max: 90}, 0.99: {max: 5000}}}"

    column: str = field(metadata={"column": True})
    """The column."""
    ranges: dict[str, QuantileRange]
    """Share of the values, 0 to 1 -> `{min, max}`."""
    relative_error: float = field(default=0.0, metadata={"ge": 0, "le": 0.5})
    """How far a quantile's rank may be off, as a share of all values: 0.01 needs little memory. 0: exact."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        if not self.ranges:
            return {"ranges": "no quantile is given"}
        for share, bounds in self.ranges.items():
            if not _is_share(share):
                return {"ranges": f"{share!r} is no share from 0 to 1"}
            wrong = no_room(Between(min=bounds.min, max=bounds.max), "quantile")
            if wrong:
                return {"ranges": f"{share}: {next(iter(wrong.values()))}"}
        return {}

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A column that holds no numbers."""
        yield from number_only(self.column, rows)

    def measure(self, rows: DataFrame, context: Context) -> tuple[Figure, ...]:
        """One figure for all of them."""
        required_number(self.column, rows, context.where)
        wrong = self.conflicts()
        if wrong:
            raise ConfigError(next(iter(wrong.values())), where=f"{context.where}.ranges")
        values = {f"at{place}": self._at(float(share), rows) for place, share in enumerate(self.ranges)}
        return (Figure(column=self.column, judge=self._judge, values=values),)

    def _at(self, share: float, rows: DataFrame) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        value = numbers(self.column, rows)
        if self.relative_error:
            return F.percentile_approx(value, share, max(1, round(1 / self.relative_error)))
        # The function that Python has beside it interpolates; this one takes a value that there is.
        kind = rows.schema[self.column].dataType
        filtered = (
            f"if(isnan({quote(self.column)}), null, {quote(self.column)})" if _floats(kind) else quote(self.column)
        )
        return F.expr(f"percentile_disc({share}D) WITHIN GROUP (ORDER BY {filtered})")

    def _judge(self, found: Mapping[str, Any]) -> Verdict:
        parts = [
            judged(found[f"at{place}"], Between(min=bounds.min, max=bounds.max), f"the quantile {share}")
            for place, (share, bounds) in enumerate(self.ranges.items())
        ]
        seen = {"quantiles": [float(share) for share in self.ranges], "values": [part.observed for part in parts]}
        message = "; ".join(part.message for part in parts if part.message)
        return Verdict(success=all(part.success for part in parts), observed=seen, message=message)


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1
    except ValueError:
        return False


def _floats(kind: DataType) -> bool:
    from pyspark.sql import types as T  # noqa: N812

    return isinstance(kind, (T.FloatType, T.DoubleType))
