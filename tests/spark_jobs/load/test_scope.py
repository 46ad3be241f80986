"""Several pipelines in one table: each replaces, clears and counts only its own part, and a stranger is kept out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.accounts import Accounts
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.flow import Context
from spark_jobs.ledger import Ledger, entry_of
from spark_jobs.load.accept import accept
from spark_jobs.load.delta import Delta
from spark_jobs.load.owners import Claim, claims_of, refuse_others
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.report import DatasetCounts, LoadReceipt, Report
from spark_jobs.staging import Staging
from spark_jobs.window import Window
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
SNAPSHOT = Snapshot(strategy="snapshot")
SCHEMA = "id INT, at TIMESTAMP"


class Part:
    """One pipeline's load of a table that others load too."""

    def __init__(self, spark: Any, folder: Path, pipeline: str, scope: dict[str, Any], write: Any = BY_TIME) -> None:
        self.spark, self.folder, self.pipeline = spark, folder, pipeline
        self.path = str(folder / "table")
        self.destination = Delta(path=self.path, write=write, scope=scope, partition_by=tuple(scope))

    def context(self, window: Window, second: float) -> Context:
        made = plan(self.folder, window, attempt(second, f"{self.pipeline}-{second}"), pipeline=self.pipeline)
        return Context(spark=self.spark, plan=made, where="load.lake", dataset="result")

    def load(self, window: Window, rows: list[tuple[Any, ...]], second: float, schema: str = SCHEMA) -> LoadReceipt:
        frame = self.spark.createDataFrame(rows, schema)
        return self.destination.publish("lake", frame, len(rows), self.context(window, second))

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        frame = self.spark.read.format("delta").load(self.path)
        return sorted(tuple(row) for row in frame.select(*columns).collect())


def at(number: int) -> datetime:
    return datetime(2013, 1, number, 12)  # noqa: DTZ001 - Spark's session is in UTC


@pytest.fixture
def east(spark: Any, tmp_path: Path) -> Part:
    return Part(spark, tmp_path, "east", {"region": "east"})


@pytest.fixture
def west(spark: Any, tmp_path: Path) -> Part:
    return Part(spark, tmp_path, "west", {"region": "west"})


def test_a_window_is_replaced_and_cleared_inside_the_scope_alone(east: Part, west: Part) -> None:
    east.load(day(1), [(1, at(1)), (2, at(1))], 1)
    west.load(day(1), [(1, at(1))], 2)
    receipt = east.load(day(1), [(3, at(1))], 3)
    assert (receipt.rows_inserted, receipt.rows_deleted) == (1, 2)
    assert east.rows("region", "id") == [("east", 3), ("west", 1)]
    east.load(day(1), [], 4)
    assert east.rows("region", "id") == [("west", 1)]


def test_a_snapshot_overwrites_its_scope_alone(spark: Any, tmp_path: Path) -> None:
    east = Part(spark, tmp_path, "east", {"region": "east"}, SNAPSHOT)
    west = Part(spark, tmp_path, "west", {"region": "west"}, SNAPSHOT)
    east.load(day(1), [(1,), (2,)], 1, schema="id INT")
    west.load(day(1), [(7,)], 2, schema="id INT")
    assert east.load(day(2), [(3, "new")], 3, schema="id INT, note STRING").rows_inserted == 1
    assert east.load(day(1), [(9,)], 4, schema="id INT").state == "superseded"
    assert east.rows("region", "id") == [("east", 3), ("west", 7)]


def test_append_asks_only_its_own_part_for_overlaps(spark: Any, tmp_path: Path) -> None:
    east = Part(spark, tmp_path, "both", {"region": "east"}, Append(strategy="append"))
    west = Part(spark, tmp_path, "both", {"region": "west"}, Append(strategy="append"))
    east.load(day(1, days=2), [(1,)], 1, schema="id INT")
    west.load(day(2, days=2), [(2,)], 2, schema="id INT")
    assert east.rows("region", "_pipeline", "id") == [("east", "both", 1), ("west", "both", 2)]
    with pytest.raises(DataError, match="cuts through"):
        east.load(day(2, days=2), [(3,)], 3, schema="id INT")


def test_two_pipelines_that_load_at_once_both_arrive(east: Part, west: Part) -> None:
    """Their first loads too, which create the table and claim their parts of it."""
    with ThreadPoolExecutor(4) as pool:
        work = [
            pool.submit(part.load, day(number), [(number, at(number))], number)
            for part in (east, west)
            for number in (1, 2)
        ]
        assert {item.result().state for item in work} == {"loaded"}
    assert east.rows("region", "id") == [("east", 1), ("east", 2), ("west", 1), ("west", 2)]


def test_pipelines_whose_parts_share_files_wait_for_each_other_and_both_arrive(spark: Any, tmp_path: Path) -> None:
    parts = [Part(spark, tmp_path, name, {"region": name}) for name in ("east", "west", "north")]
    for part in parts:
        part.destination = Delta(path=part.path, write=BY_TIME, scope=part.destination.scope)
        part.load(day(1), [(1, at(1))], 1)
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(part.load, day(1), [(2, at(1))], 2) for part in parts]
        assert {item.result().state for item in work} == {"loaded"}
    assert parts[0].rows("region", "id") == [("east", 2), ("north", 2), ("west", 2)]


def test_the_commits_entry_names_the_scope(east: Part) -> None:
    east.load(day(1), [(1, at(1))], 1)
    from delta import DeltaTable

    [newest] = DeltaTable.forPath(east.spark, east.path).history(1).collect()
    assert entry_of(newest["userMetadata"])["scope"] == {"region": "east"}


@pytest.mark.parametrize("scope", [{}, {"region": "east"}, {"country": "US"}])
def test_a_pipeline_whose_scope_does_not_leave_the_others_out_is_refused(
    east: Part, spark: Any, tmp_path: Path, scope: dict[str, Any]
) -> None:
    east.load(day(1), [(1, at(1))], 1)
    before = Ledger(spark, east.path).version()
    other = Part(spark, tmp_path, "other", scope)
    other.destination = Delta(path=east.path, write=BY_TIME, scope=scope, partition_by=("region",))
    with pytest.raises(ConfigError, match=r"loaded by east too, scope \{'region': 'east'\}; expected .*`id: east`"):
        other.load(day(1), [(2, at(1), "east")], 2, schema=f"{SCHEMA}, region STRING")
    assert Ledger(spark, east.path).version() == before


def test_a_scope_on_a_table_that_an_unscoped_pipeline_loads_is_refused(spark: Any, tmp_path: Path, west: Part) -> None:
    whole = Part(spark, tmp_path, "whole", {})
    whole.load(day(1), [(1, at(1))], 1)
    with pytest.raises(ConfigError, match="loaded by whole too"):
        west.load(day(1), [(2, at(1))], 2)
    assert whole.rows("id") == [(1,)]


def test_a_claim_outlives_the_commits_metadata(east: Part, spark: Any, tmp_path: Path) -> None:
    """The log's clean-up takes the entries away; the properties stay."""
    east.load(day(1), [(1, at(1))], 1)
    assert Ledger(spark, east.path).properties()["etl.load.east.lake"] == (
        '{"load": "lake", "pipeline": "east", "scope": {"region": "east"}, "shared": false}'
    )


def test_the_rows_of_a_pipeline_that_is_gone_can_be_freed() -> None:
    mine = Claim(pipeline="new", load="lake", scope={})
    gone = '{"pipeline": "west", "load": "lake", "scope": {}, "gone": true}'
    refuse_others(mine, claims_of({"etl.load.west.lake": gone}), {"west"}, "table")
    with pytest.raises(ConfigError, match="loaded by west too"):
        refuse_others(mine, claims_of({"etl.load.west.lake": gone.replace("true", "false")}), {"west"}, "table")


def test_a_pipeline_that_drops_its_scope_claims_the_whole_table(east: Part, west: Part, spark: Any) -> None:
    east.load(day(1), [(1, at(1))], 1)
    east.destination = Delta(path=east.path, write=BY_TIME, partition_by=("region",))
    east.load(day(1), [(1, at(1), "east")], 2, schema=f"{SCHEMA}, region STRING")
    with pytest.raises(ConfigError, match="loaded by east too"):
        west.load(day(1), [(2, at(1))], 3)


def test_rows_that_say_another_value_are_outside_the_scope(east: Part) -> None:
    frame = east.spark.createDataFrame(
        [(1, at(1), "east"), (2, at(1), "west"), (3, at(1), None), (4, at(2), "east")], f"{SCHEMA}, region STRING"
    )
    window, scope, empty = east.destination.outside(frame, east.context(day(1), 1))
    assert [row["id"] for row in frame.where(window.condition).collect()] == [4]
    assert [row["id"] for row in frame.where(scope.condition).collect()] == [2, 3]
    assert (window.rule, scope.rule, empty.rule) == ("outside_window", "outside_scope", "empty_partition")
    without = east.destination.outside(frame.drop("region"), east.context(day(1), 1))
    assert [limit.rule for limit in without] == ["outside_window"], "a column that is added needs no look"


def accepted(east: Part, outside: Any) -> tuple[Report, list[int]]:
    """What `accept` makes of four rows: one inside, one of another region, one of none, one of another day."""
    write = ReplaceWindow(strategy="replace_window", column="at", outside=outside)
    context = east.context(day(1), 1)
    rows = [(1, at(1), "east"), (2, at(1), "west"), (3, at(1), None), (4, at(2), "east")]
    frame = east.spark.createDataFrame(rows, f"{SCHEMA}, region STRING")
    made = Report(
        pipeline="east", window={}, fingerprint="", attempt={}, datasets={"result": DatasetCounts(read=4, rows=4)}
    )
    accounts = Accounts(report=made, staging=Staging(spark=east.spark, plan=context.plan), say=lambda _: None)
    accounts.keep("result", accounts.staging.write(frame, "check", "result"))
    destination = replace(east.destination, write=write)
    kept, count = accept("result", {"lake": destination}, accounts, context)
    ids = [row["id"] for row in kept.collect()]
    assert count == len(ids)
    return made, ids


def test_rows_outside_the_scope_stop_the_run_and_are_counted(east: Part) -> None:
    with pytest.raises(DataError, match=r"1 of 4 rows lie outside the window .*; 2 of 4 rows lie outside the scope"):
        accepted(east, "fail")


def test_rows_outside_the_scope_are_set_aside_with_the_rule_that_they_break(east: Part) -> None:
    report, ids = accepted(east, "quarantine")
    assert ids == [1]
    assert report.quarantined == {"result.load outside_scope": 2, "result.load outside_window": 1}
    assert report.datasets["result"].missing == 0


@pytest.mark.parametrize(
    ("value", "schema", "held"),
    [
        (7, "part INT", 7),
        (7, "part BIGINT", 7),
        (True, "part BOOLEAN", True),
        ("2013-01-01", "part DATE", date(2013, 1, 1)),
        ("it's", "part STRING", "it's"),
    ],
)
def test_a_scopes_value_takes_the_type_that_the_table_has(
    spark: Any, tmp_path: Path, value: Any, schema: str, held: Any
) -> None:
    part = Part(spark, tmp_path, "one", {"part": value})
    part.load(day(1), [(1, at(1), held)], 1, schema=f"{SCHEMA}, {schema}")
    part.load(day(2), [(2, at(2))], 2)
    part.load(day(1), [], 3)
    assert part.rows("id", "part") == [(2, held)]


def test_a_value_that_the_column_can_not_have_is_a_clear_error(east: Part) -> None:
    east.destination = Delta(path=east.path, write=BY_TIME, scope={"id": "east"})
    with pytest.raises(ConfigError, match=r"load\.lake: column 'id' is int, which can't have the value 'east'"):
        east.load(day(1), [(1, at(1))], 1)


def test_a_renamed_pipeline_keeps_its_ledger_by_its_id(spark: Any, tmp_path: Path) -> None:
    old = Part(spark, tmp_path, "old", {})
    old.load(day(1), [(1, at(1))], 1)
    made = plan(tmp_path, day(1), attempt(2), pipeline="new", id="old")
    context = Context(spark=spark, plan=made, where="load.lake", dataset="result")
    assert old.destination.unit("lake", made) == old.destination.unit("lake", old.context(day(1), 1).plan)
    receipt = old.destination.publish("lake", spark.createDataFrame([(2, at(1))], SCHEMA), 1, context)
    assert (receipt.state, receipt.rows_deleted) == ("loaded", 1)
    assert old.rows("id") == [(2,)]
