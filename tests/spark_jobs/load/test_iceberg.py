"""The promise, for one Iceberg table in a Hadoop catalog: any window, any order, any number of times, by several."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.hooks.iceberg_ledger import IcebergLedgerHook
from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.iceberg.attaching import attach
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.iceberg.table import IcebergTable
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.by_key import Merge, Scd2
from spark_jobs.load.iceberg import Iceberg
from spark_jobs.load.iceberg_lake import IcebergLake
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.points import HOOK
from spark_jobs.report import LoadReceipt
from spark_jobs.window import Window
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import FINGERPRINT, attempt, day, plan

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
SCHEMA = "id INT, at TIMESTAMP"


class Table:
    """One Iceberg table under test, loaded window by window; each load in a session of its own, as in a run."""

    def __init__(  # noqa: PLR0917
        self,
        spark: Any,
        folder: Path,
        write: Any,
        catalog: Catalog | None = None,
        connections: Connections | None = None,
        table: str = "sales.orders",
        **options: Any,
    ) -> None:
        self.spark, self.folder, self.connections = spark, folder, connections or Connections()
        self.catalog = catalog or Catalog(name="lake", type="hadoop", warehouse=str(folder / "warehouse"))
        self.destination = Iceberg(catalog=self.catalog.name, table=table, write=write, **options)

    def load(  # noqa: PLR0917
        self,
        window: Window,
        rows: list[tuple[Any, ...]],
        second: float,
        token: str | None = None,
        schema: str = SCHEMA,
        destination: Iceberg | None = None,
        **rest: Any,
    ) -> LoadReceipt:
        context = self.context(window, second, token, **rest)
        made = frame(context.spark, rows, schema)
        return (destination or self.destination).publish("lake", made, len(rows), context)

    def context(self, window: Window, second: float, token: str | None = None, **rest: Any) -> Context:
        catalogs = {self.catalog.name: self.catalog.to_json()}
        made = plan(self.folder, window, attempt(second, token), catalogs=catalogs, **rest)
        session, known = self.spark.newSession(), self.connections
        return Context(spark=session, plan=made, where="load.lake", dataset="result", connections=known)

    def unit(self, window: Window) -> LoadUnit:
        return self.destination.unit("lake", plan(self.folder, window, attempt(1)))

    @property
    def table(self) -> IcebergTable:
        session = self.spark.newSession()
        attach(session, self.catalog, self.connections)
        return IcebergTable(session, self.catalog, self.destination.table)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        found = self.table.rows().select(*(columns or ("id", "at")))
        return sorted((tuple(row) for row in found.collect()), key=repr)

    @property
    def hook(self) -> IcebergLedgerHook:
        return IcebergLedgerHook(self.catalog, self.destination.table)


def at(number: int, hour: int = 12) -> datetime:
    return datetime(2013, 1, number, hour)  # noqa: DTZ001 - Spark's session is in UTC


def test_windows_replace_their_rows_and_the_ledger_knows_each_without_spark(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, BY_TIME, partition_by=("days(at)",), sort_by=("id desc",))
    facts.load(day(1), [(1, at(1)), (2, at(1, 23))], 1)
    facts.load(day(2), [(3, at(2, 0))], 2)
    again = facts.load(day(1), [(9, at(1, 0))], 3)
    assert facts.rows() == [(3, at(2, 0)), (9, at(1, 0))]
    assert (again.state, again.rows_inserted, again.rows_deleted) == ("loaded", 1, 2)
    older = facts.load(day(1), [(7, at(1))], 2.5)
    assert (older.state, facts.rows("id")) == ("superseded", [(3,), (9,)])
    found = facts.load(day(1), [(9, at(1))], 3, token="token-3")
    assert (found.state, found.version, found.rows_inserted) == ("already_done", again.version, 1)
    facts.load(day(2), [], 4)
    assert facts.rows("id") == [(9,)]
    table = facts.table
    table.spark.sql("CALL lake.system.expire_snapshots(table => 'sales.orders', older_than => now(), retain_last => 1)")
    assert table.look().branches == []
    assert facts.rows("id") == [(9,)]
    unit = facts.unit(day(1))
    assert facts.hook.number(unit) == attempt(3).number
    assert facts.hook.holds(unit, FINGERPRINT)
    assert not facts.hook.holds(unit, "1" * 64)
    assert facts.hook.newest_attempt("flights", "lake") == attempt(4).number
    first = datetime(2013, 1, 1, tzinfo=UTC)
    assert (first, first.replace(day=2)) in facts.hook.windows("flights", "lake")
    assert facts.destination.done("lake", facts.context(day(1), 6, "token-3")) is not None


def test_a_window_that_cuts_through_files_takes_its_own_rows_alone(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, BY_TIME)
    facts.load(day(1, 7), [(number, at(number)) for number in range(1, 8)], 1)
    middle = facts.load(day(3, 2), [(33, at(3))], 2)
    assert facts.rows("id") == [(1,), (2,), (33,), (5,), (6,), (7,)]
    assert (middle.rows_inserted, middle.rows_deleted) == (1, 2)
    facts.load(day(5), [], 3)
    facts.load(day(1, 7), [(8, at(7))], 4)
    assert facts.rows("id") == [(8,)]


def test_windows_that_commit_at_once_all_arrive(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, BY_TIME)
    with ThreadPoolExecutor(4) as pool:
        work = [pool.submit(facts.load, day(number), [(number, at(number))], number) for number in (1, 2, 3, 4)]
        receipts = [item.result() for item in work]
    assert {receipt.state for receipt in receipts} == {"loaded"}
    assert facts.rows("id") == [(1,), (2,), (3,), (4,)]
    units = facts.destination.lake(facts.context(day(1), 9)).ledger.units("flights", "lake")
    assert len(units) == 4


def test_a_zombie_that_wakes_at_the_last_moment_changes_nothing(spark: Any, tmp_path: Path) -> None:
    """It has looked, staged and is about to swap; meanwhile a newer attempt publishes the same window."""
    facts = Table(spark, tmp_path, BY_TIME)
    facts.load(day(1), [(0, at(1))], 1)
    woken: list[LoadReceipt] = []

    def overtake(point: str) -> None:
        if point == "before commit" and not woken:
            woken.append(LoadReceipt(strategy="", state="loaded", table=""))
            woken[0] = facts.load(day(1), [(2, at(1))], 20)

    HOOK.reached = overtake
    try:
        zombie = facts.load(day(1), [(1, at(1))], 10)
    finally:
        HOOK.reached = None
    assert (woken[0].state, zombie.state) == ("loaded", "superseded")
    assert facts.rows("id") == [(2,)]
    assert facts.table.look().branches == []


def test_a_column_that_was_made_anew_since_the_files_were_written_is_found_out(spark: Any, tmp_path: Path) -> None:
    """Its id is another one, so that their values would be read as null; what died keeps no files for ever."""
    facts, schema = Table(spark, tmp_path, BY_TIME), f"{SCHEMA}, name STRING"
    facts.load(day(1), [(1, at(1), "one")], 1, schema=schema)

    def alter(point: str) -> None:
        if point == "before commit":
            HOOK.reached = None
            session = facts.table.spark
            session.sql("ALTER TABLE lake.sales.orders DROP COLUMN name")
            session.sql("ALTER TABLE lake.sales.orders ADD COLUMN name STRING")

    HOOK.reached = alter
    try:
        with pytest.raises(InfrastructureError, match="column 'name' went meanwhile"):
            facts.load(day(2), [(2, at(2), "two")], 2, schema=schema)
    finally:
        HOOK.reached = None
    assert facts.rows("id", "name") == [(1, None)]
    refs = facts.table.spark.sql("SELECT max_reference_age_in_ms FROM lake.sales.orders.refs WHERE name <> 'main'")
    assert [row[0] for row in refs.collect()] == [7 * 24 * 3600 * 1000]
    facts.load(day(2), [(2, at(2), "two")], 3, schema=schema)
    assert facts.rows("id", "name") == [(1, None), (2, "two")]


def test_a_history_of_rows_that_it_has_not_made_is_refused_by_the_tables_name(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, BY_TIME)
    facts.load(day(1), [(1, at(1))], 1)
    history = Iceberg(catalog="lake", table="sales.orders", write=Scd2(strategy="scd2", keys=("id",), valid_from="at"))
    with pytest.raises(ConfigError, match=r"table of its events to lake\.sales\.orders__etl_events__flights__lake_"):
        facts.load(day(2), [(1, at(2))], 2, destination=history)


def test_append_keeps_its_own_rows_and_refuses_a_cut(spark: Any, tmp_path: Path) -> None:
    log = Table(spark, tmp_path, Append(strategy="append"))
    log.load(day(1), [(1, at(9)), (1, at(9))], 1, pipeline="a_pipeline_with_a_long_name")
    log.load(day(2), [(2, at(9))], 2, pipeline="a_pipeline_with_a_long_name")
    log.load(day(1), [(5, at(9))], 3, pipeline="a_pipeline_with_a_long_namf")
    log.load(day(1), [(3, at(9))], 3, pipeline="a_pipeline_with_a_long_name")
    assert log.rows("id") == [(2,), (3,), (5,)]
    log.load(day(1, 2), [(4, at(9))], 4, pipeline="a_pipeline_with_a_long_name")
    assert log.rows("id") == [(4,), (5,)]
    with pytest.raises(DataError, match="cuts through"):
        log.load(day(2), [(6, at(9))], 5, pipeline="a_pipeline_with_a_long_name")


def test_a_snapshot_is_the_newest_windows_with_its_columns(spark: Any, tmp_path: Path) -> None:
    whole = Table(spark, tmp_path, Snapshot(strategy="snapshot"))
    whole.load(day(2), [(1, at(1)), (2, at(1))], 1)
    assert whole.load(day(1), [(9, at(1))], 2).state == "superseded"
    strange = "`a.b c` STRING, id BIGINT, `Grün` DOUBLE"
    with pytest.raises(DataError, match="column 'id' is bigint"):
        whole.load(day(3), [("x", 5, float("nan"))], 3, schema=strange)
    whole.load(day(3), [("x'\\", 5, float("nan")), (None, None, None)], 4, schema=strange.replace("BIGINT", "INT"))
    assert whole.rows("`a.b c`", "id") == [("x'\\", 5), (None, None)]
    assert whole.table.rows().columns == ["id", "a.b c", "Grün"]
    again = whole.load(day(3), [(7, at(1))], 5)
    assert (again.rows_inserted, again.rows_deleted, whole.rows()) == (1, 2, [(7, at(1))])


def test_scopes_part_the_rows_of_a_table(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, BY_TIME)

    def owned(name: str) -> Iceberg:
        return Iceberg(
            catalog="lake", table="sales.orders", write=BY_TIME, scope={"shop": name}, partition_by=("shop",)
        )

    told = Iceberg(catalog="lake", table="sales.told", write=BY_TIME, scope={"SHOP": "x"})
    facts.load(day(1), [(1, at(1), "x")], 1, destination=told, schema=f"{SCHEMA}, shop STRING")
    held = told.lake(facts.context(day(1), 1)).ledger.properties()
    assert held["write.metadata.metrics.column.shop"] == "full", "as the table spells it"
    facts.load(day(1), [(1, at(1))], 1, destination=owned("o'b\\ä"), pipeline="one")
    facts.load(day(1), [(2, at(1))], 2, destination=owned("other"), pipeline="two")
    facts.load(day(1), [(3, at(1))], 3, destination=owned("other"), pipeline="two")
    assert facts.rows("id", "shop") == [(1, "o'b\\ä"), (3, "other")]
    with pytest.raises(ConfigError, match="loaded by one, two too"):
        facts.load(day(1), [(4, at(1))], 4, pipeline="three")
    lake, before = owned("third").lake(facts.context(day(1), 5)), facts.table.look().snapshot
    lake.claim(owned("third").claim("lake", plan(tmp_path, day(1), attempt(5), pipeline="four")))
    assert facts.table.look().snapshot == before
    served = replace(lake, catalog=replace(facts.catalog, type="rest"))  # a server compares main, not the properties
    served.claim(owned("fifth").claim("lake", plan(tmp_path, day(1), attempt(6), pipeline="five")))
    assert facts.table.look().snapshot != before
    assert facts.rows("id", "shop") == [(1, "o'b\\ä"), (3, "other")]


def test_columns_come_and_another_layout_is_refused(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, ReplaceWindow(strategy="replace_window", column="d"), partition_by=("d",))
    facts.load(day(1), [(1, date(2013, 1, 1))], 1, schema="id INT, d DATE")
    facts.load(day(2), [(2, date(2013, 1, 2), "x")], 2, schema="ID SMALLINT, d DATE, n STRING")
    assert facts.rows("id", "n") == [(1, None), (2, "x")]
    other = Iceberg(
        catalog="lake", table="sales.orders", write=facts.destination.write, partition_by=("bucket(4, id)",)
    )
    with pytest.raises(ConfigError, match=r"partitioned by identity\(d\)"):
        facts.load(day(3), [], 3, schema="id INT, d DATE", destination=other)
    with pytest.raises(ConfigError, match="there is no catalog 'leak'"):
        facts.load(day(3), [], 3, destination=Iceberg(catalog="leak", table="a.b", write=BY_TIME))


def test_many_merges_at_once_end_with_the_highest_sequence_of_each_key(spark: Any, tmp_path: Path) -> None:
    write = Merge(strategy="merge", keys=("id",), sequence="at", delete_when="at = TIMESTAMP '2013-01-04 12:00:00'")
    facts = Table(spark, tmp_path, write)
    with ThreadPoolExecutor(4) as pool:
        work = [
            pool.submit(facts.load, day(number), [(1, at(number)), (number + 1, at(1))], number)
            for number in (1, 2, 3, 4)
        ]
        receipts = [item.result() for item in work]
    assert {receipt.state for receipt in receipts} == {"loaded"}
    late = facts.load(day(9), [(1, at(2, 1)), (5, at(1, 13))], 9)
    assert facts.rows() == [(2, at(1)), (3, at(1)), (4, at(1)), (5, at(1, 13))]
    assert (late.rows_inserted, late.rows_updated, late.rows_deleted) == (0, 1, 0)
    assert facts.table.look().branches == []


def test_a_delete_of_a_key_that_is_not_there_is_seen_by_who_has_looked_before(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It changes no row of the table; yet the older row that comes after it must stay out."""
    monkeypatch.setattr(IcebergLake, "alone", lambda _lake: nullcontext())  # as where the catalog is a database
    write = Merge(strategy="merge", keys=("id",), sequence="at", delete_when="at = TIMESTAMP '2013-01-04 12:00:00'")
    facts = Table(spark, tmp_path, write)
    facts.load(day(5), [(9, at(5))], 1)
    deleted: list[LoadReceipt] = []

    def delete(point: str) -> None:
        if point == "before commit" and not deleted:
            deleted.append(LoadReceipt(strategy="", state="loaded", table=""))
            deleted[0] = facts.load(day(4), [(1, at(4))], 2)

    HOOK.reached = delete
    try:
        late = facts.load(day(1), [(1, at(1))], 3)
    finally:
        HOOK.reached = None
    assert (deleted[0].state, late.state, late.attempts) == ("loaded", "loaded", 2)
    assert facts.rows() == [(9, at(5))]
