"""A census: how many rows of each window a table holds, in one pass over one column."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
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
UNITS: Final = {
    "DAY": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "MICROSECOND": timedelta(microseconds=1),
}
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
        raise refused_by_key(write, where)
    if isinstance(write, ReplaceWindow):
        return _by_column(table, write, windows, where)
    if isinstance(write, Append):
        return _by_rows(table, pipeline, windows, where)
    rows = table.count()
    return Census(rows=rows, windows=dict.fromkeys(windows[-1:], rows), outside=0)


def refused_by_key(write: Keyed, where: str) -> ConfigError:
    """Why the windows of a strategy by key can't be counted."""
    return ConfigError(
        f"strategy {write.strategy}: no row says which window brought it",
        where=where,
        expected="a strategy whose rows are of a window: replace_window, append or snapshot",
        remedy="load the windows: merge takes the table's rows as they are, and the sequence decides",
    )


def _by_column(table: DataFrame, write: ReplaceWindow, windows: Sequence[Window], where: str) -> Census:
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    ordered = sorted(windows)
    if ordered:
        write.condition(table, ordered[0], where)  # refuses a column that no window can be told by
    is_date = table.schema[write.column].dataType.typeName() == "date"
    column = F.col(quoted(write.column))
    # As numbers: Python's timestamps come in the zone of the machine.
    moment = column if is_date else F.unix_micros(F.date_trunc(unit_of(ordered), column))
    groups = table.groupBy(moment.alias("moment")).count().collect()
    return of_moments([(group["moment"], int(group["count"])) for group in groups], ordered)


def of_moments(groups: Iterable[tuple[date | int | None, int]], windows: Sequence[Window]) -> Census:
    """Count rows by the windows in which their moments lie.

    Args:
        groups: (a day, or microseconds since 1970; how many rows have it).
        windows: in the order of their starts.
    """
    starts = [window.start for window in windows]
    counts, outside, rows = dict.fromkeys(windows, 0), 0, 0
    for moment, count in groups:
        window = _window_of(moment, windows, starts)
        rows += count
        if window is None:
            outside += count
        else:
            counts[window] += count
    return Census(rows=rows, windows=counts, outside=outside)


def unit_of(windows: Sequence[Window]) -> str:
    """The longest unit of time that no window's edge cuts, as Spark's date_trunc calls it."""
    edges = {edge for window in windows for edge in (window.start, window.end)}
    fitting = (name for name, unit in UNITS.items() if not any((edge - _EPOCH) % unit for edge in edges))
    return next(fitting)


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
    spans = [
        (_instant(group["_window_start"]), _instant(group["_window_end"]), int(group["count"])) for group in groups
    ]
    return of_spans(spans, windows)


def of_spans(groups: Iterable[tuple[datetime, datetime, int]], windows: Sequence[Window]) -> Census:
    """Count rows by the windows that they carry, as far as they lie in the span of some.

    Args:
        groups: (start, end, rows), aware.
        windows: in the order of their starts.
    """
    zone = windows[0].timezone if windows else "UTC"
    counts, outside, rows = dict[Window, int](), 0, 0
    for start, end, count in groups:
        window = Window(start=start, end=end, timezone=zone)
        rows += count
        if not windows or (windows[0].start <= window.start and window.end <= windows[-1].end):
            counts[window] = count
        else:
            outside += count
    return Census(rows=rows, windows=dict(sorted(counts.items())), outside=outside)
