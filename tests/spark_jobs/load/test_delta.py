"""The promise, for one Delta table: any window, any order, any number of times, by several at once."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.ledger import Ledger, same_configuration
from spark_jobs.load.delta import Delta
from spark_jobs.load.new_table import ensure_table
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.report import LoadReceipt
from spark_jobs.window import Window
from tests.spark_jobs.plans import FINGERPRINT, attempt, day, plan

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
SCHEMA = "id INT, at TIMESTAMP"


class Table:
    """One Delta table under test, loaded window by window."""

    def __init__(self, spark: Any, folder: Path, write: Any, partition_by: tuple[str, ...] = ()) -> None:
        self.spark, self.folder = spark, folder
        self.path = str(folder / "table")
        self.destination = Delta(path=self.path, write=write, partition_by=partition_by)

    def load(
        self, window: Window, rows: list[tuple[Any, ...]], second: float, token: str | None = None, schema: str = SCHEMA
    ) -> LoadReceipt:
        made = plan(self.folder, window, attempt(second, token))
        context = Context(spark=self.spark, plan=made, where="load.lake", dataset="result")
        frame = self.spark.createDataFrame(rows, schema)
        return self.destination.publish("lake", frame, len(rows), context)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        frame = self.spark.read.format("delta").load(self.path)
        return sorted(tuple(row) for row in frame.select(*(columns or ("id", "at"))).collect())

    @property
    def version(self) -> int | None:
        return Ledger(self.spark, self.path).version()


def at(number: int, hour: int = 12) -> datetime:
    return datetime(2013, 1, number, hour)  # noqa: DTZ001 - Spark's session is in UTC


@pytest.fixture
def facts(spark: Any, tmp_path: Path) -> Table:
    return Table(spark, tmp_path, BY_TIME)


def test_a_window_replaces_its_rows_and_no_others(facts: Table) -> None:
    facts.load(day(1), [(1, at(1)), (2, at(1, 23))], 1)
    facts.load(day(2), [(3, at(2, 0))], 2)
    receipt = facts.load(day(1), [(9, at(1))], 3)
    assert facts.rows() == [(3, at(2, 0)), (9, at(1))]
    assert (receipt.state, receipt.rows_inserted, receipt.rows_deleted) == ("loaded", 1, 2)


def test_an_empty_window_clears_it(facts: Table) -> None:
    facts.load(day(1), [(1, at(1))], 1)
    facts.load(day(2), [(2, at(2))], 2)
    receipt = facts.load(day(1), [], 3)
    assert facts.rows() == [(2, at(2))]
    assert receipt.state == "loaded"


def test_an_empty_first_window_makes_an_empty_table(facts: Table) -> None:
    assert facts.load(day(1), [], 1).state == "loaded"
    assert facts.rows() == []


def test_rows_on_the_edges_belong_to_the_window_that_starts_there(facts: Table) -> None:
    facts.load(day(2), [(1, at(2, 0))], 1)
    with pytest.raises(Exception, match="REPLACE_WHERE"):
        facts.load(day(1), [(2, at(2, 0))], 2)
    assert facts.rows() == [(1, at(2, 0))]


def test_an_older_attempt_is_superseded_and_changes_nothing(facts: Table) -> None:
    facts.load(day(1), [(2, at(1))], 20)
    before = facts.version
    receipt = facts.load(day(1), [(1, at(1))], 10)
    assert receipt.state == "superseded"
    assert facts.rows() == [(2, at(1))]
    assert facts.version == before


def test_the_same_attempt_finds_its_own_commit_again(facts: Table) -> None:
    first = facts.load(day(1), [(1, at(1))], 10, token="mine")
    facts.load(day(2), [(5, at(2))], 11)
    again = facts.load(day(1), [(1, at(1))], 10, token="mine")
    assert (again.state, again.version, again.rows_inserted) == ("already_done", first.version, 1)


def test_a_retry_with_a_newer_number_finds_its_own_commit(facts: Table) -> None:
    facts.load(day(1), [(1, at(1))], 10, token="mine")
    made = plan(facts.folder, day(1), attempt(12, "mine"))
    context = Context(spark=facts.spark, plan=made, where="load.lake", dataset="result")
    receipt = facts.destination.done("lake", context)
    assert receipt is not None
    assert receipt.state == "already_done"


def test_another_attempt_does_not_take_a_foreign_commit_for_its_own(facts: Table) -> None:
    facts.load(day(1), [(1, at(1))], 10, token="theirs")
    made = plan(facts.folder, day(1), attempt(12, "mine"))
    context = Context(spark=facts.spark, plan=made, where="load.lake", dataset="result")
    assert facts.destination.done("lake", context) is None


def test_the_ledger_tells_with_which_configuration_a_window_was_loaded(facts: Table) -> None:
    facts.load(day(1), [(1, at(1))], 1)
    unit = facts.destination.unit("lake", plan(facts.folder, day(1), attempt(2)))
    number = Ledger(facts.spark, facts.path).number(unit)
    assert number is not None
    assert same_configuration(number, FINGERPRINT)
    assert not same_configuration(number, "12345" + "0" * 59)


def test_windows_that_commit_at_once_all_arrive(facts: Table) -> None:
    facts.load(day(1), [(1, at(1))], 1)
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(facts.load, day(number), [(number, at(number))], number) for number in (2, 3, 4, 5)]
        receipts = [item.result() for item in work]
    assert {receipt.state for receipt in receipts} == {"loaded"}
    assert facts.rows("id") == [(number,) for number in (1, 2, 3, 4, 5)]


def test_first_loads_that_create_the_table_at_once_all_arrive(facts: Table) -> None:
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(facts.load, day(number), [(number, at(number))], number) for number in (1, 2, 3)]
        assert {item.result().state for item in work} == {"loaded"}
    assert facts.rows("id") == [(1,), (2,), (3,)]


def test_two_attempts_at_one_window_leave_one_of_them(facts: Table) -> None:
    facts.load(day(1), [(0, at(1))], 1)
    with ThreadPoolExecutor(2) as pool:
        old = pool.submit(facts.load, day(1), [(1, at(1)), (1, at(1))], 10)
        new = pool.submit(facts.load, day(1), [(2, at(1)), (2, at(1))], 11)
        states = (old.result().state, new.result().state)
    assert states in {("loaded", "loaded"), ("superseded", "loaded")}
    assert facts.rows("id") == [(2,), (2,)]


def test_a_date_column_is_compared_with_local_dates(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, ReplaceWindow(strategy="replace_window", column="on"))
    local = Window.from_json(
        {"start": "2013-01-01T05:00:00Z", "end": "2013-01-02T05:00:00Z", "timezone": "America/New_York"}
    )
    table.load(local, [(1, date(2013, 1, 1))], 1, schema="id INT, on DATE")
    assert table.rows("id") == [(1,)]
    hour = Window.from_json({"start": "2013-01-01T05:00:00Z", "end": "2013-01-01T06:00:00Z"})
    with pytest.raises(ConfigError, match="isn't whole days"):
        table.load(hour, [(1, date(2013, 1, 1))], 2, schema="id INT, on DATE")


def test_a_new_column_joins_the_table(facts: Table) -> None:
    facts.load(day(1), [(1, at(1))], 1)
    facts.load(day(2), [(2, at(2), "x")], 2, schema=f"{SCHEMA}, note STRING")
    assert facts.rows("id", "note") == [(1, None), (2, "x")]


def test_partitioned_by_a_local_date(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, BY_TIME, partition_by=("on",))
    schema = "id INT, at TIMESTAMP, on DATE"
    table.load(day(1), [(1, at(1), date(2013, 1, 1))], 1, schema=schema)
    table.load(day(2), [(2, at(2), date(2013, 1, 2))], 2, schema=schema)
    table.load(day(1), [(3, at(1), date(2013, 1, 1))], 3, schema=schema)
    assert table.rows("id") == [(2,), (3,)]
    assert (Path(table.path) / "on=2013-01-02").is_dir()


def test_append_replaces_its_own_rows_only(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, Append(strategy="append"))
    table.load(day(1), [(1,), (1,)], 1, schema="id INT")
    table.load(day(2), [(2,)], 2, schema="id INT")
    table.load(day(1), [(3,)], 3, schema="id INT")
    assert table.rows("id", "_pipeline", "_window_start") == [(2, "flights", at(2, 0)), (3, "flights", at(1, 0))]


def test_append_replaces_the_smaller_windows_that_it_covers(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, Append(strategy="append"))
    for number in (1, 2, 3):
        table.load(day(number), [(number,)], number, schema="id INT")
    table.load(day(1, days=2), [(9,)], 9, schema="id INT")
    assert table.rows("id") == [(3,), (9,)]


def test_append_refuses_a_partial_overlap(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, Append(strategy="append"))
    table.load(day(1, days=2), [(1,)], 1, schema="id INT")
    with pytest.raises(DataError, match="cuts through"):
        table.load(day(2, days=2), [(2,)], 2, schema="id INT")
    assert table.rows("id") == [(1,)]


def test_the_newest_snapshot_wins_in_any_order(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, Snapshot(strategy="snapshot"))
    assert table.load(day(2), [(2,)], 1, schema="id INT").state == "loaded"
    assert table.load(day(1), [(1,)], 2, schema="id INT").state == "superseded"
    assert table.rows("id") == [(2,)]
    assert table.load(day(2), [(22, "x")], 3, schema="id INT, note STRING").state == "loaded"
    assert table.load(day(3), [(3,)], 4, schema="id INT").state == "loaded"
    assert table.rows("id") == [(3,)]


def test_a_folder_with_something_else_is_left_alone(facts: Table) -> None:
    folder = Path(facts.path)
    folder.mkdir()
    (folder / "precious.txt").write_text("mine")
    with pytest.raises(ConfigError, match=r"no Delta table.*move it away"):
        facts.load(day(1), [(1, at(1))], 1)
    assert [item.name for item in folder.iterdir()] == ["precious.txt"]


def test_a_table_that_another_window_is_beginning_is_no_strangers_folder(facts: Table) -> None:
    """Its log is there before its files are: with the log alone, and with files that no commit names yet."""
    log = Path(facts.path) / "_delta_log"
    log.mkdir(parents=True)
    assert facts.load(day(1), [(1, at(1))], 1).state == "loaded"
    first = [json.loads(line) for line in (log / "00000000000000000000.json").read_text().splitlines()]
    assert not [action for action in first if "add" in action]
    (Path(facts.path) / "part-00000-of-a-commit-under-way.parquet").write_bytes(b"half")
    assert facts.load(day(2), [(2, at(2))], 2).state == "loaded"


def test_a_table_that_another_process_began_since_we_looked_is_loaded(
    facts: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes raced here. The error is the real one's text, raised by a fake: the moment can't be forced."""
    from delta.tables import DeltaTableBuilder
    from pyspark.errors import AnalysisException

    real = DeltaTableBuilder.execute

    def raced(builder: DeltaTableBuilder) -> None:
        real(builder)
        (Path(facts.path) / "part-00000-of-the-other.parquet").write_bytes(b"half")
        raise AnalysisException("[DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION] Cannot create table")

    monkeypatch.setattr(DeltaTableBuilder, "execute", raced)
    assert facts.load(day(1), [(1, at(1))], 1).state == "loaded"
    assert facts.version == 1


def test_a_log_in_which_somebody_died_before_the_first_commit_is_begun_anew(facts: Table) -> None:
    log = Path(facts.path) / "_delta_log"
    log.mkdir(parents=True)
    (log / ".00000000000000000000.json.0b5e.tmp").write_text("{")
    assert facts.load(day(1), [(1, at(1))], 1).state == "loaded"


def test_to_begin_a_table_leaves_no_file_beside_its_log(facts: Table) -> None:
    schema = facts.spark.createDataFrame([], SCHEMA).schema
    ensure_table(facts.spark, facts.path, schema, ())
    assert [item.name for item in Path(facts.path).iterdir()] == ["_delta_log"]
    assert facts.version == 0
    assert facts.spark.conf.get("spark.sql.runSQLOnFiles") == "false"


def test_a_file_at_the_path_is_left_alone(facts: Table) -> None:
    Path(facts.path).write_text("mine")
    with pytest.raises(ConfigError, match="no Delta table"):
        facts.load(day(1), [(1, at(1))], 1)


def test_an_unknown_column_is_a_clear_error(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, ReplaceWindow(strategy="replace_window", column="when"))
    with pytest.raises(ConfigError, match=r"load\.lake: column 'when' is not there; expected .* at, id"):
        table.load(day(1), [(1, at(1))], 1)


def test_rows_read_before_another_run_published_newer_ones_are_superseded(facts: Table) -> None:
    """A run waits in retry with rows staged; another loads the window meanwhile; the first must not put them back."""
    facts.load(day(1), [(2, at(1))], 20)
    made = plan(facts.folder, day(1), replace(attempt(30), since=attempt(10).number))
    context = Context(spark=facts.spark, plan=made, where="load.lake", dataset="result")
    receipt = facts.destination.publish("lake", facts.spark.createDataFrame([(1, at(1))], SCHEMA), 1, context)
    assert receipt.state == "superseded"
    assert facts.rows() == [(2, at(1))]


def test_a_load_that_is_cleared_alone_publishes_its_runs_rows_again(facts: Table) -> None:
    first = attempt(20)
    for second in (20, 30):
        made = plan(
            facts.folder, day(1), replace(attempt(second), run=first.run, since=attempt(10).number, token=str(second))
        )
        context = Context(spark=facts.spark, plan=made, where="load.lake", dataset="result")
        receipt = facts.destination.publish("lake", facts.spark.createDataFrame([(1, at(1))], SCHEMA), 1, context)
        assert receipt.state == "loaded"


def test_a_table_of_another_pipeline_is_not_replaced(facts: Table) -> None:
    facts.load(day(1), [(1, at(1))], 1)
    made = plan(facts.folder, day(1), attempt(2), pipeline="other")
    context = Context(spark=facts.spark, plan=made, where="load.lake", dataset="result")
    with pytest.raises(ConfigError, match="loaded by flights too"):
        facts.destination.publish("lake", facts.spark.createDataFrame([(9, at(1))], SCHEMA), 1, context)
    assert facts.rows() == [(1, at(1))]


def test_a_commit_that_lacks_staged_rows_fails_and_fails_again_when_it_is_found(facts: Table) -> None:
    made = plan(facts.folder, day(1), attempt(1, "mine"))
    context = Context(spark=facts.spark, plan=made, where="load.lake", dataset="result")
    frame = facts.spark.createDataFrame([(1, at(1))], SCHEMA)
    with pytest.raises(InfrastructureError, match="1 rows were committed as version 1, 2 were staged"):
        facts.destination.publish("lake", frame, 2, context)
    with pytest.raises(InfrastructureError, match="2 were staged"):
        facts.destination.done("lake", context)


def test_a_name_that_delta_doesn_t_take_is_told_before_anything_is_made(spark: Any, tmp_path: Path) -> None:
    schema = spark.sql("SELECT 1 AS fine, 2 AS `my col`, 3 AS `a=b`, 4 AS `größe.x`").schema
    with pytest.raises(ConfigError, match=r"takes no column called 'my col', 'a=b'; .*rename"):
        ensure_table(spark, str(tmp_path / "table"), schema, [])
    assert not (tmp_path / "table").exists()
