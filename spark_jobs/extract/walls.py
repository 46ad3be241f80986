"""Windows and wall-clock times: what a database can be asked, so that Spark needs to look at few rows more."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from spark_jobs.window import Window

_AROUND = timedelta(hours=26)  # no zone changes its offset by more than a day


def walls(window: Window, zone: ZoneInfo) -> tuple[datetime, datetime, bool]:
    """The wall-clock times (naive) between which all that belongs to a window lies.

    Args:
        window: the window.
        zone: where the clock hangs.

    Returns:
        `(first, after_last, exact)`; not exact where the clock is changed near an end: then a wall-clock time between
        them may belong to a window beside this one.
    """
    first, last = _offsets(window.start, zone), _offsets(window.end, zone)
    start, end = (edge.replace(tzinfo=None) for edge in (window.start, window.end))
    return start + min(first), end + max(last), len(first) == len(last) == 1


def _offsets(edge: datetime, zone: ZoneInfo) -> set[timedelta]:
    near = (edge - _AROUND, edge, edge + _AROUND)
    return {at.astimezone(zone).utcoffset() or timedelta() for at in near}
