"""A range cut to the windows that a pipeline has: before its start, behind its end and in the future none ever runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from airflow_provider_etl.backfill.dates import Range
from airflow_provider_etl.spec.schedule import Cron, Cuts, Every
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

MOST: Final = 100_000  # windows of a backfill
_COUNTED: Final = 1_000  # windows that are left out and counted; of more it is said that they are more
_DOUBT: Final = MOST // 100  # more than a clock takes from a year by skipping an hour of one day
_MINUTE: Final = timedelta(minutes=1)  # no cron expression cuts shorter windows
_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Bounded:
    """What is left of a range.

    Args:
        first, last: logical dates, both included; no window starts there where `first` is behind `last`.
        left_out: what isn't in it, in words.
    """

    first: datetime
    last: datetime
    left_out: tuple[str, ...] = ()


def bounded(asked: Range, pipeline: Pipeline | None, now: datetime) -> Bounded:
    """A range without the windows that never run, or that haven't begun.

    Args:
        asked: logical dates.
        pipeline: whose file makes the DAG; None where none does: then the range stays.
        now: the moment, aware.

    Raises:
        ConfigError: clearly more than `MOST` windows are left.
    """
    found = Bounded(first=asked.first, last=asked.last)
    cuts = pipeline.cuts if pipeline else None
    if pipeline is None or cuts is None:
        return found
    start = cuts.first(pipeline.start) if pipeline.start is not None else found.first
    limits = [(pipeline.end, "behind its end, {}")] if pipeline.end is not None else []
    limits.append((now + _INSTANT, "not begun yet"))
    _demand_few(cuts, max(found.first, start), min(found.last, *(limit - _INSTANT for limit, _ in limits)))
    found = _behind_start(found, cuts, start)
    for limit, why in limits:
        found = _before(found, cuts, limit, why)
    return found


def _behind_start(found: Bounded, cuts: Cuts, start: datetime) -> Bounded:
    if found.first >= start:
        return found
    told = _told(cuts, found.first, min(start - _INSTANT, found.last), f"before its start, {_local(cuts, start)}")
    return replace(found, first=start, left_out=(*found.left_out, *told))


def _before(found: Bounded, cuts: Cuts, limit: datetime, why: str) -> Bounded:
    if found.last < limit:
        return found
    told = _told(cuts, max(limit, found.first), found.last, why.format(_local(cuts, limit)))
    return replace(found, last=limit - _INSTANT, left_out=(*found.left_out, *told))


def _told(cuts: Cuts, first: datetime, last: datetime, why: str) -> list[str]:
    count = sum(1 for _ in islice(_starts(cuts, first, last), _COUNTED + 1))
    many = f"more than {_COUNTED:,}" if count > _COUNTED else f"{count:,}"
    return [f"{many} window{'s' if count > 1 else ''} left out: {why}"] if count else []


def _starts(cuts: Cuts, first: datetime, last: datetime) -> Iterator[datetime]:
    """Starts of windows, both ends included."""
    here = cuts.first(first)
    while here <= last:
        yield here
        here = cuts.next(here)


def _demand_few(cuts: Cuts, first: datetime, last: datetime) -> None:
    """Refuse at once a range that holds too many beyond doubt; one near the limit is for those who make its runs."""
    if _at_least(cuts, first, last) > MOST + _DOUBT:
        raise too_many(f"more than {MOST:,}")


def _at_least(cuts: Cuts, first: datetime, last: datetime) -> int:
    """How many windows start in a range at least, where they may be too many; not counted further than that takes."""
    if isinstance(cuts.schedule, Every):
        return (last - first) // cuts.schedule.length
    if last - first <= MOST * _MINUTE:
        return 0
    minute, hour, *days = cuts.schedule.expression.split()
    midnight = datetime(2000, 1, 1, tzinfo=UTC)
    clock = replace(cuts, schedule=Cron(f"{minute} {hour} * * *"), timezone="UTC")
    a_day = sum(1 for _ in _starts(clock, midnight, midnight + _DAY - _INSTANT))
    if a_day * (last - first) <= MOST * _DAY:
        return 0
    calendar = replace(cuts, schedule=Cron(" ".join(["0 0", *days])))
    enough = (MOST + _DOUBT) // a_day + 1
    return a_day * sum(1 for _ in islice(_starts(calendar, first, last - _DAY), enough))


def too_many(count: str) -> ConfigError:
    """The refusal of a range that holds too many windows."""
    return ConfigError(
        f"{count} windows start in that range",
        expected=f"{MOST:,} at most",
        remedy="take a shorter range, one after the other; or a schedule of longer windows",
    )


def _local(cuts: Cuts, moment: datetime) -> str:
    return f"{moment.astimezone(ZoneInfo(cuts.timezone)):%Y-%m-%d %H:%M}"
