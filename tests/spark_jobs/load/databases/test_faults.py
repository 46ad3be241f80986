"""What happens where a load dies, or others come in between: the table and its ledger agree, and a repeat mends all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.load.databases import arriving
from spark_jobs.load.databases.names import STAGE
from spark_jobs.load.databases.stage import Stage
from spark_jobs.load.databases.transacting import Work
from spark_jobs.load.strategies import ReplaceWindow
from spark_jobs.points import HOOK
from spark_jobs.window import Window
from tests.spark_jobs.load.databases.points import Died, told_here
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

Maker = Callable[..., DatabaseTable]
SCHEMA = "id INT, at TIMESTAMP"


def at(number: int) -> datetime:
    return datetime(2013, 1, number, 12, tzinfo=UTC)


@pytest.fixture
def when() -> Iterator[Callable[[str, Callable[[], object]], None]]:
    """Do something once when a load comes to a point."""

    def at_point(point: str, act: Callable[[], object]) -> None:
        def reached(there: str) -> None:
            if there == point:
                HOOK.reached = None
                act()

        HOOK.reached = reached

    with told_here():
        yield at_point


@pytest.fixture(params=["arriving", "staged"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are published as they arrive, or by way of a staging table."""
    if request.param == "staged":
        stage_all(monkeypatch)


def stage_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "FEW", -1)


@pytest.fixture(params=["postgres", "mariadb"])
def facts(spark: Any, tmp_path: Path, request: pytest.FixtureRequest) -> DatabaseTable:
    server = request.getfixturevalue(request.param)
    server.run(*[f"DROP TABLE IF EXISTS {known}" for known in ("facts", "_etl_loads", "_etl_owners")])
    write = ReplaceWindow(strategy="replace_window", column="at")
    made = DatabaseTable(spark, server, tmp_path, "facts", write, SCHEMA)
    made.load(day(1), (1, at(1)))
    return made


def die() -> None:
    raise Died


def dies() -> Any:
    """A task that dies is told of by Spark."""
    from pyspark.errors import PythonException

    return pytest.raises((Died, PythonException), match=r"Died|^$")


def kill_sessions(facts: DatabaseTable) -> None:
    """End all sessions but one's own, as the server does when a machine is gone."""
    if facts.server.kind == "postgres":
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        facts.server.rows(f"{others} AND backend_type = 'client backend'")
        return
    sessions = "SELECT id FROM information_schema.processlist WHERE user = 'etl' AND id <> connection_id()"
    for (session,) in facts.server.rows(sessions):
        facts.server.run(f"KILL {session}")


@pytest.mark.usefixtures("way")
def test_a_load_that_dies_at_any_point_leaves_all_or_nothing_and_is_found_again(
    facts: DatabaseTable, when: Any
) -> None:
    for point in ("before staging", "staged", "before commit"):
        when(point, die)
        with dies():
            facts.load(day(1), (2, at(1)), token="mine")
        assert facts.rows() == [(1,)]
        assert facts.stages() == []
        assert facts.destination.done("mart", facts.context(day(1), token="mine")) is None
    when("after commit", die)
    with dies():
        facts.load(day(1), (2, at(1)), token="mine")
    assert facts.rows() == [(2,)]
    found = facts.destination.done("mart", facts.context(day(1), token="mine"))
    assert found is not None
    assert (found.state, found.rows_inserted, found.rows_deleted) == ("already_done", 1, 1)


@pytest.mark.usefixtures("way")
def test_a_connection_that_breaks_before_or_amid_the_commit_is_no_loss(facts: DatabaseTable, when: Any) -> None:
    """Once the sessions are killed before the commit; once the commit arrives, and its answer doesn't."""
    when("before commit", lambda: kill_sessions(facts))
    receipt = facts.load(day(1), (2, at(1)), token="first")
    assert (receipt.state, receipt.attempts, receipt.rows_inserted) == ("loaded", 2, 1)
    assert facts.rows() == [(2,)]

    when("after commit", lambda: _lose(facts))
    receipt = facts.load(day(1), (3, at(1)), token="second")
    assert (receipt.state, receipt.attempts, receipt.rows_inserted) == ("already_done", 2, 1)
    assert facts.rows() == [(3,)]
    assert facts.stages() == []


def _lose(facts: DatabaseTable) -> None:
    """The error that a driver raises where the answer to a commit never comes."""
    if facts.server.kind == "postgres":
        import psycopg

        raise psycopg.OperationalError("server closed the connection unexpectedly")
    import pymysql

    raise pymysql.err.OperationalError(2013, "Lost connection to server during query")


@pytest.mark.usefixtures("way")
def test_a_zombie_that_wakes_between_staging_and_commit_changes_nothing(facts: DatabaseTable, when: Any) -> None:
    when("staged", lambda: facts.load(day(1), (9, at(1)), second=90))
    zombie = facts.load(day(1), (2, at(1)), second=50)
    assert (zombie.state, zombie.rows_inserted) == ("superseded", 0)
    assert facts.rows() == [(9,)]


@pytest.mark.usefixtures("way")
def test_an_attempt_waits_for_the_one_that_commits_and_then_sees_it(facts: DatabaseTable, when: Any) -> None:
    other: list[Any] = []
    old = facts.context(day(1), second=50)

    def meanwhile() -> None:
        thread = threading.Thread(target=lambda: other.append(facts.load(day(1), (8, at(1)), context=old)))
        thread.start()
        thread.join(2)
        assert thread.is_alive()
        other.append(thread)

    when("before commit", meanwhile)
    assert facts.load(day(1), (9, at(1)), second=90).state == "loaded"
    other[0].join(30)
    assert other[1].state == "superseded"
    assert facts.rows() == [(9,)]


def test_rows_of_attempts_that_spark_gave_up_are_not_published(
    facts: DatabaseTable, when: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task's attempt has committed rows, and its success never reached the driver: they don't count."""
    stage_all(monkeypatch)
    settle, seen = Stage.settle, []

    def settled(stage: Stage, cursor: Any) -> None:
        name = stage.database.table(stage.table)
        if not seen:
            cursor.execute(f"INSERT INTO {name} SELECT id, at, -1 FROM {name}")  # noqa: S608
        seen.append(settle(stage, cursor))

    monkeypatch.setattr(Stage, "settle", settled)
    receipt = facts.load(day(1), (2, at(1)), (3, at(1)))
    assert (receipt.rows_inserted, facts.rows()) == (2, [(2,), (3,)])

    def emptied(stage: Stage, cursor: Any) -> None:
        cursor.execute(f"DELETE FROM {stage.database.table(stage.table)}")  # noqa: S608 - as a crash does
        settle(stage, cursor)

    monkeypatch.setattr(Stage, "settle", emptied)
    with pytest.raises(InfrastructureError, match="2 rows were staged, 0 are there"):
        facts.load(day(1), (4, at(1)), (5, at(1)))
    assert facts.rows() == [(2,), (3,)]


def test_dead_staging_tables_are_swept_and_those_in_use_stay(
    facts: DatabaseTable, when: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage_all(monkeypatch)
    old, young = f"{STAGE}00000001_dead", f"{STAGE}7fffffff_young"
    facts.server.run(f"CREATE TABLE {old} (x INT)", f"CREATE TABLE {young} (x INT)")
    used: list[str] = []

    def look() -> None:
        used.extend(facts.stages())

    when("staged", look)
    facts.load(day(2), (2, at(2)))
    assert old not in used
    assert len(used) == 2
    assert facts.stages() == [young]
    facts.server.run(f"DROP TABLE {young}")


def test_with_lookback_rows_that_were_read_earlier_replace_none_that_were_read_later(facts: DatabaseTable) -> None:
    publishing = facts.destination.publishing("mart", facts.context(day(3), second=30))
    facts.load(day(2), (2, at(2)), second=60)
    back = Window(start=day(2).start, end=day(3).end)
    assert publishing.reading is not None
    reading = replace(publishing.reading, span=back, looks_back=True)
    with publishing._session() as cursor, pytest.raises(InfrastructureError, match="loaded meanwhile with window"):
        publishing._transaction((), cast("Work", None)).refuse_overtaken(cursor, reading)


def test_no_secret_stands_in_an_error(facts: DatabaseTable) -> None:
    facts.connection = replace(facts.connection, password="pl4nted-m4rker")
    with pytest.raises(ConfigError) as refused:
        facts.load(day(1), (2, at(1)))
    assert "pl4nted" not in str(refused.value)
    facts.connection = replace(facts.connection, port=1)
    with pytest.raises(InfrastructureError, match=r"connection 'db'") as failed:
        facts.load(day(1), (2, at(1)))
    assert "pl4nted" not in str(failed.value)
    facts.connection = replace(facts.connection, extra={"cursorclass": "x"})
    with pytest.raises(ConfigError, match="extra has cursorclass"):
        facts.load(day(1), (2, at(1)))
    facts.connection = replace(facts.connection, kind="oracle")
    with pytest.raises(ConfigError, match=r"connection 'db' is of type 'oracle'; expected one of postgres"):
        facts.load(day(1), (2, at(1)))
