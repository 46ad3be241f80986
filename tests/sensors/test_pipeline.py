"""Another pipeline's windows, by the ledger in its tables: real Delta logs with our transactions in them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.sensors.condition import Answer
from airflow_provider_etl.sensors.pipeline import Lookback, OtherPipeline
from airflow_provider_etl.spec import Pipeline, load_mapping
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import LoadUnit, attempt_number
from spark_jobs.window import Window
from tests.sensors.asking import ask
from tests.spec.conftest import ENVIRONMENT

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def day(number: int, length: timedelta = DAY) -> Window:
    """A day of January 2013, or what begins with it."""
    start = datetime(2013, 1, number, tzinfo=UTC)
    return Window(start=start, end=start + length)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "config/environments/local.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(ENVIRONMENT)
    return tmp_path


def pipeline(folder: Path, **more: Any) -> Pipeline:
    """The pipeline that is waited for, with two loads."""
    write = more.pop("write", {"strategy": "append"})
    mapping: dict[str, Any] = {
        "schedule": "@hourly",
        "start": "2013-01-01",
        "extract": {"a": {"type": "files", "path": "data/${window.key}.csv", "format": "csv"}},
        "load": {name: {"type": "delta", "path": f"data/lake/{name}", "write": write} for name in ("one", "two")},
    }
    loaded = load_mapping(mapping | more, name="flights", base=folder)
    assert loaded.pipeline is not None, loaded.diagnostics
    return loaded.pipeline


def load(other: Pipeline, window: Window, *names: str, note: bool = False) -> None:
    """Commit as a load does: rows, and the unit with its number in the same commit."""
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    for name, (unit, options) in other.units(window).items():
        if name not in (names or ("one", "two")):
            continue
        number = unit.commit_number(attempt_number(other.fingerprint))
        entry = {"unit": unit.key, "number": number, "window": window.to_json()}
        said = {"userMetadata": json.dumps({"etl": entry})} if note else None
        properties = CommitProperties(app_transactions=[Transaction(unit.key, number)], custom_metadata=said)
        write_deltalake(options["path"], pa.table({"n": [1]}), mode="append", commit_properties=properties)


def waited(condition: OtherPipeline, other: Pipeline | None, window: Window) -> Answer:
    """What a sensor gets: prepared on the worker, carried as JSON, asked somewhere else."""
    return ask(condition, window=window, prepared=json.loads(json.dumps(condition.prepare(window, other))))


def test_a_day_is_there_when_all_its_hours_are_in_all_loads(folder: Path) -> None:
    other, condition = pipeline(folder), OtherPipeline(name="flights")
    assert waited(condition, other, day(2)).seen == "load one lacks 2013-01-02T00:00:00Z/2013-01-03T00:00:00Z"
    for hour in range(24):
        start = day(2).start + hour * HOUR
        window = Window(start=start, end=start + HOUR)
        load(other, window, "one")
        if hour != 7:
            load(other, window, "two")
    assert waited(condition, other, day(2)).seen == "load two lacks 2013-01-02T07:00:00Z/2013-01-02T08:00:00Z"
    assert waited(OtherPipeline(name="flights", load="one"), other, day(2)).found
    load(other, Window(start=day(2).start + 7 * HOUR, end=day(2).start + 8 * HOUR), "two")
    answer = waited(condition, other, day(2))
    assert (answer.found, answer.seen) == (True, "loaded: 2013-01-02T00:00:00Z/2013-01-03T00:00:00Z")
    assert not waited(OtherPipeline(name="flights", window="same"), other, day(2)).found


def test_an_hour_is_there_when_the_day_that_holds_it_is(folder: Path) -> None:
    other = pipeline(folder, schedule="@daily")
    hour = Window(start=day(2).start + HOUR, end=day(2).start + 2 * HOUR)
    assert not waited(OtherPipeline(name="flights"), other, hour).found
    load(other, day(2))
    assert waited(OtherPipeline(name="flights"), other, hour).found
    assert not waited(OtherPipeline(name="flights", window="same"), other, hour).found
    assert waited(OtherPipeline(name="flights", window="same"), other, day(2)).found


def test_days_are_cut_in_the_zone_of_the_one_that_is_waited_for(folder: Path) -> None:
    other = pipeline(folder, schedule="@daily", timezone="America/New_York")
    load(other, other.window_of("2013-01-02"))
    answer = waited(OtherPipeline(name="flights"), other, day(2))
    assert answer.seen == "load one lacks 2013-01-02T00:00:00Z/2013-01-02T05:00:00Z"
    load(other, other.window_of("2013-01-01"))
    assert waited(OtherPipeline(name="flights"), other, day(2)).found


def test_a_lookback_reaches_before_the_window_and_not_before_the_others_first(folder: Path) -> None:
    other = pipeline(folder, schedule="@daily")
    condition = OtherPipeline(name="flights", window=Lookback(lookback=2 * DAY))
    load(other, day(3))
    assert waited(condition, other, day(3)).seen == "load one lacks 2013-01-01T00:00:00Z/2013-01-03T00:00:00Z"
    load(other, day(1))
    load(other, day(2))
    assert waited(condition, other, day(3)).found
    assert waited(condition, other, day(1)).found, "before the first of January there is nothing to wait for"
    with pytest.raises(ConfigError, match="nothing of window 2012-12-30"):
        condition.prepare(Window(start=day(1).start - 2 * DAY, end=day(1).start), other)


def test_a_start_and_an_end_in_the_middle_of_a_window_begin_and_end_no_window(folder: Path) -> None:
    """Its first whole day is the third, its last one the fourth: nobody waits for what it never loads."""
    other = pipeline(folder, schedule="@daily", start="2013-01-02T05:00", end="2013-01-05T12:00")
    week = Window(start=day(1).start, end=day(8).start)
    prepared = OtherPipeline(name="flights").prepare(week, other)
    assert prepared["wanted"] == ["2013-01-03T00:00:00Z", "2013-01-05T00:00:00Z"]
    assert len(prepared["windows"]) == 2
    load(other, day(3))
    load(other, day(4))
    assert waited(OtherPipeline(name="flights"), other, week).found
    with pytest.raises(ConfigError, match="loads 2013-01-03T00:00:00Z to 2013-01-05T00:00:00Z: nothing of window"):
        OtherPipeline(name="flights").prepare(day(2), other)


def test_a_window_run_by_hand_counts_as_far_as_the_log_tells(folder: Path) -> None:
    other = pipeline(folder, schedule="@daily")
    load(other, day(1, 10 * DAY), note=True)
    assert waited(OtherPipeline(name="flights"), other, day(4)).found
    assert not waited(OtherPipeline(name="flights"), other, day(11)).found
    manual = pipeline(folder, schedule="manual")
    assert waited(OtherPipeline(name="flights"), manual, day(4)).found
    assert waited(OtherPipeline(name="flights", window="same"), manual, day(1, 10 * DAY)).found


def test_a_snapshot_is_enough_when_it_is_of_the_windows_end_or_later(folder: Path) -> None:
    other = pipeline(folder, schedule="@daily", write={"strategy": "snapshot"})
    condition = OtherPipeline(name="flights")
    assert waited(condition, other, day(2)).seen == "load one lacks a snapshot of 2013-01-03T00:00:00Z (has none)"
    load(other, day(1))
    assert "(has 2013-01-02T00:00:00Z)" in waited(condition, other, day(2)).seen
    load(other, day(5))
    assert waited(condition, other, day(2)).found


def test_another_pipeline_in_the_same_table_is_another_one(folder: Path) -> None:
    other = pipeline(folder, schedule="@daily")
    load(other, day(2))
    stranger = LoadUnit(pipeline="trains", destination="one", window=day(3))
    import pyarrow as pa
    from deltalake import CommitProperties, Transaction, write_deltalake

    properties = CommitProperties(app_transactions=[Transaction(stranger.key, 1)])
    table = folder / "data/lake/one"
    write_deltalake(table, pa.table({"n": [1]}), mode="append", commit_properties=properties)
    assert not waited(OtherPipeline(name="flights"), other, day(3)).found


def test_what_can_never_come_is_told_at_once(folder: Path) -> None:
    with pytest.raises(ConfigError, match="there is no pipeline file of the name 'flights'"):
        OtherPipeline(name="flights").prepare(day(1), None)
    with pytest.raises(ConfigError, match="flights has no load 'three'; expected one, two"):
        OtherPipeline(name="flights", load="three").prepare(day(1), pipeline(folder))
    with pytest.raises(ConfigError, match="has no schedule in time"):
        OtherPipeline(name="flights", by="airflow").prepare(day(1), pipeline(folder, schedule="manual"))
    with pytest.raises(ConfigError, match="more than 10000 windows"):
        OtherPipeline(name="flights", window=Lookback(lookback=900 * DAY)).prepare(
            Window(start=day(1).start + 900 * DAY, end=day(1).start + 901 * DAY), pipeline(folder)
        )


def test_airflow_is_asked_for_the_runs_of_the_windows_that_cover_this_one(folder: Path) -> None:
    prepared = OtherPipeline(name="flights", by="airflow").prepare(day(2, 2 * HOUR), pipeline(folder))
    assert prepared["windows"] == [
        ["2013-01-02T00:00:00Z", "2013-01-02T01:00:00Z"],
        ["2013-01-02T01:00:00Z", "2013-01-02T02:00:00Z"],
    ]
    anywhere = OtherPipeline(name="any_dag", by="airflow", window="same").prepare(day(2), None)
    assert anywhere["windows"] == [["2013-01-02T00:00:00Z", "2013-01-03T00:00:00Z"]]


def test_a_window_that_the_other_leaves_out_by_its_date_is_not_waited_for(folder: Path) -> None:
    """The fifth and the sixth of January 2013 are a weekend."""
    other = pipeline(folder, schedule="@daily", skip_if={"weekdays": ["saturday", "sunday"], "missing": "data/none"})
    for which in ("same", "covering"):
        for by in ("ledger", "airflow"):
            answer = waited(OtherPipeline(name="flights", window=which, by=by), other, day(5))
            assert answer == Answer(
                found=True, seen="flights leaves 2013-01-05T00:00:00Z/2013-01-06T00:00:00Z out (skip_if)"
            )
    assert not waited(OtherPipeline(name="flights"), other, day(4)).found, "whether a file is missing shows only later"


def test_of_a_longer_window_only_what_the_other_loads_is_waited_for(folder: Path) -> None:
    weekend = {"weekdays": ["saturday", "sunday"]}
    other = pipeline(folder, schedule="@daily", skip_if=weekend)
    week = day(3, 5 * DAY)  # Thursday to Monday
    for number in (3, 4):
        load(other, day(number))
    assert waited(OtherPipeline(name="flights"), other, week).seen == (
        "load one lacks 2013-01-07T00:00:00Z/2013-01-08T00:00:00Z"
    )
    load(other, day(7))
    assert waited(OtherPipeline(name="flights"), other, week).found
    runs = OtherPipeline(name="flights", by="airflow").prepare(week, other)["windows"]
    assert [start[8:10] for start, _ in runs] == ["03", "04", "07"]


def test_of_a_snapshot_the_last_that_is_not_left_out_is_waited_for(folder: Path) -> None:
    write, weekend = {"strategy": "snapshot"}, {"weekdays": ["saturday", "sunday"]}
    other = pipeline(folder, schedule="@daily", write=write, skip_if=weekend)
    to_sunday = OtherPipeline(name="flights", window=Lookback(lookback=3 * DAY))
    load(other, day(3))
    assert "lacks a snapshot of 2013-01-05T00:00:00Z" in waited(to_sunday, other, day(6)).seen
    load(other, day(4))
    assert waited(to_sunday, other, day(6)).found
