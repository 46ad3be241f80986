"""What MariaDB's catalog says of tables."""

from __future__ import annotations

from collections.abc import Mapping

from spark_jobs.errors import ConfigError
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import STAGE, TableName


def columns(cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
    """Name -> column, in order; None where there is no such table.

    Raises:
        ConfigError: it is a view, or of an engine that knows no transactions.
    """
    place, values = _place(table)
    cursor.execute(f"SELECT table_type, engine FROM information_schema.tables WHERE {place}", values)  # noqa: S608
    found = cursor.fetchone()
    if found is None:
        return None
    if found[0] != "BASE TABLE" or str(found[1]).lower() != "innodb":
        raise ConfigError(
            f"it is a {str(found[0]).lower()} of engine {found[1]}",
            where=str(table),
            expected="a table of InnoDB: others know no transactions",
        )
    listed = "column_name, column_type, collation_name"
    query = f"SELECT {listed} FROM information_schema.columns WHERE {place} ORDER BY ordinal_position"  # noqa: S608
    cursor.execute(query, values)
    return {name: Column(name=name, kind=_with_collation(kind, of)) for name, kind, of in cursor.fetchall()}


def computed(cursor: Cursor, table: TableName) -> set[str]:
    """Generated columns."""
    place, values = _place(table)
    query = f"SELECT column_name FROM information_schema.columns WHERE {place} AND is_generated = 'ALWAYS'"  # noqa: S608
    cursor.execute(query, values)
    return {name for (name,) in cursor.fetchall()}


def stages(cursor: Cursor, table: TableName, *, free: bool = False) -> list[str]:
    """Staging tables beside a table; those alone that no session uses, where `free`."""
    place, values = ("table_schema = %s", (table.schema,)) if table.schema else ("table_schema = DATABASE()", ())
    which = f"left(table_name, {len(STAGE)}) = %s{' AND IS_FREE_LOCK(table_name)' if free else ''}"
    query = f"SELECT table_name FROM information_schema.tables WHERE {place} AND {which}"  # noqa: S608 - our own words
    cursor.execute(query, (*values, STAGE))
    return [name for (name,) in cursor.fetchall()]


def _place(table: TableName) -> tuple[str, tuple[str, ...]]:
    if table.schema:
        return "table_schema = %s AND table_name = %s", (table.schema, table.name)
    return "table_schema = DATABASE() AND table_name = %s", (table.name,)


def _with_collation(kind: str, collation: str | None) -> str:
    charset = f" CHARACTER SET {collation.partition('_')[0]} COLLATE {collation}" if collation else ""
    return f"{kind}{charset}"
