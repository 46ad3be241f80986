"""The promise, for tables of real databases: any window, any order, any number of times, by several at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from tests.servers.embedded import Embedded
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

SCHEMA = "id INT, at TIMESTAMP"
BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
Maker = Callable[..., DatabaseTable]


def at(number: int, hour: int = 12) -> datetime:
    return datetime(2013, 1, number, hour, tzinfo=UTC)


@pytest.fixture(params=["postgres", "mariadb", "h2", pytest.param("derby", marks=pytest.mark.prove)])
def table(spark: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    server = request.getfixturevalue(request.param)

    def make(name: str, write: Any = BY_TIME, schema: str = SCHEMA, **options: Any) -> DatabaseTable:
        if isinstance(server, Embedded):
            server.clear()
        else:
            server.run(*[f"DROP TABLE IF EXISTS {known}" for known in (name, "_etl_loads", "_etl_owners")])
        return DatabaseTable(spark, server, tmp_path, name, write, schema, **options)

    return make


def test_windows_replace_their_rows_in_any_order_and_any_number_of_times(table: Maker) -> None:
    facts = table("facts")
    receipt = facts.load(day(2), (3, at(2, 0)), (4, at(2, 23)))
    assert (receipt.state, receipt.rows_inserted, receipt.rows_deleted, receipt.table) == ("loaded", 2, 0, "db:facts")
    facts.load(day(1), (1, at(1)), (2, at(1, 23)))
    again = facts.load(day(2), (5, at(2)))
    assert (again.rows_inserted, again.rows_deleted) == (1, 2)
    assert facts.rows() == [(1,), (2,), (5,)]
    cleared = facts.load(day(1))
    assert (cleared.state, cleared.rows_deleted) == ("loaded", 2)
    assert facts.rows() == [(5,)]
    assert facts.stages() == []


def test_an_older_attempt_is_superseded_and_the_same_one_found_again(table: Maker) -> None:
    facts = table("facts")
    facts.load(day(1), (2, at(1)), second=20, token="mine")
    assert facts.load(day(1), (1, at(1)), second=10).state == "superseded"
    again = facts.load(day(1), (1, at(1)), second=20, token="mine")
    assert (again.state, again.rows_inserted) == ("already_done", 1)
    found = facts.destination.done("mart", facts.context(day(1), second=30, token="mine"))
    assert found is not None
    assert (found.state, found.rows_inserted) == ("already_done", 1)
    assert facts.destination.done("mart", facts.context(day(1), second=30, token="theirs")) is None
    assert facts.destination.done("mart", facts.context(day(9), second=30, token="mine")) is None
    late = facts.context(day(1), second=30)
    late = replace(late, plan=replace(late.plan, attempt=replace(late.plan.attempt, since=1)))
    assert facts.load(day(1), (1, at(1)), context=late).state == "superseded"
    assert facts.rows() == [(2,)]


def test_windows_and_attempts_at_once_leave_each_window_once(table: Maker) -> None:
    """Four windows that make the table, and two attempts at one of them; then a window that overlaps two of them."""
    facts = table("facts")
    contexts = [facts.context(day(number), second=number) for number in (1, 2, 3, 4)]
    contexts += [facts.context(day(4), second=9)]
    with ThreadPoolExecutor(5) as pool:
        rows = [((number, at(min(number, 4))),) for number in (1, 2, 3, 4, 5)]
        work = [pool.submit(facts.load, day(1), *row, context=who) for row, who in zip(rows, contexts, strict=True)]
        states = [item.result().state for item in work]
    assert states[:3] == ["loaded"] * 3
    assert states[4] == "loaded"
    assert facts.rows() == [(1,), (2,), (3,), (5,)]
    with ThreadPoolExecutor(3) as pool:
        split = [
            facts.context(day(1, 2), second=20),
            facts.context(day(1), second=21),
            facts.context(day(2), second=22),
        ]
        given = [[(1, at(1)), (2, at(2))], [(1, at(1))], [(2, at(2))]]
        work = [pool.submit(facts.load, day(1), *row, context=who) for row, who in zip(given, split, strict=True)]
        assert [item.result().state for item in work[1:]] == ["loaded"] * 2
        overtaken = work[0].exception()  # the wide one was read first: it may come first, and last it is refused
        assert overtaken is None or "loaded meanwhile" in str(overtaken)
    assert facts.rows() == [(1,), (2,), (3,), (5,)]
    assert facts.stages() == []


def test_append_replaces_its_own_rows_and_the_windows_that_it_covers(table: Maker) -> None:
    log = table("log", Append(strategy="append"), "id INT")
    for number in (1, 2, 3):
        log.load(day(number), (number,), (number,))
    log.load(day(1), (9,))
    assert log.rows() == [(2,), (2,), (3,), (3,), (9,)]
    with pytest.raises(DataError, match=r"2013-01-03T00:00:00Z/2013-01-05.* cuts through|cuts through"):
        log.load(day(2, 1), (1,), context=log.context(replace(day(2), end=at(2, 6))))
    assert log.load(day(1, 2), (7,)).rows_deleted == 3
    carried = ", ".join(map(log.quoted, ("_pipeline", "_window_start")))
    assert [row[0] for row in log.rows(f"id, {carried}", "id")] == [3, 3, 7]


def test_the_newest_snapshot_wins_in_any_order(table: Maker) -> None:
    whole = table("whole", Snapshot(strategy="snapshot"), "id INT")
    assert whole.load(day(2), (2,)).state == "loaded"
    assert whole.load(day(1), (1,)).state == "superseded"
    assert whole.load(day(2), (22, "x"), schema="id INT, note STRING").state == "loaded"
    assert whole.load(day(3), (3,)).state == "loaded"
    assert whole.rows("id, note") == [(3, None)]


def test_a_date_column_is_compared_with_local_dates(table: Maker) -> None:
    local = replace(day(1), start=at(1, 5), end=at(2, 5), timezone="America/New_York")
    daily = table("daily", ReplaceWindow(strategy="replace_window", column="on"), "id INT, on DATE")
    daily.load(local, (1, date(2013, 1, 1)))
    daily.load(local, (2, date(2013, 1, 1)))
    assert daily.rows() == [(2,)]


def test_pipelines_part_a_table_by_scope_and_one_without_is_refused(table: Maker) -> None:
    shop = table("shop", scope={"country": "de"})
    other = replace(shop.destination, scope={"country": "at"})
    shop.load(day(1), (1, at(1)))
    german, shop.destination = shop.destination, other
    shop.load(day(1), (2, at(1)), pipeline="other")
    shop.destination = german
    shop.load(day(1), (3, at(1)))
    assert shop.rows("id, country") == [(2, "at"), (3, "de")]
    shop.destination = replace(german, scope={})
    with pytest.raises(ConfigError, match="loaded by flights, other too"):
        shop.load(day(1), (4, at(1)), pipeline="third")
    assert shop.rows() == [(2,), (3,)]


def test_new_columns_join_the_table_and_a_clash_of_types_is_told(table: Maker) -> None:
    facts = table("facts")
    facts.load(day(1), (1, at(1)))
    facts.load(day(2), (2, at(2), "x"), schema=f"{SCHEMA}, Note STRING")
    facts.load(day(3), (3, at(3), "y"), schema=f"{SCHEMA}, note STRING")
    name = facts.quoted("Note")
    assert facts.rows(f"id, {name}") == [(1, None), (2, "x"), (3, "y")]
    with pytest.raises(DataError, match=r"load\.mart: column 'id' comes as string, but is (int|INTEGER)"):
        facts.load(day(4), ("4", at(4)), schema="id STRING, at TIMESTAMP")
    with pytest.raises(ConfigError, match="_etl_task"):
        facts.load(day(4), (4, at(4), 1), schema=f"{SCHEMA}, _etl_task INT")
    if getattr(facts.server, "product", "") == "h2":
        return  # whose driver doesn't say how long names may be
    with pytest.raises(ConfigError, match="can't be a column's name"):
        facts.load(day(4), (4, at(4), 1), schema=f"{SCHEMA}, `{'ü' * 129}` INT")


def test_a_table_with_rules_gets_its_rows_by_insert(spark: Any, postgres: Any, tmp_path: Path) -> None:
    postgres.run(
        "DROP TABLE IF EXISTS ruled, seen, _etl_loads, _etl_owners",
        "CREATE TABLE ruled (id INT)",
        "CREATE TABLE seen (id INT)",
        "CREATE RULE also AS ON INSERT TO ruled DO ALSO INSERT INTO seen VALUES (NEW.id)",
    )
    table = DatabaseTable(spark, postgres, tmp_path, "ruled", Snapshot(strategy="snapshot"), "id INT")
    table.load(day(1), (1,), (2,))
    assert (table.rows(), postgres.rows("SELECT id FROM seen ORDER BY id")) == ([(1,), (2,)], [(1,), (2,)])
    postgres.run("DROP TABLE ruled, seen")
