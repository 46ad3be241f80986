"""What PostgreSQL's catalog says of tables.

Its own tables are asked: `to_regclass` may not know yet what another session has just committed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import STAGE, TableName

_OF: Final = """
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = %s AND n.nspname = coalesce(%s, current_schema())
"""
_COLUMNS: Final = """
SELECT a.attname, format_type(a.atttypid, a.atttypmod)
       || CASE WHEN a.attcollation <> 0 AND a.attcollation <> t.typcollation
               THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
_COMPUTED: Final = """
SELECT attname FROM pg_attribute WHERE attrelid = %s AND (attgenerated <> '' OR attidentity = 'a')
"""
_STAGES: Final = """
SELECT tablename FROM pg_tables WHERE schemaname = coalesce(%s, current_schema()) AND starts_with(tablename, %s)
"""


def columns(cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
    """Name -> column, in order; None where there is no such table.

    Raises:
        ConfigError: the name is taken by something that is no table.
    """
    found = _asked(cursor, table, "c.oid, c.relkind::text")
    if found is None:
        return None
    oid, kind = found
    if kind not in {"r", "p"}:
        raise ConfigError("the name is taken by something that is no table", where=str(table), expected="a table")
    cursor.execute(_COLUMNS, (oid,))
    return {name: Column(name=name, kind=kind) for name, kind in cursor.fetchall()}


def plain(cursor: Cursor, table: TableName) -> bool:
    """Whether no rule, and no policy that counts for this user, stands before a table's rows; or there is none."""
    found = _asked(cursor, table, "c.relhasrules OR row_security_active(c.oid)")
    return found is None or not found[0]


def computed(cursor: Cursor, table: TableName) -> set[str]:
    """Generated columns, and identities that are always."""
    found = _asked(cursor, table, "c.oid")
    cursor.execute(_COMPUTED, found or (None,))
    return {name for (name,) in cursor.fetchall()}


def stages(cursor: Cursor, table: TableName) -> list[str]:
    """Staging tables beside a table."""
    cursor.execute(_STAGES, (table.schema or None, STAGE))
    return [name for (name,) in cursor.fetchall()]


def _asked(cursor: Cursor, table: TableName, what: str) -> tuple[Any, ...] | None:
    cursor.execute(f"SELECT {what} {_OF}", (table.name, table.schema or None))
    found = cursor.fetchone()
    return None if found is None else tuple(found)
