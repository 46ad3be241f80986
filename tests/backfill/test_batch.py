"""How a range is cut into Spark jobs."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from airflow_provider_etl.backfill.batch import chunks
from spark_jobs.window import Window

ZONE = ZoneInfo("America/New_York")


def days(first: datetime, number: int) -> list[Window]:
    """Local days; Python adds days on the wall clock."""
    cuts = [first + timedelta(days=day) for day in range(number + 1)]
    return [Window(start=start, end=end, timezone=str(ZONE)) for start, end in itertools.pairwise(cuts)]


def test_thirty_days_are_thirty_windows_over_a_daylight_saving_change() -> None:
    windows = days(datetime(2013, 2, 20, tzinfo=ZONE), 65)
    parts = chunks(windows, timedelta(days=30))
    assert [len(part) for part in parts] == [30, 30, 5]
    assert [window for part in parts for window in part] == windows
    autumn = days(datetime(2013, 10, 20, tzinfo=ZONE), 61)
    assert [len(part) for part in chunks(autumn, timedelta(days=30))] == [30, 30, 1]


def test_a_gap_begins_a_part_only_where_it_leaves_the_span() -> None:
    windows = days(datetime(2013, 1, 1, tzinfo=ZONE), 20)
    assert [len(part) for part in chunks(windows[:3] + windows[5:8] + windows[12:], timedelta(days=10))] == [6, 8]


def test_no_span_is_one_job_and_no_window_none() -> None:
    windows = days(datetime(2013, 1, 1, tzinfo=ZONE), 3)
    assert chunks(windows, timedelta.max) == [windows]
    assert chunks([], timedelta(days=1)) == []
