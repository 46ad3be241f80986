"""`lookback`: how far back a window reaches, and which files may say it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_etl.cli import explain
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.lookback import reach
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window
from tests.spec.conftest import Project

PIPELINE = """\
schedule: "@daily"
start: 2013-01-01
timezone: America/New_York
lookback: 2d
extract:
  orders:
    type: files
    path: ${env.raw}/orders
    format: csv
    new_columns: freeze
    window: {column: at}
    columns:
      id: {type: int}
      at: {type: timestamp, required: true}
transform:
  - from: orders
  - filter: id > 0
load:
  lake:
    type: delta
    path: ${env.lake}/orders
    write: {strategy: replace_window, column: at}
"""
APPEND = PIPELINE.replace("replace_window, column: at", "append")
OLD = "  old: OLD\n  result: {from: orders, steps: [{union: [old]}]}\n"
HOUR = timedelta(hours=1)


def plan(pipeline: Pipeline, text: str) -> Plan:
    return pipeline.plan(pipeline.window_of(text), Attempt(number=1, token="t", run="r"))


def reached(project: Project, text: str, start: str) -> str:
    found = plan(project.pipeline(text), start).reach
    assert found is not None
    return f"{found.local_start.isoformat()}/{found.local_end.isoformat()}"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ("  - from: customers\n  - join: {with: orders, on: [id]}\n", True),
        ("  - from: customers\n  - sql: SELECT id, at FROM orders\n", True),
        ("  - from: customers\n  - join: {with: customers, on: [id]}\n", False),
        ("  - from: orders\n  - join: {with: customers, on: [id]}\n", False),
        ("  - from: orders\n  - join: {with: more, on: [id], how: full, columns: [then]}\n", True),
        ("  - from: orders\n  - join: {with: more, on: [id], columns: [then]}\n", False),
        ("  - from: orders\n  - union: [more]\n", True),
        ("  - from: orders\n  - union: [customers]\n", False),
        (OLD.replace("OLD", "{from: more, steps: [{rename: {then: at}}]}"), False),
        (OLD.replace("OLD", "{from: orders, steps: [{drop: [at]}]}"), True),
        (OLD.replace("OLD", "{from: orders}"), False),
        ("  - from: orders\n  - join: {with: more, on: {at: then}, how: full, columns: []}\n", False),
    ],
)
def test_rows_from_before_the_window_come_into_no_dataset_that_cannot_tell_them(
    project: Project, steps: str, told: bool
) -> None:
    more = "".join(
        f"  {name}: {{type: files, path: '${{env.raw}}/{name}', format: csv, window: {window}, columns: {columns}}}\n"
        for name, window, columns in (
            ("customers", "all", "{id: {type: int}}"),
            ("more", "{column: then}", "{id: {type: int}, then: {type: timestamp, required: true}}"),
        )
    )
    text = changed("  - from: orders\n  - filter: id > 0\n", steps, APPEND).replace("transform:", f"{more}transform:")
    codes = [line.split(" ")[1] for line in project.told(text) if "unused-dataset" not in line]
    assert codes == (["lookback-context"] if told else [])


def changed(old: str, new: str, text: str = PIPELINE) -> str:
    assert old in text
    return text.replace(old, new)


def test_a_plan_reaches_before_its_window(project: Project) -> None:
    assert reached(project, PIPELINE, "2013-01-10") == "2013-01-08T00:00:00-05:00/2013-01-11T00:00:00-05:00"
    made = plan(project.pipeline(PIPELINE), "2013-01-10")
    assert Plan.from_json(json.loads(json.dumps(made.to_json()))) == made
    assert made.reading == made.reach
    assert str(made.window) == "2013-01-10T05:00:00Z/2013-01-11T05:00:00Z"


def test_without_it_a_plan_reads_its_window(project: Project) -> None:
    made = plan(project.pipeline(changed("lookback: 2d\n", "")), "2013-01-10")
    assert made.reach is None
    assert made.reading == made.window


def test_whole_days_stay_whole_days_when_the_clock_changes(project: Project) -> None:
    assert reached(project, PIPELINE, "2013-03-11") == "2013-03-09T00:00:00-05:00/2013-03-12T00:00:00-04:00"
    assert reached(project, PIPELINE, "2013-11-04") == "2013-11-02T00:00:00-04:00/2013-11-05T00:00:00-05:00"


def test_parts_of_days_are_real_hours(project: Project) -> None:
    found = reached(project, changed("2d", "12h"), "2013-03-11")
    assert found.startswith("2013-03-10T12:00:00-04:00/")
    found = reached(project, changed("lookback: 2d", "lookback: 36h"), "2013-03-11")
    assert found.startswith("2013-03-09T12:00:00-05:00/")  # a day of the clock, then twelve hours


def test_nothing_before_the_first_window_is_read(project: Project) -> None:
    assert reached(project, PIPELINE, "2013-01-02").startswith("2013-01-01T00:00:00-05:00/")
    assert reached(project, PIPELINE, "2013-01-01").startswith("2013-01-01T00:00:00-05:00/")
    late = changed("start: 2013-01-01", 'start: "2013-01-01T12:00"')
    assert reached(project, late, "2013-01-03").startswith("2013-01-02T00:00:00-05:00/")
    assert reached(project, changed("2d", "3660d"), "2013-01-20").startswith("2013-01-01T00:00:00-05:00/")


def test_a_window_before_the_start_reaches_no_further_than_itself(project: Project) -> None:
    assert reached(project, PIPELINE, "2012-12-01/2012-12-02").startswith("2012-12-01T00:00:00-05:00/")


@pytest.mark.parametrize("schedule", ["manual", "{assets: [other.lake]}"])
def test_a_window_that_is_given_reaches_back_as_well(project: Project, schedule: str) -> None:
    text = changed('"@daily"', schedule)
    assert reached(project, text, "2013-05-05/2013-05-06").startswith("2013-05-03T00:00:00-04:00/")
    text = changed("start: 2013-01-01\n", "", text)
    assert reached(project, text, "2012-05-05/2012-05-06").startswith("2012-05-03T00:00:00-04:00/")


@given(
    hours=st.integers(min_value=0, max_value=24 * 365),
    length=st.integers(min_value=1, max_value=400),
    back=st.integers(min_value=1, max_value=24 * 40),
    first=st.none() | st.integers(min_value=0, max_value=24 * 365),
)
def test_a_reach_holds_its_window_and_begins_where_windows_may(
    hours: int, length: int, back: int, first: int | None
) -> None:
    begin = datetime(2013, 1, 1, 5, tzinfo=UTC)
    window = Window(start=begin + hours * HOUR, end=begin + (hours + length) * HOUR, timezone="America/New_York")
    least = None if first is None else begin + first * HOUR
    found = reach(window, back * HOUR, least)
    assert found.end == window.end
    assert found.start <= window.start
    assert window.start - found.start <= (back + 1) * HOUR
    if least is not None:
        assert found.start >= min(least, window.start)
    if least is None and window.whole_days and back % 24 == 0:
        assert found.whole_days
        assert (window.local_start.date() - found.local_start.date()).days == back // 24


def test_the_fingerprint_changes_with_it_and_only_then(project: Project) -> None:
    texts = [changed("lookback: 2d\n", ""), PIPELINE, changed("2d", "3d"), changed("2d", "48h")]
    prints = [project.pipeline(text).fingerprint for text in texts]
    assert len(set(prints)) == 3
    assert prints[1] == prints[3]


def test_one_window_runs_at_a_time(project: Project) -> None:
    assert project.pipeline(PIPELINE).max_active_windows == 1
    (told,) = project.told(changed("lookback", "max_active_windows: 2\nlookback"))
    assert told.startswith(
        "4:21 conflicting-keys max_active_windows | 2 windows at a time, where lookback lets each reach into others |"
    )
    assert project.told(changed("lookback", "max_active_windows: 1\nlookback")) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("0d", "4:11 out-of-range lookback | '0d' is out of range"),
        ("-1d", "4:11 wrong-type lookback"),
        ("2 months", "4:11 wrong-type lookback"),
        ("2M", "4:11 wrong-type lookback"),
        ("soon", "4:11 wrong-type lookback"),
        ("2", "4:11 wrong-type lookback"),
        ("[2d]", "4:11 wrong-type lookback"),
        ("1.5d", "4:11 wrong-type lookback"),
        ("99999d", "4:11 wrong-type lookback"),
    ],
)
def test_what_is_no_length_of_time_is_refused(project: Project, value: str, told: str) -> None:
    (found,) = project.told(changed("lookback: 2d", f"lookback: {value}"))
    assert found.startswith(told)


def test_a_lookback_that_no_source_has_a_use_for_is_refused(project: Project) -> None:
    for window in ("window: all", "path: ${env.raw}/${window.key}.csv"):
        text = changed("    window: {column: at}\n", f"    {window}\n")
        text = text.replace("    path: ${env.raw}/orders\n", "", 1) if window.startswith("path") else text
        (told,) = project.told(text)
        assert told.startswith("4:11 lookback-unused lookback | no source has a window column")


def test_a_source_that_finds_the_windows_files_alone_can_not_look_back(project: Project) -> None:
    (told,) = project.told(changed("/orders\n    format", "/${window.key}.csv\n    format"))
    assert told.startswith("6:3 lookback-path extract.orders | source 'orders' names the window")


def test_the_windows_column_must_reach_a_load_that_does_not_replace_the_reach(project: Project) -> None:
    assert project.told(APPEND) == []
    for step in ("drop: [at]", "select: [id]", "rename: {at: moment}", "aggregate: {by: [id], values: {n: count(*)}}"):
        (told,) = project.told(changed("  - filter: id > 0\n", f"  - {step}\n", APPEND))
        assert " lookback-column load.lake | dataset 'result' has no column 'at'" in told, step
    assert project.told(changed("  - filter: id > 0\n", "  - rename: {at: AT}\n", APPEND)) == []


def test_a_column_that_nothing_is_known_of_is_left_to_the_run(project: Project) -> None:
    text = changed("    new_columns: freeze\n", "", APPEND)
    text = text[: text.index("    columns:")] + text[text.index("transform:") :]
    assert not [line for line in project.told(text) if "lookback" in line]


def test_one_dataset_can_not_be_loaded_with_context_and_without(project: Project) -> None:
    log = "  log: {type: delta, path: '${env.lake}/log', write: {strategy: append}}\n"
    (told,) = project.told(PIPELINE + log)
    assert told.startswith("23:3 lookback-mixed load.log | load 'log' takes the window's rows of 'result' alone, load")
    assert "own: {from: result}" in told


def test_a_date_can_not_say_what_lies_in_a_part_of_a_day(project: Project) -> None:
    text = changed("at: {type: timestamp", "at: {type: date")
    assert project.told(text) == []
    found = project.told(changed("lookback: 2d", "lookback: 12h", text))
    assert [line.split(" | ")[0].split(" ", 1)[1] for line in found] == [
        "date-window extract.orders.window.column",
        "date-window load.lake.write.column",
    ]


def test_a_lookback_longer_than_the_window_is_fine(project: Project) -> None:
    text = changed('"@daily"', '"@hourly"')
    assert project.told(text) == []
    assert reached(project, text, "2013-01-10T07:00").startswith("2013-01-08T07:00:00-05:00/")


def told_by_explain(project: Project, text: str) -> str:
    asked = project.pipeline(text).window_of("2013-01-10")
    lines = explain.explained(project.pipeline(text), asked, datetime(2013, 1, 10, tzinfo=UTC))
    return " ".join(" ".join(lines).split())


def test_explain_says_what_is_read_and_what_is_replaced(project: Project) -> None:
    text = told_by_explain(project, PIPELINE)
    assert "rows of the window and the 2d before it by at" in text
    assert "one commit replaces exactly the rows of [start - 2d, end)" in text
    assert "each is as its source said when it was last read" in text
    assert "no two windows share a row" not in text
    assert "read from Tue 2013-01-08 00:00-0500, 2013-01-08T05:00:00Z/2013-01-11T05:00:00Z" in text


def test_explain_says_what_is_context(project: Project) -> None:
    text = told_by_explain(project, APPEND)
    assert "rows of the 2d before the window by at are read for the steps alone" in text
    assert "each window has rows of its own" in text
    assert "read from" not in told_by_explain(project, changed("lookback: 2d\n", ""))


def test_dates_of_the_first_window_are_the_schedules(project: Project) -> None:
    pipeline = project.pipeline(PIPELINE)
    first = next(pipeline.windows(date(2013, 1, 1), date(2013, 2, 1)))
    assert pipeline.reach(first) == first
