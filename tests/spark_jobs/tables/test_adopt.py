"""Adopting a table: given one that somebody else wrote, when it is adopted, then its windows count as loaded."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.hooks.ledger import LedgerHook
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.tables.census import census
from spark_jobs.transaction import Transaction
from spark_jobs.window import Window
from tests.spark_jobs.plans import FINGERPRINT, attempt, day
from tests.spark_jobs.tables.ordered import SCHEMA, Meanwhile, Ordered, at

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
ROWS = [(1, "a", at(1, 0)), (2, "b", at(1, 23)), (3, "c", at(3)), (4, "d", at(9))]
FOUR_DAYS = [day(number).to_json() for number in (1, 2, 3, 4)]


def foreign(table: Ordered, rows: list[tuple[Any, ...]] = ROWS, schema: str = SCHEMA, partition: str = "") -> None:
    """Write the table as somebody else would: one file holds the rows of many windows."""
    writer = table.spark.createDataFrame(rows, schema).coalesce(1).write.format("delta")
    (writer.partitionBy(partition) if partition else writer).save(table.path)


@pytest.fixture
def table(spark: Any, tmp_path: Path) -> Ordered:
    return Ordered(spark, tmp_path, BY_TIME)


def test_windows_with_rows_count_as_loaded_and_no_file_is_touched(table: Ordered) -> None:
    foreign(table)
    before = table.files()
    load = table.done("adopt", windows=FOUR_DAYS)["loads"]["lake"]
    assert [(window["key"], window["rows"], window["state"]) for window in load["windows"]] == [
        ("2013-01-01", 2, "adopted"),
        ("2013-01-02", 0, "empty"),
        ("2013-01-03", 1, "adopted"),
        ("2013-01-04", 0, "empty"),
    ]
    assert (load["rows"], load["outside"]) == (4, 1)
    assert table.files() == before
    assert table.rows() == [(1,), (2,), (3,), (4,)]
    assert table.units() == {
        "2013-01-01T00:00:00Z/2013-01-02T00:00:00Z",
        "2013-01-03T00:00:00Z/2013-01-04T00:00:00Z",
    }


def test_the_scheduler_sees_without_spark_that_an_adopted_window_is_loaded(table: Ordered) -> None:
    foreign(table)
    table.done("adopt", windows=FOUR_DAYS)
    hook = LedgerHook(table.path)
    assert hook.holds(table.destination.unit("lake", table.plan(day(1))), FINGERPRINT)
    assert not hook.holds(table.destination.unit("lake", table.plan(day(2))), FINGERPRINT)


def test_an_adopted_window_is_replaced_by_a_run_as_any_other(table: Ordered) -> None:
    foreign(table)
    table.done("adopt", windows=FOUR_DAYS)
    receipt = table.load(day(1), [(9, "z", at(1))])
    assert (receipt.state, receipt.rows_inserted, receipt.rows_deleted) == ("loaded", 1, 2)
    assert table.rows() == [(3,), (4,), (9,)]


def test_adopting_again_finds_the_ledger_and_adds_what_is_new(table: Ordered) -> None:
    foreign(table)
    table.done("adopt", windows=FOUR_DAYS[:1])
    version = table.ledger.version()
    report = table.done("adopt", windows=FOUR_DAYS[:1])
    assert (report["loads"]["lake"]["windows"][0]["state"], table.ledger.version()) == ("loaded", version)
    states = [window["state"] for window in table.done("adopt", windows=FOUR_DAYS)["loads"]["lake"]["windows"]]
    assert states == ["loaded", "empty", "adopted", "empty"]


def test_a_dry_run_shows_and_changes_nothing(table: Ordered) -> None:
    foreign(table)
    report = table.done("adopt", windows=FOUR_DAYS, dry_run=True)
    assert (report["state"], report["loads"]["lake"]["windows"][0]["rows"]) == ("shown", 2)
    assert (table.ledger.version(), table.units()) == (0, set())


def test_a_window_that_a_run_loads_meanwhile_keeps_the_runs_number(table: Ordered) -> None:
    """Between the look and the commit: by another number, what the run has set aside would be seen no more."""
    foreign(table)
    table.said = Meanwhile("rows in", lambda: table.load(day(1), [(9, "z", at(1))], attempt(0)))
    load = table.done("adopt", windows=FOUR_DAYS)["loads"]["lake"]
    assert [window["state"] for window in load["windows"]] == ["loaded", "empty", "adopted", "empty"]
    numbers = table.ledger.units("flights", "lake")
    assert numbers[f"etl:flights:lake:{day(1)}"] == attempt(0).number
    assert numbers[f"etl:flights:lake:{day(3)}"] > attempt(0).number


def test_a_run_that_commits_while_the_windows_are_recorded_keeps_its_number_too(
    table: Ordered, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign(table)
    commit, runs = Transaction.commit, list[int]()

    def late(self: Transaction, entry: Any) -> int:
        if not runs:
            runs.append(1)
            table.load(day(1), [(9, "z", at(1))], attempt(0))
        return commit(self, entry)

    monkeypatch.setattr(Transaction, "commit", late)
    table.done("adopt", windows=FOUR_DAYS[:1])
    assert table.ledger.units("flights", "lake") == {f"etl:flights:lake:{day(1)}": attempt(0).number}


def test_a_part_of_a_table_is_adopted_by_its_scope(spark: Any, tmp_path: Path) -> None:
    part = Ordered(spark, tmp_path, BY_TIME, scope={"who": "a"})
    foreign(part)
    load = part.done("adopt", windows=FOUR_DAYS)["loads"]["lake"]
    assert (load["rows"], [window["rows"] for window in load["windows"]]) == (1, [1, 0, 0, 0])
    assert "etl.load.flights.lake" in part.ledger.properties()


def test_a_snapshot_is_adopted_as_its_last_window(spark: Any, tmp_path: Path) -> None:
    table = Ordered(spark, tmp_path, Snapshot(strategy="snapshot"))
    foreign(table)
    table.done("adopt", windows=FOUR_DAYS)
    assert table.units() == {"snapshot"}
    assert LedgerHook(table.path).holds(table.destination.unit("lake", table.plan(day(4))), FINGERPRINT)
    assert table.load(day(3), [(9, "z", at(3))]).state == "superseded"
    assert table.load(day(4), [(9, "z", at(4))]).state == "loaded"


def test_a_table_that_append_wrote_before_is_adopted_by_what_its_rows_say(spark: Any, tmp_path: Path) -> None:
    table = Ordered(spark, tmp_path, Append(strategy="append"))
    moments = [datetime(2013, 1, number) for number in (1, 2, 3)]  # noqa: DTZ001 - Spark's session is in UTC
    rows = [(1, "flights", *moments[:2]), (2, "flights", *moments[1:])]
    schema = "id INT, _pipeline STRING, _window_start TIMESTAMP, _window_end TIMESTAMP"
    foreign(table, rows, schema)
    load = table.done("adopt", windows=FOUR_DAYS)["loads"]["lake"]
    assert [(window["key"], window["state"]) for window in load["windows"]] == [
        ("2013-01-01", "adopted"),
        ("2013-01-02", "adopted"),
    ]
    other = Ordered(spark, tmp_path, Append(strategy="append"), pipeline="renamed")
    assert "say `id: flights`" in other.refused("adopt", windows=FOUR_DAYS)


def test_what_the_pipeline_could_not_load_is_refused_with_the_remedy(spark: Any, tmp_path: Path) -> None:
    table = Ordered(spark, tmp_path, BY_TIME)
    assert "there is no Delta table" in table.refused("adopt", windows=FOUR_DAYS)
    foreign(table, partition="who")
    assert "partition_by: [who]" in table.refused("adopt", windows=FOUR_DAYS)
    append = Ordered(spark, tmp_path, Append(strategy="append"), partition_by=("who",))
    told = append.refused("adopt", windows=FOUR_DAYS)
    assert "lacks '_pipeline', '_window_start', '_window_end'" in told
    assert "load it with replace_window" in told
    wrong = Ordered(spark, tmp_path, ReplaceWindow(strategy="replace_window", column="att"), partition_by=("who",))
    assert "did you mean 'at'?" in wrong.refused("adopt", windows=FOUR_DAYS)
    mine = Ordered(spark, tmp_path, BY_TIME, partition_by=("who",))
    mine.done("adopt", windows=FOUR_DAYS)
    theirs = Ordered(spark, tmp_path, BY_TIME, partition_by=("who",), pipeline="theirs")
    assert "loaded by flights too" in theirs.refused("adopt", windows=FOUR_DAYS)


def test_a_table_that_would_forget_its_ledger_is_refused(table: Ordered) -> None:
    own = table.spark.newSession()
    own.conf.set("spark.sql.runSQLOnFiles", "true")
    foreign(table)
    named = f"delta.`{table.path}`"
    own.sql(f"ALTER TABLE {named} SET TBLPROPERTIES ('delta.setTransactionRetentionDuration' = 'interval 7 days')")
    assert "forgets transactions" in table.refused("adopt", windows=FOUR_DAYS)


def test_a_census_counts_by_the_edges_of_windows_however_fine_they_are(spark: Any) -> None:
    start = datetime(2013, 1, 1, tzinfo=UTC)
    step = timedelta(minutes=7, seconds=30)
    windows = [Window(start=start + step * place, end=start + step * (place + 1)) for place in range(4)]
    moments = [start, start + step - timedelta(microseconds=1), start + step, start + step * 4, None]
    frame = spark.createDataFrame([(moment,) for moment in moments], "at TIMESTAMP")
    found = census(frame, BY_TIME, "p", windows, "load.lake")
    assert (list(found.windows.values()), found.outside, found.rows) == ([2, 1, 0, 0], 2, 5)


def test_a_census_compares_dates_with_local_days(spark: Any) -> None:
    zone = "America/New_York"
    window = Window.from_json({"start": "2013-03-10T05:00:00Z", "end": "2013-03-11T04:00:00Z", "timezone": zone})
    frame = spark.createDataFrame([(date(2013, 3, number),) for number in (9, 10, 11)], "at DATE")
    found = census(frame, BY_TIME, "p", [window], "load.lake")
    assert (list(found.windows.values()), found.outside) == ([1], 2)
