"""The range of a backfill: texts to logical dates, both included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_etl.spec import scalars
from airflow_provider_etl.spec.schedule import local_instant
from spark_jobs.errors import ConfigError

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Range:
    """Logical dates `first` to `last`, both included, aware; and the zone that they were read in."""

    first: datetime
    last: datetime
    timezone: str

    def __str__(self) -> str:
        """Both ends on that zone's clock."""
        zone = ZoneInfo(self.timezone)
        first, last = self.first.astimezone(zone), self.last.astimezone(zone)
        return f"{first.isoformat(timespec='minutes')} .. {last.isoformat(timespec='minutes')}"


def starts(first: str, last: str, timezone: str) -> Range:
    """`--from` and `--to`: starts of windows, both included.

    Args:
        first: a date means every window that starts on that day; a time without an offset is of the zone.
        last: likewise.
        timezone: IANA name of the pipeline's zone.

    Raises:
        ConfigError: no dates, a time that the zone's clock skips or repeats, or an inverted range.
    """
    begin, end = _read(first, "--from"), _read(last, "--to")
    until = local_instant(end, timezone)
    if not isinstance(end, datetime):
        until = local_instant(end + timedelta(days=1), timezone) - _INSTANT
    return _checked(local_instant(begin, timezone), until, timezone)


def native(first: str, last: str, timezone: str) -> Range:
    """The dates of Airflow's own commands: instants, both included; a date is its midnight.

    Args:
        first: a time without an offset is of the zone.
        last: likewise.
        timezone: IANA name of `[core] default_timezone`.

    Raises:
        ConfigError: as for `starts`.
    """
    begin, end = (local_instant(_read(text, "date"), timezone) for text in (first, last))
    return _checked(begin, end, timezone)


def _read(text: str, flag: str) -> date | datetime:
    try:
        return scalars.instant(text)
    except ValueError as error:
        raise ConfigError(f"{flag} {text!r} is not {error}") from None


def _checked(first: datetime, last: datetime, timezone: str) -> Range:
    if first > last:
        raise ConfigError(
            f"the range ends before it begins: {first.isoformat()} .. {last.isoformat()}",
            expected="a first window that isn't after the last",
        )
    return Range(first=first.astimezone(UTC), last=last.astimezone(UTC), timezone=timezone)
