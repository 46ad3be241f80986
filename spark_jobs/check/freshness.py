"""`freshness`: how new the newest event is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.check.evidence import newest
from spark_jobs.check.rule import Figure, Verdict
from spark_jobs.columns import column, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, Scope, family
from spark_jobs.window import iso

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO: Final = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """A column's newest value is at most so much older than the window's end; without a value it fails."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "freshness: {column: ordered_at, within: 1h, on_fail: warn}"

    column: str = field(metadata={"column": True})
    """The column."""
    within: timedelta = field(metadata={"ge": timedelta(0)})
    """How old it may be, such as 1h; a date is as new as its day's end, in the pipeline's timezone."""
    on_fail: Literal["stop", "ask", "warn"] = "stop"
    """`stop` fails the run, `ask` lets a person decide, `warn` only reports."""
    severity: Literal["critical", "warning", "info"] = "critical"
    """How bad a failure is, for those who read the report; nothing else depends on it."""
    name: str | None = None
    """Name in the report; default: the name of the kind."""

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A column that holds no times."""
        if family(rows.columns.get(self.column)) not in {None, *INSTANTS}:
            message = f"column {self.column!r} is {rows.columns[self.column]}"
            yield Misfit(option="column", message=message, hint="a date or a timestamp is wanted; cast it first")

    def measure(self, rows: DataFrame, context: Context) -> tuple[Figure, ...]:
        """One figure."""
        require([self.column], rows.columns, f"{context.where}.column")
        window = context.plan.window
        return (
            Figure(
                column=self.column,
                judge=lambda found: self._judge(found, window.end),
                values={"newest": self._newest(rows, window.timezone, context.where)},
                evidence=newest(self.column, rows.schema[self.column].dataType, window.timezone),
            ),
        )

    def _newest(self, rows: DataFrame, zone: str, where: str) -> Column:
        """Microseconds since 1970: no session's and no machine's zone has a part in them."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
        from pyspark.sql import types as T  # noqa: N812

        kind, latest = rows.schema[self.column].dataType, F.max(column(self.column))
        if isinstance(kind, T.DateType):
            latest = F.to_utc_timestamp(F.date_add(latest, 1).cast("timestamp"), zone)
        elif isinstance(kind, T.TimestampNTZType):
            latest = F.to_utc_timestamp(latest.cast("timestamp"), zone)
        elif not isinstance(kind, T.TimestampType):
            raise ConfigError(
                f"column {self.column!r} is {kind.simpleString()}", where=where, expected="a date or a timestamp"
            )
        return F.unix_micros(latest)

    def _judge(self, found: Mapping[str, Any], end: datetime) -> Verdict:
        micros = found.get("newest")
        if micros is None:
            return Verdict(success=False, observed=None, message="there is no value, so nothing is new")
        success, seen = micros >= _micros(end) - self.within // _MICRO, _told(micros)
        message = f"the newest is of {seen}, more than {self.within} before the window's end"
        return Verdict(success=success, observed=seen, message="" if success else message)


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICRO


def _told(micros: int) -> str:
    """The moment in words; Spark's calendar is longer than Python's, and 9999-12-31 often means never."""
    if micros > _micros(datetime.max.replace(tzinfo=UTC)):
        return "beyond the year 9999"
    if micros < _micros(datetime.min.replace(tzinfo=UTC)):
        return "before the year 1"
    return iso(_EPOCH + timedelta(microseconds=micros))
