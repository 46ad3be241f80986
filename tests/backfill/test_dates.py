"""`--from` and `--to` are starts of windows, both included; native dates are what Airflow makes of them."""

from __future__ import annotations

import pytest

from airflow_provider_etl.backfill.dates import native, starts
from spark_jobs.errors import ConfigError

NEW_YORK = "America/New_York"


def ends(first: str, last: str, zone: str = NEW_YORK) -> tuple[str, str]:
    """The instants of a range, in UTC."""
    found = starts(first, last, zone)
    return found.first.isoformat(), found.last.isoformat()


def test_a_date_means_every_window_that_starts_on_that_local_day() -> None:
    assert ends("2013-01-01", "2013-01-01") == ("2013-01-01T05:00:00+00:00", "2013-01-02T04:59:59.999999+00:00")


def test_days_of_23_and_25_hours_are_whole() -> None:
    assert ends("2013-03-10", "2013-03-10") == ("2013-03-10T05:00:00+00:00", "2013-03-11T03:59:59.999999+00:00")
    assert ends("2013-11-03", "2013-11-03") == ("2013-11-03T04:00:00+00:00", "2013-11-04T04:59:59.999999+00:00")


def test_a_time_is_one_start() -> None:
    assert ends("2013-01-01T06:00", "2013-01-01T06:00") == ("2013-01-01T11:00:00+00:00",) * 2
    assert ends("2013-01-01T06:00Z", "2013-01-01T07:00Z")[0] == "2013-01-01T06:00:00+00:00"


def test_a_native_date_is_its_midnight_in_airflow_s_zone() -> None:
    found = native("2013-01-01", "2013-01-07", "UTC")
    assert found.first.isoformat() == "2013-01-01T00:00:00+00:00"
    assert found.last.isoformat() == "2013-01-07T00:00:00+00:00"


@pytest.mark.parametrize(
    ("first", "last", "why"),
    [
        ("2013-01-02", "2013-01-01", "ends before it begins"),
        ("tomorrow", "2013-01-01", "--from 'tomorrow' is not a date"),
        ("2013-03-10T02:30", "2013-03-11", "skips"),
    ],
)
def test_what_is_no_range_is_refused(first: str, last: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        starts(first, last, NEW_YORK)
