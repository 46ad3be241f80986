"""A census: how many rows of each window a table holds, in one pass over one column."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.strategies import Append, ReplaceWindow, Strategy, quoted, text
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

# Rows are grouped by the longest of these that no window's edge cuts, so that few groups come back.
_UNITS: Final = {"DAY": timedelta(days=1), "HOUR": timedelta(hours=1), "MINUTE": timedelta(minutes=1)}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Census:
    """What was counted.

    Args:
        rows: of the table, or of the pipeline's part of it.
        windows: window -> its rows, in the order of their starts.
        outside: rows of none of them.
    """

    rows: int
    windows: dict[Window, int]
    outside: int


def census(table: DataFrame, write: Strategy | Keyed, pipeline: str, windows: Sequence[Window], where: str) -> Census:
    """Count a table's rows by window.

    Args:
        table: the rows that are the pipeline's.
        write: how it loads them.
        pipeline: its id, which rows of `append` carry.
        windows: that don't overlap.
        where: place in the pipeline file.

    Raises:
        ConfigError: the strategy is one by key; the window's column isn't a date or a timestamp; or no row says that
            it is this pipeline's.
    """
    if isinstance(write, Keyed):
        raise ConfigError(
            f"strategy {write.strategy}: no row says which window brought it",
            where=where,
            expected="a strategy whose rows are of a window: replace_window, append or snapshot",
            remedy="load the windows: merge takes the table's rows as they are, and the sequence decides",
        )
    if isinstance(write, ReplaceWindow):
        return _by_column(table, write, windows, where)
    if isinstance(write, Append):
        return _by_rows(table, pipeline, windows, where)
    rows = table.count()
    return Census(rows=rows, windows=dict.fromkeys(windows[-1:], rows), outside=0)


def _by_column(table: DataFrame, write: ReplaceWindow, windows: Sequence[Window], where: str) -> Census:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    ordered = sorted(windows)
    if ordered:
        write.condition(table, ordered[0], where)  # refuses a column that no window can be told by
    is_date = table.schema[write.column].dataType.typeName() == "date"
    column = F.col(quoted(write.column))
    # As numbers: Python's timestamps come in the zone of the machine.
    moment = column if is_date else F.unix_micros(F.date_trunc(_unit(ordered), column))
    groups = table.groupBy(moment.alias("moment")).count().collect()
    starts = [window.start for window in ordered]
    counts = dict.fromkeys(ordered, 0)
    outside = 0
    for group in groups:
        window = _window_of(group["moment"], ordered, starts)
        if window is None:
            outside += int(group["count"])
        else:
            counts[window] += int(group["count"])
    return Census(rows=sum(int(group["count"]) for group in groups), windows=counts, outside=outside)


def _unit(windows: Sequence[Window]) -> str:
    edges = {edge for window in windows for edge in (window.start, window.end)}
    fitting = (name for name, unit in _UNITS.items() if not any((edge - _EPOCH) % unit for edge in edges))
    return next(fitting, "MICROSECOND")


def _window_of(moment: Any, windows: Sequence[Window], starts: Sequence[datetime]) -> Window | None:
    if moment is None or not windows:
        return None
    if isinstance(moment, date):
        instant = datetime.combine(moment, time(), tzinfo=windows[0].zone).astimezone(UTC)
    else:
        instant = _instant(moment)
    place = bisect_right(starts, instant) - 1
    return windows[place] if place >= 0 and instant < windows[place].end else None


def _instant(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _by_rows(table: DataFrame, pipeline: str, windows: Sequence[Window], where: str) -> Census:
    from pyspark.sql import functions as F  # noqa: N812

    mine = table.where(f"_pipeline = {text(pipeline)}")
    ends = [F.unix_micros(F.col(name)).alias(name) for name in ("_window_start", "_window_end")]
    groups = mine.groupBy(*ends).count().collect()
    if not groups:
        others = [row[0] for row in table.select("_pipeline").distinct().limit(5).collect()]
        raise ConfigError(
            f"no row says that it is of pipeline {pipeline!r}",
            where=where,
            expected=f"it in the column _pipeline, found {', '.join(map(repr, others)) or 'no row'}",
            remedy=f"say `id: {others[0]}` in the pipeline file" if others and others[0] else "",
        )
    zone = windows[0].timezone if windows else "UTC"
    first, last = (windows[0].start, windows[-1].end) if windows else (None, None)
    counts: dict[Window, int] = {}
    outside = 0
    for group in groups:
        start, end = _instant(group["_window_start"]), _instant(group["_window_end"])
        window = Window(start=start, end=end, timezone=zone)
        if first is not None and last is not None and first <= window.start and window.end <= last:
            counts[window] = int(group["count"])
        else:
            outside += int(group["count"])
    return Census(
        rows=sum(int(group["count"]) for group in groups), windows=dict(sorted(counts.items())), outside=outside
    )
