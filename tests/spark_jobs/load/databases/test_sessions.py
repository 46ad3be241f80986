"""Sessions of a user whom others share the server with, and whose role has defaults of its own."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from spark_jobs.load.databases.base import Column
from spark_jobs.load.databases.names import STAGE, TableName, stage_name
from spark_jobs.load.databases.postgres import Postgres
from spark_jobs.load.databases.shape import Shape
from spark_jobs.load.databases.stage import Stage, _begin
from tests.servers.postgres import PostgreSQL

pytestmark = pytest.mark.spark  # it takes a server

THEIRS, MINE = f"{STAGE}00000001_theirs", (f"{STAGE}00000000_mine", f"{STAGE}00000002_mine")


def test_a_dead_staging_table_of_another_user_stops_no_load(postgres: PostgreSQL) -> None:
    postgres.run(
        "DROP SCHEMA IF EXISTS shared CASCADE",
        "DROP ROLE IF EXISTS loader",
        "CREATE ROLE loader LOGIN PASSWORD 'l'",
        "CREATE SCHEMA shared",
        "GRANT ALL ON SCHEMA shared TO loader",
        *[f"CREATE TABLE shared.{name} (x INT)" for name in (MINE[0], THEIRS, MINE[1])],
        *[f"ALTER TABLE shared.{name} OWNER TO loader" for name in MINE],
    )
    database = Postgres(connection=replace(postgres.connection("db"), login="loader", password="l"))
    target = TableName(schema="shared", name="facts")
    stage = Stage(database=database, table=target.beside(stage_name()), target=target)
    shape = Shape(columns={"id": Column(name="id", kind="integer")}, missing=(), there=False)
    with closing(database.connect()) as guard:
        _begin(guard, stage, shape)
        with guard.cursor() as cursor:
            assert sorted(database.stages(cursor, target)) == [THEIRS, stage.table.name]
    postgres.run("DROP SCHEMA shared CASCADE", "DROP ROLE loader")


def test_who_has_waited_sees_what_was_committed_meanwhile_whatever_the_roles_default(postgres: PostgreSQL) -> None:
    postgres.run("DROP TABLE IF EXISTS waited", "CREATE TABLE waited (id INT)")
    options = "-c default_transaction_isolation=serializable"
    database = Postgres(connection=postgres.connection("db", options=options))

    def count(cursor: Any) -> int:
        cursor.execute("SELECT count(*) FROM waited", ())
        return int(cursor.fetchone()[0])

    with closing(database.connect()) as made, made.cursor() as cursor:
        assert count(cursor) == 0
        postgres.run("INSERT INTO waited VALUES (1)")
        assert count(cursor) == 1
