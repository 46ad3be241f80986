"""Databases that the destination `jdbc` loads: one small class each, found by the type of the Airflow connection."""

from __future__ import annotations

from importlib import import_module
from typing import Final, cast

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError
from spark_jobs.load.databases.base import Database

DATABASES: Final = {
    "postgres": "spark_jobs.load.databases.postgres:Postgres",
    "mysql": "spark_jobs.load.databases.mariadb:MariaDB",
    "mariadb": "spark_jobs.load.databases.mariadb:MariaDB",
    "jdbc": "spark_jobs.load.databases.plain:Plain",
}
_INSTALL: Final = {"psycopg": "postgres", "pymysql": "mysql", "pyarrow": "spark"}


def database_of(connection: Connection, where: str) -> Database:
    """The database behind a connection.

    Args:
        connection: Airflow's.
        where: place in the pipeline file.

    Raises:
        ConfigError: none that can be loaded, or its client isn't installed here.
    """
    target = DATABASES.get(connection.kind)
    if target is None:
        raise ConfigError(
            f"connection {connection.id!r} is of type {connection.kind!r}",
            where=where,
            expected=f"one of {', '.join(DATABASES)}",
            remedy="for another database: type jdbc, with driver and subprotocol in its extra",
        )
    module, _, name = target.partition(":")
    database = getattr(import_module(module), name)(connection=connection)
    for client in database.requires:
        _demand(client, where)
    return cast("Database", database)


def _demand(client: str, where: str) -> None:
    try:
        import_module(client)
    except ImportError:
        raise ConfigError(
            f"{client} isn't installed",
            where=where,
            remedy=f"install airflow-provider-etl[{_INSTALL[client]}] where tasks run and where Spark does",
        ) from None
