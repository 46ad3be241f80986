"""When a pipeline runs, and how its schedule cuts time into windows.

The cuts are those of Airflow's `CronDataIntervalTimetable` (airflow/timetables/_cron.py): wall-clock times of the
pipeline's zone, so that days have 23 and 25 hours; a time that the clock skips is moved behind the gap, one that it
repeats means the later of the two, and a schedule for every hour counts real hours.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

_LONGEST_CHANGE: Final = timedelta(hours=3)  # of any clock
# Names in the folders of tzdata that are no zones of its list, or stand for what the machine is set to.
_MACHINES: Final = re.compile(r"(localtime|posixrules|Factory)$|(posix|right)/", re.IGNORECASE)
# Without croniter's own R (a random time) and H (a hash): windows must be the same every time.
_CRON: Final = re.compile(
    r"(?i:[0-9*,/#L -]|sun|mon|tue|wed|thu|fri|sat|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)+"
)
NEVER: Final = "no day of any year is like that: it never fires"
PRESETS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}


@dataclass(frozen=True)
class Cron:
    """Windows between two firings of a cron expression, five fields or a preset."""

    text: str

    @property
    def expression(self) -> str:
        """The five fields."""
        return PRESETS.get(self.text, self.text)


@dataclass(frozen=True)
class Partition(Cron):
    """As Cron, where each run carries its window's start as a partition key (Airflow 3.2 and later)."""

    def key_format(self, timezone: str) -> str:
        """How a key is written: the local start, with as much of the clock as the expression needs.

        Where the schedule counts real hours, the clock shows some of them twice: there the offset belongs to the key.
        (Airflow 3.3.2 can't read such a key back: a run for one of them is started with window_start.)

        Args:
            timezone: IANA name of the pipeline's zone.
        """
        minute, hour = self.expression.split()[:2]
        if (minute, hour) == ("0", "0"):
            return "%Y-%m-%d"
        repeats = _every_hour(self.expression) and timezone not in ("UTC", "Etc/UTC")
        return "%Y-%m-%dT%H:%M:%S" + ("%z" if repeats else "")


@dataclass(frozen=True)
class Every:
    """Windows of equal length, counted in real time from the pipeline's start."""

    length: timedelta


@dataclass(frozen=True)
class Assets:
    """A run when assets have changed; its windows come from their events."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Manual:
    """A run when somebody asks for it, with the window that they give."""


Schedule = Cron | Every | Assets | Manual


@functools.cache
def _every_hour(expression: str) -> bool:
    """Whether an expression is one for every hour: such a schedule counts real ones."""
    from croniter import croniter

    found: bool = croniter(expression).expanded[1] == ["*"]
    return found


@functools.cache
def cron_problem(text: str) -> str:
    """Why a text is no cron expression; empty where it is one."""
    from croniter import CroniterBadDateError, CroniterError, croniter

    if text.startswith("@"):
        return "" if text in PRESETS else f"no preset: valid are {', '.join(PRESETS)}"
    if len(text.split()) != 5:
        return "a cron expression has five fields: minute, hour, day of month, month, day of week"
    if not _CRON.fullmatch(text):
        return "a field is made of numbers, names of days and months, and * , - / # L"
    try:
        croniter(text, datetime(2024, 1, 1), max_years_between_matches=8).get_next()  # noqa: DTZ001 - a wall clock
    except CroniterBadDateError:
        return NEVER
    except (CroniterError, ValueError, KeyError, AttributeError) as error:
        return f"{error}"
    return ""


@dataclass(frozen=True, kw_only=True)
class Cuts:
    """A schedule's cuts through time.

    Args:
        schedule: Cron or Every.
        timezone: IANA name of the pipeline's zone.
        anchor: the pipeline's start, from which `Every` counts.
    """

    schedule: Cron | Every
    timezone: str
    anchor: datetime

    def next(self, instant: datetime) -> datetime:
        """The first cut after an instant, in UTC."""
        if isinstance(self.schedule, Every):
            passed = (instant - self.anchor) // self.schedule.length
            return (self.anchor + (passed + 1) * self.schedule.length).astimezone(UTC)
        return self._cron(self.schedule.expression, instant, 1)

    def previous(self, instant: datetime) -> datetime:
        """The last cut before an instant, in UTC."""
        if isinstance(self.schedule, Every):
            passed = -((self.anchor - instant) // self.schedule.length)
            return (self.anchor + (passed - 1) * self.schedule.length).astimezone(UTC)
        return self._cron(self.schedule.expression, instant, -1)

    def first(self, instant: datetime) -> datetime:
        """The instant itself where it is a cut, else the first one after it."""
        after = self.next(instant)
        return after if self.previous(after) != instant else instant.astimezone(UTC)

    def _cron(self, expression: str, instant: datetime, direction: int) -> datetime:
        from croniter import croniter

        zone = ZoneInfo(self.timezone)
        local = instant.astimezone(zone)
        naive = local.replace(tzinfo=None, fold=0)
        cron = croniter(expression, naive)
        found: datetime = cron.get_next(datetime) if direction > 0 else cron.get_prev(datetime)
        if _every_hour(expression):
            return (instant + (found - naive)).astimezone(UTC)
        cut = in_zone(found, zone)
        # Behind a gap, the time before is the one that the gap has moved: the same instant once more.
        if _repeats(naive, zone) or (direction < 0 and cut >= instant):
            return _past_the_repeat(expression, instant, naive, zone, direction)
        return cut


def _repeats(naive: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock shows a time twice (or never)."""
    return naive.replace(tzinfo=zone, fold=0).utcoffset() != naive.replace(tzinfo=zone, fold=1).utcoffset()


def _past_the_repeat(expression: str, instant: datetime, naive: datetime, zone: ZoneInfo, direction: int) -> datetime:
    """The nearest cut on one side of an instant in an hour that the clock shows twice, or behind one that it skips.

    The wall clock alone can't tell on which side a time of that hour lies: its cut is the later of the two.
    """
    from croniter import croniter

    cron = croniter(expression, naive - direction * _LONGEST_CHANGE)
    while True:
        found = in_zone(cron.get_next(datetime) if direction > 0 else cron.get_prev(datetime), zone)
        if (found > instant) if direction > 0 else (found < instant):
            return found


def in_zone(naive: datetime, zone: ZoneInfo) -> datetime:
    """A wall-clock time as an instant in UTC: behind the gap where the clock skips it, the later where it repeats."""
    earlier, later = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    skipped = earlier.utcoffset() != later.utcoffset() and earlier.astimezone(UTC) > later.astimezone(UTC)
    return (earlier if skipped else later).astimezone(UTC)


def local_instant(value: date | datetime, timezone: str) -> datetime:
    """A date (its midnight) or a time of the pipeline's zone as an instant in UTC; one with an offset keeps it.

    Raises:
        ConfigError: the zone's clock skips or repeats that time.
    """
    moment = value if isinstance(value, datetime) else datetime.combine(value, time())
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    zone = ZoneInfo(timezone)
    if isinstance(value, datetime):
        earlier, later = moment.replace(tzinfo=zone, fold=0), moment.replace(tzinfo=zone, fold=1)
        if earlier.utcoffset() != later.utcoffset():
            what = "skips" if earlier.astimezone(UTC) > later.astimezone(UTC) else "repeats"
            raise ConfigError(
                f"the clock of {timezone} {what} {moment.isoformat()}",
                expected="a time that happens once",
                remedy=f"give an offset: {earlier.isoformat()} or {later.isoformat()}",
            )
    return in_zone(moment, zone)


def windows(cuts: Cuts, start: datetime, end: datetime) -> Iterator[Window]:
    """The windows that lie inside `[start, end)` whole, in order."""
    here = cuts.first(start)
    while (following := cuts.next(here)) <= end:
        if following <= here:
            raise ConfigError(f"the schedule doesn't advance past {here.isoformat()}", expected="another expression")
        yield Window(start=here, end=following, timezone=cuts.timezone)
        here = following


def window_at(cuts: Cuts, instant: datetime) -> Window:
    """The window that starts at an instant.

    Raises:
        ConfigError: the schedule cuts no window there.
    """
    if cuts.first(instant) != instant:
        before, after = cuts.previous(instant), cuts.next(instant)
        zone = ZoneInfo(cuts.timezone)
        near = " or ".join(moment.astimezone(zone).isoformat() for moment in (before, after))
        raise ConfigError(
            f"no window of the schedule starts at {instant.astimezone(zone).isoformat()}",
            expected=f"a start such as {near}",
            remedy="or give both ends: START/END",
        )
    return Window(start=instant, end=cuts.next(instant), timezone=cuts.timezone)


def demand_cut(cuts: Cuts, window: Window) -> None:
    """Refuse a window that the schedule doesn't cut, for a pipeline whose sources name the window.

    Such a source holds the rows of one of the schedule's windows: for another window it would load too few or too many,
    and what was loaded of the others would be lost.

    Raises:
        ConfigError: with the schedule's windows that lie there.
    """
    first = window.start if cuts.first(window.start) == window.start else cuts.previous(window.start)
    if (first, cuts.next(first)) == (window.start, window.end):
        return
    last = max(cuts.previous(window.end), first)
    near = " or ".join(dict.fromkeys(_local(cuts, start, cuts.next(start)) for start in (first, last)))
    raise ConfigError(
        f"the schedule cuts no window {_local(cuts, window.start, window.end)}, and a source's options name "
        "${window…}: it has the rows of one of the schedule's windows alone",
        expected=f"one of the schedule's windows, such as {near}",
        remedy="run them one by one, or as a backfill: airflow-etl backfill FILE --from FIRST --to LAST",
    )


def _local(cuts: Cuts, start: datetime, end: datetime) -> str:
    zone = ZoneInfo(cuts.timezone)
    return "/".join(_briefly(moment.astimezone(zone)) for moment in (start, end))


def _briefly(local: datetime) -> str:
    return local.date().isoformat() if local.time() == time() else local.isoformat(timespec="minutes")


@functools.cache
def zone_problem(name: str) -> tuple[str, str]:
    """Why a text names no timezone, and what to do; two empty texts where it does."""
    from zoneinfo import available_timezones

    from airflow_provider_etl.spec.diagnostics import did_you_mean

    if _MACHINES.match(name):
        return f"{name!r} is another timezone on every machine, or none", "an IANA name: Europe/Berlin"
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        zones = (zone for zone in available_timezones() if not _MACHINES.match(zone))
        return f"{name!r} is no timezone", did_you_mean(name, zones) or "an IANA name: Europe/Berlin"
    return "", ""
