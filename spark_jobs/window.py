"""The window: the half-open span of time, in UTC, that one run loads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from spark_jobs.errors import ConfigError

_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True, order=True)
class Window:
    """`[start, end)` in UTC, cut in a timezone.

    Args:
        start: first instant that belongs to the window, aware, UTC.
        end: first instant after it, aware, UTC, later than `start`.
        timezone: IANA name in which the pipeline cuts its windows.
    """

    start: datetime
    end: datetime
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        """Refuse naive, inverted and empty spans."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ConfigError(f"window {self.start}/{self.end} has no timezone", expected="aware datetimes")
        if self.start >= self.end:
            raise ConfigError(
                f"window {self.start.isoformat()}/{self.end.isoformat()} is empty or inverted",
                expected="a start before the end",
                remedy="windows are half-open: one day is 2013-01-01/2013-01-02",
            )
        object.__setattr__(self, "start", _plain(self.start))
        object.__setattr__(self, "end", _plain(self.end))

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the pipeline cuts its windows."""
        return ZoneInfo(self.timezone)

    @property
    def local_start(self) -> datetime:
        """The start on the pipeline's wall clock."""
        return self.start.astimezone(self.zone)

    @property
    def local_end(self) -> datetime:
        """The end on the pipeline's wall clock."""
        return self.end.astimezone(self.zone)

    @property
    def whole_days(self) -> bool:
        """Whether both ends begin local days: only then can a date column be compared with the window."""
        return _begins_day(self.local_start) and _begins_day(self.local_end)

    @property
    def dates(self) -> tuple[date, date]:
        """Local dates `[first, after_last)`; only meaningful where `whole_days`."""
        return self.local_start.date(), self.local_end.date()

    @property
    def key(self) -> str:
        """The local start at the window's precision, safe in file names: `2013-01-01` or `2013-01-01T0500`.

        The hour that a daylight-saving change repeats gets its UTC offset: no two windows of one schedule share a key.
        """
        local = self.local_start
        if self.whole_days and self.end - self.start >= _DAY - timedelta(hours=2):
            return local.strftime("%Y-%m-%d")
        text = local.strftime("%Y-%m-%dT%H%M%S" if local.second else "%Y-%m-%dT%H%M")
        ambiguous = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return text + local.strftime("%z").replace("+", "p").replace("-", "m") if ambiguous else text

    def format(self, instant: datetime, spec: str) -> str:
        """Format one of the window's ends with strftime codes on the pipeline's wall clock."""
        return instant.astimezone(self.zone).strftime(spec)

    def to_json(self) -> dict[str, str]:
        """`{"start", "end", "timezone"}`, instants as ISO 8601 in UTC ending in Z."""
        return {"start": iso(self.start), "end": iso(self.end), "timezone": self.timezone}

    @classmethod
    def from_json(cls, value: dict[str, str]) -> Window:
        """The inverse of `to_json`."""
        return cls(
            start=datetime.fromisoformat(value["start"]),
            end=datetime.fromisoformat(value["end"]),
            timezone=value.get("timezone", "UTC"),
        )

    def __str__(self) -> str:
        """`start/end` in UTC."""
        return f"{iso(self.start)}/{iso(self.end)}"


def _begins_day(local: datetime) -> bool:
    """Whether a local time is midnight or, where the clock skips that, the first instant of its date."""
    before = (local.astimezone(UTC) - datetime.resolution).astimezone(local.tzinfo)
    return local.time() == time() or before.date() != local.date()


def _plain(instant: datetime) -> datetime:
    """An instant in UTC as a datetime of the standard library.

    Airflow's are pendulum's, which lose a zone that isn't pendulum's own in sums and differences: then they can't be
    compared with others.
    """
    moment = instant.astimezone(UTC)
    return datetime.combine(date(*moment.timetuple()[:3]), time(*moment.timetuple()[3:6], moment.microsecond), UTC)


def iso(instant: datetime) -> str:
    """An instant as ISO 8601 in UTC ending in Z, with microseconds only where there are some."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
