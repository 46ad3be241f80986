"""A database that is known by its JDBC driver alone: PostgreSQL, as nobody had heard of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.load.databases.stage import Stage
from spark_jobs.load.strategies import ReplaceWindow, Snapshot
from spark_jobs.points import HOOK
from tests.servers.postgres import PostgreSQL
from tests.spark_jobs.load.databases.points import Died
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

SCHEMA = 'id INT, at TIMESTAMP, `Odd "%" name` STRING, day DATE, amount DECIMAL(9,2), yes BOOLEAN, raw BINARY'
BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
NAMES = 'id, at, "Odd ""%%"" name", day, amount, yes, raw'


def generic(server: PostgreSQL) -> Connection:
    extra = {"driver": "org.postgresql.Driver", "subprotocol": "postgresql"}
    return replace(server.connection("db"), kind="jdbc", extra=extra)


def row(number: int, day_of: int, text: str | None = "x") -> tuple[Any, ...]:
    moment = datetime(2013, 1, day_of, 23, 59, 59, 999999, UTC)
    return number, moment, text, date(2013, 1, day_of), Decimal("1.50"), True, b"\x00\xff"


@pytest.fixture
def facts(spark: Any, postgres: PostgreSQL, tmp_path: Path) -> Iterator[DatabaseTable]:
    postgres.run(
        "DROP TABLE IF EXISTS facts, _etl_loads, _etl_owners",
        'CREATE TABLE facts (id INTEGER, at TIMESTAMP, "Odd ""%"" name" VARCHAR(5), day DATE, amount NUMERIC(4,2),'
        " yes BOOLEAN, raw BYTEA, made TIMESTAMP DEFAULT now())",
    )
    table = DatabaseTable(spark, postgres, tmp_path, "facts", BY_TIME, SCHEMA)
    table.connection = generic(postgres)
    yield table
    HOOK.reached = None
    postgres.run("DROP TABLE IF EXISTS facts, _etl_loads, _etl_owners")  # of types that others wouldn't make


def test_windows_replace_their_rows_in_one_transaction(facts: DatabaseTable, spark: Any) -> None:
    assert facts.load(day(1), row(1, 1), row(2, 1, None)).rows_inserted == 2
    facts.load(day(2), row(3, 2, 'q"%'))
    again = facts.load(day(1), row(4, 1), token="mine")
    assert (again.state, again.rows_inserted, again.rows_deleted) == ("loaded", 1, 2)
    plain = [(*item[:1], item[1].replace(tzinfo=None), *item[2:]) for item in (row(3, 2, 'q"%'), row(4, 1))]
    assert [tuple(item) for item in facts.rows(NAMES.replace("%%", "%"), "id")] == plain
    assert facts.load(day(1), row(9, 1), second=0.5).state == "superseded"
    found = facts.destination.done("mart", facts.context(day(1), token="mine"))
    assert found is not None
    assert found.state == "already_done"
    assert facts.load(day(2)).rows_deleted == 1
    assert facts.rows() == [(4,)]
    assert facts.stages() == []

    def die(point: str) -> None:
        if point == "before commit":
            raise Died

    HOOK.reached = die
    with pytest.raises(Died):
        facts.load(day(1), row(5, 1))
    assert (facts.rows(), facts.stages()) == ([(4,)], [])


def test_one_waits_for_the_other_and_then_sees_it(facts: DatabaseTable) -> None:
    other: list[Any] = []
    old = facts.context(day(1), second=50)

    def meanwhile(point: str) -> None:
        if point == "before commit":
            HOOK.reached = None
            thread = threading.Thread(target=lambda: other.append(facts.load(day(1), row(8, 1), context=old)))
            thread.start()
            thread.join(3)
            assert thread.is_alive()
            other.append(thread)

    facts.load(day(2), row(1, 2))
    HOOK.reached = meanwhile
    assert facts.load(day(1), row(9, 1), second=90).state == "loaded"
    other[0].join(30)
    assert other[1].state == "superseded"
    assert facts.rows() == [(1,), (9,)]


def test_what_it_can_not_do_is_said(facts: DatabaseTable, spark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = spark.createDataFrame([row(1, 1), row(2, 1, "longer")], SCHEMA)
    limits = facts.destination.outside(frame, facts.context(day(1)))
    assert [limit.rule for limit in limits] == ["outside_window", "too_long", "out_of_range"]
    with pytest.raises(DataError, match="too long"):
        facts.load(day(1), row(2, 1, "longer"))
    with pytest.raises(ConfigError, match="facts has no column 'new', or isn't there"):
        facts.load(day(1), schema=f"{SCHEMA}, new INT")
    with pytest.raises(DataError, match="'id' comes as string"):
        facts.load(day(1), schema=SCHEMA.replace("id INT", "id STRING"))
    count = Stage.count
    monkeypatch.setattr(Stage, "count", lambda stage, cursor: count(stage, cursor) + 1)
    with pytest.raises(InfrastructureError, match="2 rows were staged, 1 were checked"):
        facts.load(day(1), row(1, 1))  # as where Spark ran a task twice
    facts.destination = replace(facts.destination, write=Snapshot(strategy="snapshot"))
    with pytest.raises(ConfigError, match="strategy snapshot, and a database that is reached by its driver alone"):
        facts.load(day(1), row(1, 1))
    facts.destination = replace(facts.destination, write=BY_TIME)
    facts.connection = replace(facts.connection, password="pl4nted-m4rker")
    with pytest.raises(ConfigError, match="password authentication failed") as refused:
        facts.load(day(1), row(1, 1))
    assert "pl4nted" not in str(refused.value)
    facts.connection = replace(facts.connection, extra={"driver": "org.x.Driver", "subprotocol": "postgresql"})
    with pytest.raises(ConfigError, match=r"the driver org\.x\.Driver isn't there"):
        facts.load(day(1), row(1, 1))
    assert facts.rows() == []
