"""Upkeep of Delta tables: files are put together, nothing that counts goes, and a restore unsays windows."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.hooks.ledger import LedgerHook
from airflow_provider_etl.upkeep import told
from spark_jobs.flow import Context
from spark_jobs.ledger import Ledger
from spark_jobs.load.by_key import Merge
from spark_jobs.load.delta import Delta
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.orders import Order, execute
from spark_jobs.plan import Plan
from spark_jobs.report import LoadReceipt
from spark_jobs.upkeep.options import Maintenance, Vacuum
from spark_jobs.window import Window
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

SCHEMA = "id INT, at TIMESTAMP"


class Table:
    """One Delta table that is loaded and kept up."""

    def __init__(self, spark: Any, folder: Path, write: Any, **options: Any) -> None:
        self.spark, self.folder = spark, folder
        self.path = str(folder / "table")
        self.destination = Delta(path=self.path, write=write, **options)

    def load(self, window: Window, rows: list[tuple[Any, ...]], second: float, spark: Any = None) -> LoadReceipt:
        session = spark or self.spark
        context = Context(spark=session, plan=self.plan(window, second), where="load.lake", dataset="result")
        return self.destination.publish("lake", frame(session, rows, SCHEMA), len(rows), context)

    def plan(self, window: Window, second: float) -> Plan:
        return plan(self.folder, window, attempt(second), load={"lake": ("result", self.destination)})

    def order(self, name: str, **options: Any) -> dict[str, Any]:
        made = Order(
            name=name,
            plans=(self.plan(day(1), 999),),
            options={"loads": ["lake"], **options},
        )
        return execute(Order.from_json(made.to_json()), lambda *_: self.spark, lambda _: None)

    def rows(self) -> list[int]:
        return sorted(row["id"] for row in self.spark.read.format("delta").load(self.path).collect())

    def held(self, number: int) -> int | None:
        return LedgerHook(self.path).number(self.destination.unit("lake", self.plan(day(number), 1)))


def at(number: int, hour: int = 12) -> datetime:
    return datetime(2013, 1, number, hour)  # noqa: DTZ001 - Spark's session is in UTC


def actions(report: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    assert report["error"] is None, report["error"]
    return {action["action"]: action for action in report["tables"][0]["actions"]}


BY_TIME = ReplaceWindow(strategy="replace_window", column="at")


def test_upkeep_puts_files_together_and_takes_old_ones_away_but_nothing_that_counts(spark: Any, tmp_path: Path) -> None:
    keys = Merge(strategy="merge", keys=("id",), sequence="at", delete_when="id = 2")
    block = Maintenance(target_mb=512, zorder=("id",), statistics=("id",), log=timedelta(days=60))
    table = Table(spark, tmp_path, keys, maintenance=block)
    for number in range(1, 5):
        table.load(day(number), [(number, at(number))], number)
    assert table.rows() == [1, 3, 4]
    aged = time.time() - 30 * 86400
    gone = [file for file in Path(table.path).rglob("*.parquet") if "_delta_log" not in file.parts]
    for file in [*gone, Path(table.path) / "lost.parquet"]:
        file.touch()
        os.utime(file, (aged, aged))
    sides = sorted(str(file) for file in Path(table.path).glob("_etl_*/**/*.parquet"))
    before = Ledger(spark, table.path).version()
    shown = table.order("maintain", dry_run=True)
    assert (shown["state"], Ledger(spark, table.path).version()) == ("shown", before)
    assert actions(shown)["optimize"]["small_files"] == shown["tables"][0]["before"]["files"] > 1
    done = table.order("maintain")
    did, told = actions(done), done["tables"][0]
    assert (told["after"]["files"], told["after"]["rows"], did["optimize"]["files_added"]) == (1, 3, 1)
    assert did["vacuum"]["files_removed"] >= 1
    assert not (Path(table.path) / "lost.parquet").exists()
    assert sides
    assert sorted(str(file) for file in Path(table.path).glob("_etl_*/**/*.parquet")) == sides
    held = Ledger(spark, table.path).properties()
    assert held["delta.dataSkippingStatsColumns"] == "`id`"
    assert held["delta.logRetentionDuration"] == "interval 5184000 seconds"
    assert table.rows() == [1, 3, 4]
    assert all(table.held(number) is not None for number in range(1, 5))
    table.load(day(1), [(2, at(1, 1))], 50)
    assert table.rows() == [1, 3, 4], "a late row of a deleted key stays away: its tombstone is there"
    assert "unchanged_since" not in actions(table.order("maintain"))["optimize"]
    again = actions(table.order("maintain"))["optimize"]
    assert again.keys() >= {"unchanged_since"}, "Z-order writes every file anew: not where nothing came"


def test_a_tables_own_retention_counts_and_one_that_fails_keeps_no_other_from_its_upkeep(
    spark: Any, tmp_path: Path
) -> None:
    table = Table(spark, tmp_path, BY_TIME, scope={"mine": True}, maintenance=Maintenance(statistics=("id",)))
    table.load(day(1), [(1, at(1))], 1)
    own = spark.newSession()
    own.conf.set("spark.sql.runSQLOnFiles", "true")
    days = "'delta.deletedFileRetentionDuration' = 'interval 30 days'"
    own.sql(f"ALTER TABLE delta.`{table.path}` SET TBLPROPERTIES ({days})")
    lost, aged = Path(table.path) / "lost.parquet", time.time() - 10 * 86400
    lost.touch()
    os.utime(lost, (aged, aged))
    broken = replace(table.destination, maintenance=Maintenance(statistics=("mine",)))
    loads = {"broken": ("result", broken), "lake": ("result", table.destination)}
    made = Order(
        name="maintain", plans=(replace(table.plan(day(1), 999), load=loads),), options={"loads": ["broken", "lake"]}
    )
    report = execute(Order.from_json(made.to_json()), lambda *_: spark, lambda _: None)
    assert (report["state"], [one["state"] for one in report["tables"]]) == ("failed", ["failed", "done"])
    assert "statistics names column 'mine', which is boolean" in report["error"]["message"]
    assert "statistics names column 'mine'" in "\n".join(told(report))
    did = {action["action"]: action for action in report["tables"][1]["actions"]}
    assert (did["vacuum"]["files_removed"], lost.exists()) == (0, True)
    held = Ledger(spark, table.path).properties()
    assert held["delta.deletedFileRetentionDuration"] == "interval 30 days"
    assert held["delta.dataSkippingStatsColumns"] == "`at`,`id`", "Delta keeps none of a boolean"
    assert actions(table.order("maintain", dry_run=True))["vacuum"]["files_removed"] == 0


def test_a_load_that_commits_while_files_are_put_together_loses_nothing(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, BY_TIME, maintenance=Maintenance(vacuum=None))
    for number in range(1, 4):
        table.load(day(number), [(number, at(number))], number)
    failed: list[BaseException] = []

    def loads() -> None:
        own = spark.newSession()
        try:
            for second in range(10, 14):
                assert table.load(day(1 + second % 2), [(second, at(1 + second % 2))], second, own).state == "loaded"
        except BaseException as error:  # noqa: BLE001 - told below
            failed.append(error)

    beside = threading.Thread(target=loads)
    beside.start()
    while beside.is_alive():
        actions(table.order("maintain"))
    beside.join()
    assert failed == []
    actions(table.order("maintain"))
    assert table.rows() == [3, 12, 13]


def test_after_a_restore_the_windows_loaded_since_are_missing(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, BY_TIME)
    table.load(day(1), [(1, at(1))], 1)
    table.load(day(2), [(2, at(2))], 2)
    versions = table.order("history")["tables"][0]["versions"]
    assert versions[0]["window"] == "2013-01-02T00:00:00Z/2013-01-03T00:00:00Z"
    assert (versions[0]["inserted"], versions[0]["run"], versions[0]["pipeline"]) == (1, "run-2", "flights")
    old = versions[0]["version"]
    table.load(day(2), [(22, at(2))], 3)
    table.load(day(3), [(3, at(3))], 4)
    shown = table.order("restore", version=old, dry_run=True)
    assert (shown["state"], len(shown["windows"]), table.rows()) == ("shown", 2, [1, 3, 22])
    done = table.order("restore", version=old)
    assert (done["error"], done["state"], table.rows()) == (None, "done", [1, 2])
    assert [table.held(number) is not None for number in (1, 2, 3)] == [True, False, False]
    assert LedgerHook(table.path).windows("flights", "lake") == [(day(1).start, day(1).end)]
    assert Ledger(spark, table.path).units("flights", "lake").keys() == {
        table.destination.unit("lake", table.plan(day(1), 1)).key
    }
    found = Context(spark=spark, plan=table.plan(day(3), 4), where="load.lake", dataset="result")
    assert table.destination.done("lake", found) is None, "the commit that was taken back is nobody's success"
    assert table.load(day(3), [(33, at(3))], 5).state == "loaded"
    assert table.rows() == [1, 2, 33]
    assert table.held(3) is not None
    assert "the newest is" in table.order("restore", version=99)["error"]["message"]


@pytest.mark.parametrize("write", [Snapshot(strategy="snapshot"), Append(strategy="append")])
def test_a_restored_table_takes_its_windows_again(spark: Any, tmp_path: Path, write: Any) -> None:
    table = Table(spark, tmp_path, write)
    table.load(day(1), [(1, at(1))], 1)
    old = table.order("history")["tables"][0]["versions"][0]["version"]
    table.load(day(2), [(2, at(2))], 2)
    assert table.order("restore", version=old)["state"] == "done"
    assert (table.rows(), table.held(2)) == ([1], None)
    assert table.load(day(2), [(2, at(2))], 3).state == "loaded"
    assert table.rows() == ([2] if isinstance(write, Snapshot) else [1, 2])


def test_what_cannot_be_restored_is_left_as_it_is(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, BY_TIME)
    table.load(day(1), [(1, at(1))], 1)
    old = table.order("history")["tables"][0]["versions"][0]["version"]
    table.load(day(1), [(11, at(1))], 2)
    live = {Path(name).name for name in spark.read.format("delta").load(table.path).inputFiles()}
    for file in Path(table.path).glob("*.parquet"):
        if file.name not in live:
            file.unlink()
    failed = table.order("restore", version=old)
    assert "VACUUM has removed them" in failed["error"]["message"]
    assert (table.rows(), table.held(1) is not None) == ([11], True)
    keyed = replace(table.destination, write=Merge(strategy="merge", keys=("id",), sequence="at"))
    table.destination = keyed
    assert "a function of all events delivered" in table.order("restore", version=old)["error"]["message"]


def test_partitions_that_are_small_are_told_of(spark: Any, tmp_path: Path) -> None:
    table = Table(spark, tmp_path, BY_TIME, partition_by=("id",), maintenance=Maintenance(vacuum=Vacuum()))
    table.load(day(1), [(1, at(1)), (2, at(1))], 1)
    (said,) = table.order("maintain")["tables"][0]["advice"]
    assert said.startswith("2 partitions by id hold ")
    assert "leave partition_by out" in said
