"""Catalogs that processes share: two of them race on a local disk, and PostgreSQL keeps a table's metadata."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.hooks import iceberg_ledger
from spark_jobs.connections import Connections
from spark_jobs.iceberg.attaching import attach
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.iceberg.look import ConcurrentModification
from spark_jobs.iceberg.table import IcebergTable
from spark_jobs.load.by_key import Scd2
from tests.spark_jobs.load.iceberg_writer import TABLE, write
from tests.spark_jobs.load.test_iceberg import BY_TIME, Table, at
from tests.spark_jobs.plans import FINGERPRINT, attempt, day

pytestmark = pytest.mark.spark

ROOT = Path(__file__).resolve().parents[3]
ROUNDS = 6


def test_two_processes_that_race_for_a_table_lose_nothing(spark: Any, tmp_path: Path) -> None:
    """A rename on a local disk takes what is there away: without turns this loses commits."""
    command = [sys.executable, "-m", "tests.spark_jobs.load.iceberg_writer", str(tmp_path), "2", str(ROUNDS)]
    with subprocess.Popen(command, cwd=ROOT) as other:
        while not (tmp_path / "ready").exists() and other.poll() is None:
            time.sleep(0.05)
        write(spark, tmp_path, 12, ROUNDS)
        assert other.wait(120) == 0
    facts = Table(spark, tmp_path, BY_TIME, table=TABLE)
    own = [(number,) for first in (2, 12) for number in range(first, first + ROUNDS)]
    last = 100 * 12 + ROUNDS - 1  # the largest number wins the window that both load
    assert facts.rows("id") == sorted([*own, (last,)], key=repr)
    assert facts.hook.number(facts.unit(day(1))) == attempt(12 + ROUNDS - 1 + (ROUNDS - 1) / 10).number
    assert len(facts.hook.entries) == 2 * ROUNDS + 1


def test_a_swap_is_refused_where_anybody_has_committed_since_the_look(spark: Any, tmp_path: Path) -> None:
    facts = Table(spark, tmp_path, BY_TIME)
    facts.load(day(1), [], 1)
    looks = [facts.table.look() for _ in range(4)]
    for number, look in enumerate(looks):
        look.set({"a": str(number)})
    looks[2].commit()
    for look in (looks[0], looks[1], looks[3]):
        with pytest.raises(ConcurrentModification):
            look.commit()
    assert facts.table.look().properties["a"] == "2"


def test_postgresql_keeps_the_metadata_and_no_password_stays(
    spark: Any, tmp_path: Path, postgres: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = postgres.connection("books")
    catalog = Catalog(name="books", type="jdbc", warehouse=str(tmp_path / "warehouse"), connection="books")
    facts = Table(spark, tmp_path, BY_TIME, catalog=catalog, connections=Connections(connection))
    monkeypatch.setattr(iceberg_ledger, "resolved", lambda _places: Connections(connection))
    assert facts.hook.entries == {}
    facts.load(day(1), [(1, at(1))], 1)
    facts.load(day(2), [(2, at(2))], 2)
    facts.load(day(1), [(3, at(1))], 3)
    assert facts.rows("id") == [(2,), (3,)]
    assert facts.hook.holds(facts.unit(day(1)), FINGERPRINT)
    write_history = Scd2(strategy="scd2", keys=("id",), valid_from="at")
    histories = Table(
        spark, tmp_path, write_history, catalog=catalog, connections=Connections(connection), table="sales.histories"
    )
    histories.load(day(2), [(1, at(2), "b")], 4, schema="id INT, at TIMESTAMP, name STRING")
    histories.load(day(1), [(1, at(1), "a")], 5, schema="id INT, at TIMESTAMP, name STRING")
    assert histories.rows("name", "valid_to", "is_current") == [("a", at(2), False), ("b", None, True)]
    session = spark.newSession()
    attach(session, catalog, Connections(connection))
    assert IcebergTable(session, catalog, "sales.orders").exists()
    told = {row.key: row.value for row in session.sql("SET").collect()}
    assert connection.password == "" or connection.password not in str(told)
