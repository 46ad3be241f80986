"""The windows of a schedule, with the hours that they really have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window, iso

_WEEK: Final = timedelta(days=7)
_SHOWN: Final = 14  # of a week with more, the first and the last of them
_ENDS: Final = 5
_FIRST: Final = 7


def one(pipeline: Pipeline, window: Window) -> Iterator[str]:
    """A window, and what each load writes for it."""
    yield _head(pipeline)
    yield _line(window)
    if (reach := pipeline.reach(window)) is not None:
        yield f"  sources with a window column are read from {reach.local_start:%a %Y-%m-%d %H:%M%z}, {reach}"
    for name, (unit, options) in pipeline.units(window).items():
        yield f"  load {name} writes unit {unit.key} to {options.get('path', '')}".rstrip()


def week(pipeline: Pipeline, begin: datetime) -> Iterator[str]:
    """The windows of seven days.

    Args:
        pipeline: whose schedule.
        begin: the first instant, aware.
    """
    yield _head(pipeline)
    if pipeline.cuts is None:
        yield "  none of its own: they come with the events, the run's form or --window"
        return
    skip = pipeline.skip_if
    if skip is not None and skip.missing is not None:
        yield f"  left out where nothing is at {skip.missing}"
    told, windows = _found(pipeline, begin)
    yield f"{told}:"
    for item in _chosen(windows):
        yield item if isinstance(item, str) else _line(item)
        if isinstance(item, Window) and skip is not None and (reason := skip.by_date(item)):
            yield f"    left out: {reason}"


def _found(pipeline: Pipeline, begin: datetime) -> tuple[str, list[Window]]:
    """What is told first, and the windows."""
    start, end = pipeline.start or begin, pipeline.end
    if end is not None and end <= begin:
        told = f"  none after {end.astimezone(begin.tzinfo):%Y-%m-%d}, the schedule's end; its first were"
        return told, _some(pipeline, start, end, _FIRST)
    told = f"  the 7 days from {max(begin, start).isoformat(timespec='minutes')}"
    if start > begin:
        told = f"  none before {start.isoformat(timespec='minutes')}, the schedule's start; the 7 days from then on"
    first = max(begin, start)
    last = min(first + _WEEK, end) if end is not None else first + _WEEK
    windows = _some(pipeline, first, last, None)
    if not windows:
        # A month, a year: none lies in a week whole.
        windows = _some(pipeline, first, end or first + timedelta(days=4000), 1)
        told = "  none lies whole in the next 7 days; the next one is"
    return told, windows


def _some(pipeline: Pipeline, start: datetime, end: datetime, most: int | None) -> list[Window]:
    found: list[Window] = []
    try:
        for window in pipeline.windows(start, end):
            if most is not None and len(found) >= most:
                break
            found.append(window)
    except ConfigError:
        return found  # the schedule ends before the span does
    return found


def _chosen(windows: list[Window]) -> Iterator[Window | str]:
    """All of a few windows; of many the first, those over a change of the clock, and the last."""
    if len(windows) <= _SHOWN:
        yield from windows
        return
    yield from windows[:_ENDS]
    odd = [window for window in windows[_ENDS:-_ENDS] if _changes(window)]
    yield f"  … {len(windows) - 2 * _ENDS} more" + (", among them those over a change of the clock" if odd else "")
    yield from odd[:_ENDS]
    yield from windows[-_ENDS:]


def _changes(window: Window) -> bool:
    return window.local_start.utcoffset() != window.local_end.utcoffset()


def _head(pipeline: Pipeline) -> str:
    return f"windows (half-open; local time of {pipeline.timezone}, hours, UTC; * the clock changes)"


def _line(window: Window) -> str:
    begin, end = window.local_start, window.local_end
    hours = f"{(window.end - window.start) / timedelta(hours=1):g} h{'*' if _changes(window) else ' '}"
    until = f"{end:%H:%M%z}" if begin.date() == end.date() else f"{end:%a %Y-%m-%d %H:%M%z}"
    # The UTC span is what --window takes anywhere.
    span = f"{_short(window.start)}/{_short(window.end)}"
    return f"  {window.key}  {begin:%a %H:%M%z} .. {until}  {hours} {span}"


def _short(instant: datetime) -> str:
    return iso(instant).replace(":00Z", "Z")
