"""Windows are cut on the wall clock of the pipeline's zone, as Airflow's interval timetable cuts them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from airflow_provider_etl.spec.schedule import Cron, Cuts, Every, Partition, windows
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window
from tests.spec.conftest import PIPELINE, Project

NEW_YORK = PIPELINE.replace("start: 2013", "timezone: America/New_York\nstart: 2013")
BY_COLUMN = "orders/all.csv\n    columns: {at: {type: timestamp}}\n    window: {column: at}"


def by_column(text: str) -> str:
    """The pipeline with a source that has the rows of all windows."""
    return text.replace("orders/${window.start:%Y-%m-%d}.csv", BY_COLUMN)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def test_days_have_23_24_and_25_hours(project: Project) -> None:
    pipeline = project.pipeline(NEW_YORK)
    hours = {
        window.key: (window.end - window.start) / timedelta(hours=1)
        for window in pipeline.windows(date(2013, 1, 1), date(2014, 1, 1))
    }
    assert len(hours) == 365
    assert {key: value for key, value in hours.items() if value != 24} == {"2013-03-10": 23, "2013-11-03": 25}


def test_windows_follow_one_another_without_gap_or_overlap(project: Project) -> None:
    for schedule in ('"@daily"', '"@hourly"', "30 2 * * *", "{every: 7h}", "0 9-17/2 * * 1-5"):
        pipeline = project.pipeline(NEW_YORK.replace('"@daily"', schedule))
        found = list(pipeline.windows(date(2013, 3, 1), date(2013, 12, 1)))
        assert all(before.end == after.start for before, after in pairwise(found)), schedule
        assert len({window.key for window in found}) == len(found), schedule


def test_the_hour_that_happens_twice_is_two_windows(project: Project) -> None:
    pipeline = project.pipeline(NEW_YORK.replace("@daily", "@hourly"))
    keys = [window.key for window in pipeline.windows(date(2013, 11, 3), date(2013, 11, 4))]
    assert len(keys) == 25
    assert keys[1:3] == ["2013-11-03T0100m0400", "2013-11-03T0100m0500"]
    assert len(list(pipeline.windows(date(2013, 3, 10), date(2013, 3, 11)))) == 23


def test_only_windows_that_lie_inside_whole_are_given(project: Project) -> None:
    pipeline = project.pipeline()
    found = list(pipeline.windows(datetime(2013, 1, 1, 12), datetime(2013, 1, 4, 12)))  # noqa: DTZ001 - local times
    assert [window.key for window in found] == ["2013-01-02", "2013-01-03"]
    assert list(pipeline.windows(date(2013, 1, 4), date(2013, 1, 1))) == []


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2013-01-01/2013-01-02", utc(2013, 1, 1, 5), utc(2013, 1, 2, 5)),
        ("2013-01-01", utc(2013, 1, 1, 5), utc(2013, 1, 2, 5)),
        ("2013-03-10", utc(2013, 3, 10, 5), utc(2013, 3, 11, 4)),
        ("2013-11-03", utc(2013, 11, 3, 4), utc(2013, 11, 4, 5)),
        (" 2013-01-01T06:00 / 2013-01-01 07:30 ", utc(2013, 1, 1, 11), utc(2013, 1, 1, 12, 30)),
        ("2013-01-01T00:00Z/2013-01-01T00:00+01:00", None, None),
        ("2013-01-01T00:00+01:00/2013-01-01T00:00Z", utc(2012, 12, 31, 23), utc(2013, 1, 1)),
        ("2013-01-01T05:00:00Z", utc(2013, 1, 1, 5), utc(2013, 1, 2, 5)),
        ("2013-11-03T01:30-05:00/2013-11-03T02:30", utc(2013, 11, 3, 6, 30), utc(2013, 11, 3, 7, 30)),
    ],
)
def test_a_window_from_text(project: Project, text: str, start: datetime | None, end: datetime | None) -> None:
    pipeline = project.pipeline(by_column(NEW_YORK))
    if start is None:
        with pytest.raises(ConfigError, match="inverted"):
            pipeline.window_of(text)
    else:
        assert end is not None
        assert pipeline.window_of(text) == Window(start=start, end=end, timezone="America/New_York")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is not a date"),
        ("yesterday", "is not a date"),
        ("2013-13-01", "month must be in 1..12"),
        ("2013-01-01/", "is not a date"),
        ("2013-01-01/2013-01-02/2013-01-03", "is no window"),
        ("2013-01-02/2013-01-01", "empty or inverted"),
        ("2013-01-01/2013-01-01", "empty or inverted"),
        ("2013-01-01T12:00", "no window of the schedule starts at 2013-01-01T12:00:00-05:00"),
        ("2013-03-10T02:30/2013-03-11", "skips 2013-03-10T02:30:00"),
        ("2013-11-03T01:30/2013-11-04", "repeats 2013-11-03T01:30:00"),
        ("0001-01-01/9999-12-31", "year from 1900 to 2199"),
    ],
)
def test_what_is_no_window_says_why(project: Project, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        project.pipeline(NEW_YORK).window_of(text)


def test_a_start_off_the_schedule_names_the_nearest_ones(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"2013-01-01T00:00:00-05:00 or 2013-01-02T00:00:00-05:00"):
        project.pipeline(NEW_YORK).window_of("2013-01-01T12:00")


@pytest.mark.parametrize(
    ("schedule", "text", "near"),
    [
        ('"@daily"', "2013-01-01/2013-01-03", "2013-01-01/2013-01-02 or 2013-01-02/2013-01-03"),
        ('"@daily"', "2013-01-01/2014-01-01", "2013-01-01/2013-01-02 or 2013-12-31/2014-01-01"),
        ('"@daily"', "2013-01-01T06:00/2013-01-01T07:00", "2013-01-01/2013-01-02, remedy"),
        ("0 0 * * 1-5", "2013-01-04/2013-01-05", "2013-01-04/2013-01-07, remedy"),
        ("{every: 6h}", "2013-01-01/2013-01-01T12:00", "2013-01-01/2013-01-01T06:00"),
    ],
)
def test_where_a_source_names_the_window_only_those_of_the_schedule_are_windows(
    project: Project, schedule: str, text: str, near: str
) -> None:
    """A wider one would read the first window's file alone, and clear the rows of the others."""
    pipeline = project.pipeline(NEW_YORK.replace('"@daily"', schedule))
    with pytest.raises(ConfigError) as error:
        pipeline.window_of(text)
    told = str(error.value).replace("-05:00", "")
    assert "${window…}" in told
    assert near.removesuffix(", remedy") in told
    assert " or 2013" not in told or not near.endswith("remedy")
    assert "backfill" in told
    assert pipeline.span_of(text) == project.pipeline(by_column(NEW_YORK)).window_of(text)


@pytest.mark.parametrize(
    ("schedule", "zone"),
    [
        ('"@daily"', "America/New_York"),
        ('"@hourly"', "America/New_York"),
        ('"@weekly"', "America/Sao_Paulo"),
        ('"@daily"', "America/Sao_Paulo"),
        ("30 2 * * *", "Europe/Berlin"),
        ("{every: 7h}", "Asia/Amman"),
    ],
)
def test_each_of_the_schedules_windows_is_one_when_its_ends_are_named(
    project: Project, schedule: str, zone: str
) -> None:
    pipeline = project.pipeline(NEW_YORK.replace('"@daily"', schedule).replace("America/New_York", zone))
    for day in ZONES[zone]:
        found = list(pipeline.windows(day - timedelta(days=9), day + timedelta(days=9)))
        assert found
        assert [pipeline.window_of(str(window)) for window in found] == found
        if schedule == '"@daily"':
            dates = ["/".join(str(end) for end in window.dates) for window in found]
            assert [pipeline.window_of(text) for text in dates if "2013" in text] == found


@pytest.mark.parametrize("schedule", ["manual", "{assets: [x]}"])
def test_without_a_schedule_in_time_both_ends_are_needed(project: Project, schedule: str) -> None:
    pipeline = project.pipeline(PIPELINE.replace('"@daily"', schedule))
    assert pipeline.window_of("2013-01-01/2013-01-03").end == utc(2013, 1, 3)
    with pytest.raises(ConfigError, match="START/END"):
        pipeline.window_of("2013-01-01")
    with pytest.raises(ConfigError, match="no schedule"):
        pipeline.windows(date(2013, 1, 1), date(2013, 1, 2))


def test_every_counts_real_time_from_the_start(project: Project) -> None:
    pipeline = project.pipeline(NEW_YORK.replace('"@daily"', "{every: 6h}").replace("2013-01-01", "2013-01-01T01:00"))
    found = list(pipeline.windows(date(2013, 3, 10), date(2013, 3, 11)))
    assert [window.key for window in found] == ["2013-03-10T0100", "2013-03-10T0800", "2013-03-10T1400"]
    before = list(pipeline.windows(date(2012, 12, 31), date(2013, 1, 1)))
    assert [window.key for window in before] == ["2012-12-31T0100", "2012-12-31T0700", "2012-12-31T1300"]


@pytest.mark.parametrize(
    ("expression", "zone", "key"),
    [
        ("@daily", "America/New_York", "%Y-%m-%d"),
        ("0 0 * * 1-5", "America/New_York", "%Y-%m-%d"),
        ("0 2 * * *", "America/New_York", "%Y-%m-%dT%H:%M:%S"),
        ("0 */2 * * *", "America/New_York", "%Y-%m-%dT%H:%M:%S"),
        ("@hourly", "America/New_York", "%Y-%m-%dT%H:%M:%S%z"),
        ("5 */1 * * *", "America/New_York", "%Y-%m-%dT%H:%M:%S%z"),
        ("@hourly", "UTC", "%Y-%m-%dT%H:%M:%S"),
    ],
)
def test_a_partition_s_key_has_as_much_of_the_clock_as_tells_it_from_the_others(
    expression: str, zone: str, key: str
) -> None:
    schedule = Partition(expression)
    assert schedule.key_format(zone) == key
    cuts = Cuts(schedule=schedule, timezone=zone, anchor=utc(2013, 1, 1))
    found = [window.local_start.strftime(key) for window in windows(cuts, utc(2013, 11, 1), utc(2013, 11, 6))]
    assert len(set(found)) == len(found) > 1


# Zone -> days around which its clock changed. (Where it changes by half an hour, Airflow's own hourly windows break.)
ZONES = {
    "UTC": [utc(2013, 1, 1)],
    "America/New_York": [utc(2013, 3, 10), utc(2013, 11, 3)],
    "Europe/Berlin": [utc(2013, 3, 31), utc(2013, 10, 27)],
    "Asia/Kathmandu": [utc(2013, 1, 1)],
    "America/Sao_Paulo": [utc(2013, 2, 17), utc(2013, 10, 20)],
    "Asia/Amman": [utc(2012, 10, 26), utc(2013, 10, 25)],
}
EXPRESSIONS = ["0 0 * * *", "0 * * * *", "*/15 * * * *", "30 2 * * *", "0 0 1 * *", "15 1,3 * * 0", "0 0 * * 1-5"]


@pytest.mark.airflow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_windows_are_those_of_airflows_interval_timetable(zone: str, expression: str) -> None:
    import pendulum
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.interval import CronDataIntervalTimetable

    timetable = CronDataIntervalTimetable(expression, timezone=pendulum.timezone(zone))
    cuts = Cuts(schedule=Cron(expression), timezone=zone, anchor=utc(2013, 1, 1))
    for day in ZONES[zone]:
        begin = day - timedelta(hours=30)
        ours = list(windows(cuts, begin, day + timedelta(hours=42)))
        restriction = TimeRestriction(earliest=pendulum.instance(begin), latest=None, catchup=True)
        theirs, last = [], None
        for _ in ours:
            info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
            assert info is not None
            last = info.data_interval
            theirs.append((last.start, last.end))
        assert [(window.start, window.end) for window in ours] == theirs
        assert len(ours) > 0 or expression in ("0 0 1 * *", "15 1,3 * * 0", "0 0 * * 1-5")


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from(sorted(ZONES)),
    schedule=st.sampled_from(
        [Cron(text) for text in EXPRESSIONS] + [Every(timedelta(minutes=m)) for m in (7, 60, 1440)]
    ),
    instant=st.datetimes(datetime(2012, 1, 1), datetime(2014, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
@example("America/New_York", Cron("15 1,3 * * 0"), datetime(2012, 11, 4, 5, 15, 0, 1, tzinfo=UTC))
@example("America/New_York", Cron("15 1,3 * * 0"), datetime(2012, 11, 4, 5, 30, tzinfo=UTC))
@example("America/New_York", Cron("15 1,3 * * 0"), datetime(2012, 11, 4, 6, 15, tzinfo=UTC))
@example("America/Sao_Paulo", Cron("0 0 * * *"), datetime(2013, 10, 20, 3, tzinfo=UTC))
@example("America/New_York", Cron("30 2 * * *"), datetime(2013, 3, 10, 7, 30, tzinfo=UTC))
def test_every_instant_lies_between_two_cuts_that_lead_to_each_other(
    zone: str, schedule: Cron | Every, instant: datetime
) -> None:
    cuts = Cuts(schedule=schedule, timezone=zone, anchor=utc(2013, 1, 1, 3, 30))
    before, after = cuts.previous(instant), cuts.next(instant)
    assert before < instant < after
    assert cuts.first(after) == after
    assert cuts.first(instant) in (instant, after)
