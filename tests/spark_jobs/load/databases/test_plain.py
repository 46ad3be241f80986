"""Tables of other databases, by plain JDBC: what dies leaves all or nothing, and what can't be kept is said."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.jdbc.address import address_of
from spark_jobs.jdbc.sessions import DriverError
from spark_jobs.load.by_key import Merge
from spark_jobs.load.databases import plain, plain_stage
from spark_jobs.load.databases.books import Books
from spark_jobs.load.databases.names import STAGE, TableName
from spark_jobs.load.databases.plain import Plain
from spark_jobs.load.strategies import ReplaceWindow, Snapshot
from spark_jobs.points import HOOK
from spark_jobs.tables.databases.held import Held
from tests.servers.embedded import Embedded
from tests.servers.postgres import PostgreSQL
from tests.spark_jobs.load.databases.points import Died
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

SCHEMA = "id INT, at TIMESTAMP"


def at(number: int) -> datetime:
    return datetime(2013, 1, number, 12, tzinfo=UTC)


@pytest.fixture(params=["h2", "derby"])
def server(request: pytest.FixtureRequest) -> Embedded:
    found: Embedded = request.getfixturevalue(request.param)
    found.clear()
    return found


@pytest.fixture
def facts(spark: Any, server: Embedded, tmp_path: Path) -> DatabaseTable:
    made = DatabaseTable(
        spark, server, tmp_path, "facts", ReplaceWindow(strategy="replace_window", column="at"), SCHEMA
    )
    made.load(day(1), (1, at(1)))
    return made


@pytest.fixture
def when() -> Iterator[Callable[[str, Callable[[], object]], None]]:
    """Do something once when a load comes to a point."""

    def at_point(point: str, act: Callable[[], object]) -> None:
        def reached(there: str) -> None:
            if there == point:
                HOOK.reached = None
                act()

        HOOK.reached = reached

    yield at_point
    HOOK.reached = None


def die() -> None:
    raise Died


def test_a_load_that_dies_at_any_point_leaves_all_or_nothing_and_is_found_again(
    facts: DatabaseTable, when: Any
) -> None:
    for point in ("before staging", "staged", "before commit"):
        when(point, die)
        with pytest.raises(Died):
            facts.load(day(1), (2, at(1)), token="mine")
        assert facts.rows() == [(1,)]
        assert facts.stages() == []
    when("after commit", die)
    with pytest.raises(Died):
        facts.load(day(1), (2, at(1)), token="mine")
    assert facts.rows() == [(2,)]
    found = facts.destination.done("mart", facts.context(day(1), token="mine"))
    assert found is not None
    assert (found.state, found.rows_inserted, found.rows_deleted) == ("already_done", 1, 1)


def test_a_connection_that_breaks_around_the_commit_is_no_loss(
    spark: Any, h2: Embedded, tmp_path: Path, when: Any
) -> None:
    h2.clear()
    facts = DatabaseTable(spark, h2, tmp_path, "facts", Snapshot(strategy="snapshot"), "id INT")
    facts.load(day(1), (1,))
    ids = "SELECT session_id FROM information_schema.sessions WHERE session_id <> SESSION_ID()"

    def abort() -> None:
        for (number,) in h2.rows(ids):
            h2.rows(f"SELECT ABORT_SESSION({number})")

    when("before commit", abort)
    receipt = facts.load(day(1), (2,))
    assert (receipt.state, receipt.attempts, receipt.rows_inserted, facts.rows()) == ("loaded", 2, 1, [(2,)])

    def lose() -> None:
        abort()
        raise DriverError("the connection was broken", "90067", lost=True)  # the answer to the commit never came

    when("after commit", lose)
    receipt = facts.load(day(1), (3,))
    assert (receipt.state, receipt.attempts, receipt.rows_inserted, facts.rows()) == ("already_done", 2, 1, [(3,)])
    assert h2.rows('SELECT count(*) FROM "_ETL_LOADS" WHERE "UNIT" <> \'-\'') == [(1,)]
    assert facts.stages() == []


def test_a_load_whose_staging_table_was_swept_says_so(facts: DatabaseTable, when: Any) -> None:
    when("staged", lambda: facts.server.run(*[f'DROP TABLE "{name}"' for name in facts.stages()]))
    with pytest.raises(InfrastructureError, match=r"the staging table is gone: .* run it again"):
        facts.load(day(1), (2, at(1)))
    assert facts.rows() == [(1,)]


def test_rows_of_a_task_whose_success_nobody_heard_of_count_once(
    facts: DatabaseTable, when: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another attempt at a partition has committed the same rows: while they are staged, and after that."""

    def double() -> None:
        (stage,) = facts.stages()
        made = f'SELECT "ID", "AT", "_etl_part", "_etl_task" + 1000 FROM "{stage}"'  # noqa: S608
        facts.server.run(f'INSERT INTO "{stage}" ("ID", "AT", "_etl_part", "_etl_task") {made}')

    write = plain_stage.write

    def twice(*arguments: Any) -> None:
        write(*arguments)
        double()

    monkeypatch.setattr(plain_stage, "write", twice)
    when("staged", double)
    receipt = facts.load(day(2), (2, at(2)), (3, at(2)))
    assert (receipt.rows_inserted, facts.rows()) == (2, [(1,), (2,), (3,)])


def test_an_old_staging_table_is_swept_and_a_young_one_is_not(facts: DatabaseTable) -> None:
    old = f"{STAGE}00000001_0123456789ab".upper()
    young = Plain(connection=facts.connection)
    name = f"{STAGE}7fffffff_0123456789ab".upper()
    facts.server.run(f'CREATE TABLE "{old}" (id INT)', f'CREATE TABLE "{name}" (id INT)')
    facts.load(day(2), (2, at(2)))
    assert facts.stages() == [name]
    assert young.nature.upper


wall = datetime.fromisoformat


def test_values_arrive_as_they_are(spark: Any, server: Embedded, tmp_path: Path) -> None:
    """Every type that there is, at its edges, and null of each; the second load finds the table that the first made."""
    good = {
        "b": ("boolean", "true", True),
        "t": ("tinyint", "-128Y", -128),
        "s": ("smallint", "32767S", 32767),
        "i": ("int", "-2147483648", -2147483648),
        "l": ("bigint", "9223372036854775807L", 9223372036854775807),
        "f": ("float", "CAST(0.5 AS FLOAT)", 0.5),
        "d": ("double", "1.7976931348623157E308D", 1.7976931348623157e308),
        "n": ("decimal(31,5)", "-12345678901234567890123456.54321BD", Decimal("-12345678901234567890123456.54321")),
        "w": ("string", "'äö🙂 %s \\' ? '", "äö🙂 %s ' ? "),
        "e": ("string", "''", ""),
        "day": ("date", "DATE '0001-01-01'", date(1, 1, 1)),
        "moment": ("timestamp", "TIMESTAMP '2013-03-31 02:30:00.123456'", wall("2013-03-31 02:30:00.123456")),
        "wall": ("timestamp_ntz", "TIMESTAMP_NTZ '9999-12-31 23:59:59.999999'", wall("9999-12-31 23:59:59.999999")),
        'odd % "name': ("int", "7", 7),
    }
    raw = "X'0001FF' AS raw"
    told = ", ".join(f"CAST({value} AS {kind}) AS `{name}`" for name, (kind, value, _) in good.items())
    nothing = ", ".join(f"CAST(NULL AS {kind}) AS `{name}`" for name, (kind, *_) in good.items())
    frame = spark.sql(f"SELECT 1 AS id, {told}, {raw} UNION ALL SELECT 2, {nothing}, NULL")
    table = DatabaseTable(spark, server, tmp_path, "typed", Snapshot(strategy="snapshot"), "id INT")
    for _ in range(2):
        table.destination.publish("mart", frame, 2, table.context(day(1)))
    names = ", ".join(f'"{name.upper()}"' if name.isalpha() else '"odd %% ""name"' for name in good)
    values = tuple(value for *_, value in good.values())
    assert table.rows(names, "id") == [values, (None,) * len(good)]
    address = address_of(server.connection("db"))
    read = spark.read.option("driver", address.driver)
    bytes_of = read.jdbc(address.url, "(SELECT id, raw FROM typed) t", properties=dict(address.properties))
    assert [row["RAW"] for row in bytes_of.orderBy("ID").collect()] == [bytearray(b"\x00\x01\xff"), None]
    with pytest.raises(ConfigError, match=r"column 'a' is array<int>, for which .* has no type"):
        table.load(day(1), (1, [1]), schema="id INT, a ARRAY<INT>")


def test_what_a_table_would_alter_in_silence_is_refused(spark: Any, server: Embedded, tmp_path: Path) -> None:
    coarse = "SMALLINT" if server.product == "derby" else "TIMESTAMP(3)"
    server.run(f'CREATE TABLE tight (id INT, c CHAR(5), r REAL, n DECIMAL(5,1), "AT" {coarse})')
    table = DatabaseTable(spark, server, tmp_path, "tight", Snapshot(strategy="snapshot"), "id INT")
    for schema, value in (
        ("c STRING", "a"),
        ("r DOUBLE", 0.1),
        ("n DECIMAL(5,2)", Decimal(1)),
        ("at TIMESTAMP", at(1)),
    ):
        with pytest.raises(
            DataError, match=r"column '\w+' comes as .*, but is .* in TIGHT; expected a column that keeps"
        ):
            table.load(day(1), (1, value), schema=f"id INT, {schema}")
    server.run("CREATE VIEW looked AS SELECT id FROM tight")
    view = DatabaseTable(spark, server, tmp_path, "looked", Snapshot(strategy="snapshot"), "id INT")
    with pytest.raises(ConfigError, match="it is a view; expected a table"):
        view.load(day(1), (1,))
    server.run("DROP VIEW looked")


def test_a_constraint_that_the_server_alone_knows_fails_the_load_and_nothing_is_published(
    spark: Any, server: Embedded, tmp_path: Path
) -> None:
    server.run("CREATE TABLE guarded (id INT CHECK (id > 0))")
    table = DatabaseTable(spark, server, tmp_path, "guarded", Snapshot(strategy="snapshot"), "id INT")
    table.load(day(1), (1,))
    with pytest.raises(DataError):
        table.load(day(1), (-1,))
    assert (table.rows(), table.stages()) == ([(1,)], [])


def test_what_cannot_be_kept_or_reached_is_told_without_secrets(facts: DatabaseTable) -> None:
    merge = replace(facts.destination, write=Merge(strategy="merge", keys=("id",), sequence=("at",)))
    facts.destination, window = merge, facts.destination
    with pytest.raises(
        ConfigError, match=r"type 'jdbc': merge compares rows .*; expected replace_window.* is snapshot"
    ):
        facts.load(day(1), (2, at(1)))
    facts.destination = replace(window, database="postgres")
    with pytest.raises(ConfigError, match=r"of type 'jdbc', and `database` says postgres"):
        facts.load(day(1), (2, at(1)))
    facts.destination, known = window, facts.connection
    facts.connection = replace(known, extra={**known.extra, "driver": "no.such.Driver"})
    with pytest.raises(ConfigError, match=r"the driver no\.such\.Driver isn't there"):
        facts.load(day(1), (2, at(1)))
    facts.connection = replace(known, schema="nowhere", password="pl4nted-m4rker", extra={**known.extra, "password": 1})
    with pytest.raises(ConfigError) as refused:
        facts.load(day(1), (2, at(1)))
    assert "pl4nted" not in str(refused.value)
    loads = {"mart": ("result", window)}
    held = Held(
        spark=facts.spark,
        plan=facts.context(day(1), load=loads).plan,
        name="mart",
        destination=window,
        connections=Connections(known),
    )
    with pytest.raises(ConfigError, match=r"connection 'db': merge, adopt, refresh and purge take SQL"):
        held.session()
    if facts.server.product == "h2":
        facts.connection = replace(known, password="pl4nted-m4rker")
        with pytest.raises(ConfigError, match="connection 'db'") as wrong:
            facts.load(day(1), (2, at(1)))
        assert "pl4nted" not in str(wrong.value)


def test_a_ledger_without_the_tables_row_lets_nobody_in_unlocked(facts: DatabaseTable, when: Any) -> None:
    when("staged", lambda: facts.server.run('DELETE FROM "_ETL_LOADS" WHERE "UNIT" = \'-\''))
    with pytest.raises(InfrastructureError, match="the table's row in the ledger is gone"):
        facts.load(day(1), (2, at(1)))
    assert facts.rows() == [(1,)]
    facts.load(day(1), (2, at(1)))
    assert facts.rows() == [(2,)]


def test_who_comes_second_waits_until_the_first_has_committed(facts: DatabaseTable) -> None:
    database = Plain(connection=facts.connection)
    books = Books(database=database, table=database.placed(TableName(schema="", name="facts")))
    first, second = database.connect(), database.connect()
    with ThreadPoolExecutor(1) as pool, first.cursor() as mine, second.cursor() as theirs:
        books.lock(mine)
        waiting = pool.submit(books.lock, theirs)
        assert wait([waiting], timeout=1).not_done
        first.commit()
        waiting.result(timeout=30)
    first.close()
    second.close()


def test_a_java_that_runs_by_another_clock_is_refused(spark: Any, derby: Embedded) -> None:
    zones = spark._jvm.java.util.TimeZone
    known = zones.getDefault()
    zones.setDefault(zones.getTimeZone("America/New_York"))
    try:
        with pytest.raises(ConfigError, match=r"is that of America/New_York, by which .*; expected UTC"):
            derby.session()
    finally:
        zones.setDefault(known)


def test_who_waits_for_too_long_says_so_once(
    spark: Any, h2: Embedded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """H2: with Derby who looks into the ledger has waited already."""
    h2.clear()
    facts = DatabaseTable(spark, h2, tmp_path, "facts", Snapshot(strategy="snapshot"), "id INT")
    facts.load(day(1), (1,))
    monkeypatch.setattr(plain, "_PATIENCE", 3.0)
    database = Plain(connection=facts.connection)
    books, first = Books(database=database, table=TableName(schema="", name="FACTS")), database.connect()
    try:
        with first.cursor() as mine:
            books.lock(mine)
            since = time.monotonic()
            with pytest.raises(InfrastructureError, match="another load of the table doesn't end"):
                facts.load(day(2), (2,))
            assert time.monotonic() - since < 15
    finally:
        first.close()


def test_a_statement_that_waits_is_ended_where_the_driver_can(
    spark: Any, postgres: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL by its JDBC driver waits for ever, if nobody says how long."""
    monkeypatch.setattr(plain, "_PATIENCE", 2.0)
    postgres.run("DROP TABLE IF EXISTS held", "CREATE TABLE held (number BIGINT)", "INSERT INTO held VALUES (0), (0)")
    extra = {"driver": "org.postgresql.Driver", "subprotocol": "postgresql"}
    database = Plain(connection=replace(postgres.connection("db"), kind="jdbc", extra=extra))
    first, second = database.connect(), database.connect()

    def hold(session: Any) -> None:
        database.hold(session.cursor(), TableName(schema="", name="held"), "number", "number >= %s", (0,))

    try:
        hold(first)
        with pytest.raises(InfrastructureError, match="another load of the table doesn't end"):
            hold(second)
        first.commit()
        hold(second)
    finally:
        first.close()
        second.close()
        postgres.run("DROP TABLE held")


def test_a_row_that_breaks_a_rule_is_not_taken_for_one_that_is_there(spark: Any, h2: Embedded) -> None:
    h2.clear()
    h2.run("CREATE TABLE ruled (k INT PRIMARY KEY, n INT CHECK (n > 0))")
    database = Plain(connection=h2.connection("db"))
    session, table = database.connect(), TableName(schema="", name="ruled")
    with session.cursor() as cursor:
        with pytest.raises(DriverError, match="Check constraint violation"):
            database.insert_once(cursor, table, {"K": 1}, {"N": 0})
        for _ in range(2):
            database.insert_once(cursor, table, {"K": 1}, {"N": 1})
            session.commit()
    session.close()
    assert h2.rows("SELECT k, n FROM ruled") == [(1, 1)]
