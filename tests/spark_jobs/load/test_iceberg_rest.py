"""A REST catalog, by a real server with passwords: the six strategies, the ledger without Spark, what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.hooks import iceberg_ledger
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError
from spark_jobs.iceberg.attaching import attach
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.load.by_key import Cdc, Merge, Scd2
from spark_jobs.load.strategies import Append, Snapshot
from tests.servers.guarded import free_port
from tests.servers.iceberg import RestCatalog
from tests.spark_jobs.load.test_iceberg import BY_TIME, Table, at
from tests.spark_jobs.plans import FINGERPRINT, day

pytestmark = pytest.mark.spark

CATALOG = Catalog(name="vendor", type="rest", warehouse="prod", connection="vendor")
NAMED = "id INT, at TIMESTAMP, name STRING"
Make = Callable[..., Table]


@pytest.fixture
def made(spark: Any, tmp_path: Path, iceberg_server: RestCatalog, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Gives a table of the catalog for a strategy."""

    def make(write: Any, table: str, connection: Connection | None = None, **options: Any) -> Table:
        known = Connections(connection or iceberg_server.connection())
        monkeypatch.setattr(iceberg_ledger, "resolved", lambda _places: known)
        return Table(spark, tmp_path, write, catalog=CATALOG, connections=known, table=table, **options)

    return make


def test_windows_replace_their_rows_and_a_token_is_enough(made: Make, iceberg_server: RestCatalog) -> None:
    by_token = iceberg_server.connection(login="", password="", extra={"token": iceberg_server.token})
    facts = made(BY_TIME, "sales.eu.orders", by_token, partition_by=("days(at)",))
    assert facts.hook.entries == {}
    facts.load(day(1), [(1, at(1)), (2, at(1, 23))], 1)
    facts.load(day(2), [(3, at(2, 0))], 2)
    again = facts.load(day(1), [(9, at(1, 0))], 3)
    assert (again.state, again.rows_inserted, again.rows_deleted) == ("loaded", 1, 2)
    assert facts.load(day(1), [(7, at(1))], 2.5).state == "superseded"
    assert facts.load(day(1), [(9, at(1))], 3, token="token-3").state == "already_done"
    facts.load(day(2), [], 4)
    assert facts.rows("id") == [(9,)]
    assert facts.hook.holds(facts.unit(day(1)), FINGERPRINT), "read from the server, in a namespace of two levels"
    assert facts.table.look().branches == []


def test_append_and_snapshot(made: Make) -> None:
    log = made(Append(strategy="append"), "sales.log")
    for second, number in enumerate((1, 2, 1)):
        log.load(day(number), [(number * 10 + second, at(9))], second + 1)
    assert log.rows("id") == [(12,), (21,)]
    whole = made(Snapshot(strategy="snapshot"), "sales.whole")
    whole.load(day(2), [(1, at(1)), (2, at(1))], 1)
    assert whole.load(day(1), [(9, at(1))], 2).state == "superseded"
    whole.load(day(3), [(3, at(3))], 3)
    assert whole.rows("id") == [(3,)]


def test_tables_by_key_whatever_the_order_of_their_windows(made: Make) -> None:
    entities = made(Merge(strategy="merge", keys=("id",), sequence="at", delete_when="name = 'gone'"), "sales.entities")
    for second, row in enumerate([(1, at(4), "gone"), (1, at(2), "b"), (2, at(1), "c"), (2, at(3), "d")], 1):
        entities.load(day(second), [row], second, schema=NAMED)
    assert entities.rows("id", "name") == [(2, "d")]
    history = made(Scd2(strategy="scd2", keys=("id",), valid_from="at"), "sales.histories")
    history.load(day(2), [(1, at(2), "b")], 1, schema=NAMED)
    history.load(day(1), [(1, at(1), "a")], 2, schema=NAMED)
    assert history.rows("name", "valid_to", "is_current") == [("a", at(2), False), ("b", None, True)]
    changes = made(Cdc(strategy="cdc", keys=("id",), sequence="at", operation="op"), "sales.changes")
    changes.load(day(2), [(1, at(2), "d"), (2, at(2), "u")], 1, schema="id INT, at TIMESTAMP, op STRING")
    changes.load(day(1), [(1, at(1), "c"), (2, at(1), "c")], 2, schema="id INT, at TIMESTAMP, op STRING")
    assert changes.rows("id") == [(2,)]


def test_windows_and_merges_that_commit_at_once_all_arrive(made: Make) -> None:
    """Nobody takes turns here: the server alone keeps commits apart."""
    for write, table in ((BY_TIME, "sales.facts"), (Merge(strategy="merge", keys=("id",), sequence="at"), "sales.met")):
        facts = made(write, table)
        with ThreadPoolExecutor(3) as pool:
            work = [pool.submit(facts.load, day(number), [(number, at(number))], number) for number in (1, 2, 3)]
            assert {item.result().state for item in work} == {"loaded"}
        assert facts.rows("id") == [(1,), (2,), (3,)]
        assert len(facts.hook.entries) == 3, "no entry of the ledger is lost"


@pytest.mark.parametrize(
    ("changed", "kind", "said"),
    [
        ({"password": "wr0ng-marker"}, ConfigError, "doesn't know the client"),
        ({"login": "", "password": "", "extra": {"token": "wr0ng-marker"}}, ConfigError, "doesn't take the token"),
        ({"login": "", "password": ""}, ConfigError, "wants a token"),
        ({"host": f"http://127.0.0.1:{free_port()}"}, InfrastructureError, "doesn't answer"),
        ({"host": "http://no.such.host.invalid"}, InfrastructureError, "doesn't answer"),
        ({"schema": "elsewhere"}, ConfigError, "is no REST catalog"),
        ({"host": "ftp://catalog"}, ConfigError, "http:// or https://"),
    ],
)
def test_what_is_wrong_is_said_and_no_secret(  # noqa: PLR0917
    spark: Any, made: Make, iceberg_server: RestCatalog, changed: dict[str, Any], kind: type[EtlError], said: str
) -> None:
    connection = iceberg_server.connection(**changed)
    session = spark.newSession()
    with pytest.raises(kind) as raised:
        attach(session, CATALOG, Connections(connection))
    facts = made(BY_TIME, "sales.orders", connection)
    with pytest.raises(kind) as read:
        assert facts.hook.entries
    for error in (raised.value, read.value):
        assert said in str(error)
        assert "connection 'vendor'" in str(error)
        assert "marker" not in str(error)
        assert iceberg_server.secret not in str(error)
    assert "marker" not in str({row.key: row.value for row in session.sql("SET").collect()})
