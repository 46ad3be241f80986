"""Windows: half-open, in UTC, cut in a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

NEW_YORK = "America/New_York"


def window(start: str, end: str, zone: str = "UTC") -> Window:
    return Window.from_json({"start": start, "end": end, "timezone": zone})


def test_a_local_day_is_held_in_utc() -> None:
    made = window("2013-01-01T00:00:00-05:00", "2013-01-02T00:00:00-05:00", NEW_YORK)
    assert made.start == datetime(2013, 1, 1, 5, tzinfo=UTC)
    assert made.key == "2013-01-01"
    assert made.dates == (date(2013, 1, 1), date(2013, 1, 2))
    assert made.whole_days


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        ("2013-03-10T05:00:00Z", "2013-03-11T04:00:00Z", 23),
        ("2013-11-03T04:00:00Z", "2013-11-04T05:00:00Z", 25),
    ],
)
def test_days_of_23_and_25_hours_are_whole_days(start: str, end: str, hours: int) -> None:
    made = window(start, end, NEW_YORK)
    assert made.end - made.start == timedelta(hours=hours)
    assert made.whole_days
    assert made.key == start[:10]


@pytest.mark.parametrize(
    ("zone", "before", "start", "end", "day"),
    [
        ("Africa/Cairo", "2024-04-24T22:00Z", "2024-04-25T22:00Z", "2024-04-26T21:00Z", date(2024, 4, 26)),
        ("Asia/Beirut", "2024-03-29T22:00Z", "2024-03-30T22:00Z", "2024-03-31T21:00Z", date(2024, 3, 31)),
        ("America/Santiago", "2024-09-07T04:00Z", "2024-09-08T04:00Z", "2024-09-09T03:00Z", date(2024, 9, 8)),
    ],
)
def test_a_day_without_a_midnight_is_a_whole_day_and_so_is_the_one_before(
    zone: str, before: str, start: str, end: str, day: date
) -> None:
    made, ending = window(start, end, zone), window(before, start, zone)
    assert made.end - made.start == timedelta(hours=23)
    assert made.local_start.hour == 1
    assert made.whole_days
    assert ending.whole_days
    assert (ending.key, made.key) == (str(day - timedelta(days=1)), str(day))
    assert (ending.dates[1], made.dates) == (day, (day, day + timedelta(days=1)))
    assert window(ending.start.isoformat(), end, zone).whole_days


def test_the_hours_of_a_day_without_a_midnight_are_no_whole_days() -> None:
    first = window("2024-04-25T22:00Z", "2024-04-25T23:00Z", "Africa/Cairo")
    assert (first.whole_days, first.key) == (False, "2024-04-26T0100")
    last = window("2024-04-25T21:00Z", "2024-04-25T22:00Z", "Africa/Cairo")
    assert (last.whole_days, last.key) == (False, "2024-04-25T2300")


def test_the_hour_that_comes_twice_has_two_keys() -> None:
    first = window("2013-11-03T05:00:00Z", "2013-11-03T06:00:00Z", NEW_YORK)
    second = window("2013-11-03T06:00:00Z", "2013-11-03T07:00:00Z", NEW_YORK)
    assert first.local_start.hour == second.local_start.hour == 1
    assert first.key != second.key
    assert all(character.isalnum() or character in "-T" for character in first.key + second.key)


@pytest.mark.parametrize("end", ["2013-01-01T00:00:00Z", "2012-12-31T00:00:00Z"])
def test_an_empty_or_inverted_window_is_refused(end: str) -> None:
    with pytest.raises(ConfigError, match="empty or inverted"):
        window("2013-01-01T00:00:00Z", end)


def test_a_window_without_a_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="no timezone"):
        window("2013-01-01", "2013-01-02")


def test_json_round_trip() -> None:
    made = window("2013-01-01T05:00:00Z", "2013-01-01T05:15:00Z", NEW_YORK)
    assert Window.from_json(made.to_json()) == made
    assert made.to_json()["start"] == "2013-01-01T05:00:00Z"
    assert made.key == "2013-01-01T0000"


def test_airflow_s_own_instants_become_those_of_the_standard_library() -> None:
    pendulum = pytest.importorskip("pendulum")
    start = pendulum.datetime(2013, 1, 1, 5, 0, 0, 123, tz="America/New_York")
    window = Window(start=start, end=start.add(days=1))
    assert type(window.start) is datetime
    assert window.start == datetime(2013, 1, 1, 10, 0, 0, 123, tzinfo=UTC)
    assert (window.start - timedelta(hours=1)).tzinfo is UTC
