"""Which rows belong to the window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.errors import ConfigError
from spark_jobs.extract.texts import instant
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from pyspark.sql import Column
    from pyspark.sql.types import DataType


@dataclass(frozen=True, kw_only=True)
class Span:
    """The rows of a window: those whose column lies in it.

    Args:
        column: the column's name.
        window: the window; a date is compared with its local dates.
        zone: IANA name of the zone of timestamps without one.
        where: place in the pipeline file.
    """

    column: str
    window: Window
    zone: str
    where: str

    def inside(self, value: Column, kind: DataType | None) -> Column:
        """Whether a value lies in the window, `start <= value < end`; null where the value is null.

        Args:
            value: the column's values.
            kind: its type; None where there is no such column.

        Raises:
            ConfigError: it is neither a date nor a timestamp, or a date while the window isn't whole local days.
        """
        value, start, end = self._compared(value, kind)
        return (value >= start) & (value < end)

    def before(self, value: Column, kind: DataType | None) -> Column:
        """Whether a value lies before the window; null where the value is null. As `inside` otherwise."""
        value, start, _ = self._compared(value, kind)
        return value < start

    def _compared(self, value: Column, kind: DataType | None) -> tuple[Column, Column, Column]:
        """A value, and the window's ends, as what can be compared with each other."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows
        from pyspark.sql import types as T  # noqa: N812

        start, end = (F.lit(iso(edge)).cast("timestamp") for edge in (self.window.start, self.window.end))
        if isinstance(kind, T.TimestampNTZType):
            value = instant(value, self.zone)
        elif isinstance(kind, T.DateType):
            self.refuse_parts_of_days()
            start, end = (F.lit(day.isoformat()).cast("date") for day in self.window.dates)
        elif not isinstance(kind, T.TimestampType):
            told = f"is {kind.simpleString()}" if kind is not None else "isn't there"
            raise ConfigError(
                f"the window's column {self.column!r} {told}",
                where=f"{self.where}.window",
                expected="a timestamp or date",
                remedy="give it that type in columns",
            )
        return value, start, end

    def refuse_parts_of_days(self) -> None:
        """See that the window cuts no day.

        Raises:
            ConfigError: it does, so that a date can't say to which window it belongs.
        """
        if not self.window.whole_days:
            raise ConfigError(
                f"the window's column {self.column!r} is a date, "
                f"but {self.window} isn't whole days in {self.window.timezone}",
                where=f"{self.where}.window",
                expected="a timestamp, or windows of whole local days",
            )
