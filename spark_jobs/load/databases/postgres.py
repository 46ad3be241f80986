"""PostgreSQL: COPY into an unlogged staging table, then one transaction; 12 and later."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.jdbc.postgres import ends_with_client
from spark_jobs.load.databases import postgres_catalog, postgres_copy, postgres_types
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import TASK, TableName
from spark_jobs.load.databases.telling import told
from spark_jobs.load.databases.unheld import Unheld

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

    from spark_jobs.load.databases.sending import Part

_MEMORY: Final = "128MB"  # of one join of a merge
_LONGEST: Final = 63  # bytes of a name; the server would cut it without a word
_SESSION: Final = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO'",
    "SET standard_conforming_strings = on",
    "SET lock_timeout = '1h'",
    "SET client_encoding = 'UTF8'",
    # Who has waited for a lock must see what was committed meanwhile, whatever the role's default says.
    "SET default_transaction_isolation = 'read committed'",
    # A driver that freezes amid its transaction must not hold the table's lock for ever.
    "SET idle_in_transaction_session_timeout = '15min'",
    ends_with_client(local=False),
)
# What an Airflow connection's extra may say to the driver.
_EXTRA: Final = frozenset(
    {"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "target_session_attrs", "options"}
    | {"application_name", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count"}
)
# What it says to other clients.
_PASSED_OVER: Final = frozenset(
    {"client_encoding", "cursor", "cursor_factory", "sqlalchemy_scheme", "sqlalchemy_query", "enable_log_db_messages"}
)
_BROKEN: Final = ("08", "57P")
_AGAIN: Final = ("40001", "40P01")
# What nobody gets in by trying again; psycopg tells no code of an error before the session has begun.
_REFUSED: Final = re.compile(
    r"authentication failed|no pg_hba.conf entry|(database|role) .* does not exist|no password"
)


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """A PostgreSQL database."""

    name: ClassVar[str] = "PostgreSQL"
    requires: ClassVar[tuple[str, ...]] = ("psycopg", "pyarrow")
    transactional_ddl: ClassVar[bool] = True
    nulls_last: ClassVar[str] = " NULLS LAST"
    words: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("key", "name", "text"), "text"),
        "number": "bigint",
        "moment": "timestamp with time zone",
    }
    guards_shapes: ClassVar[bool] = True
    merges: ClassVar[bool] = True
    change: ClassVar[str] = "smallint"
    table_unit: ClassVar[str] = ""

    connection: Connection

    def connect(self, *, sending: bool = False) -> Any:  # noqa: ARG002 - the same session does
        """A connection, not in autocommit; strict, in UTC."""
        import psycopg

        asked, where = self.connection, f"connection {self.connection.id!r}"
        strange = sorted(set(asked.extra) - _EXTRA - _PASSED_OVER)
        if strange:
            raise ConfigError(
                f"extra has {', '.join(strange)}", where=where, expected=f"any of {', '.join(sorted(_EXTRA))}"
            )
        try:
            made = psycopg.connect(
                host=asked.host or None,
                port=asked.port,
                dbname=asked.schema or None,
                user=asked.login or None,
                password=asked.password or None,
                autocommit=True,
                prepare_threshold=None,  # poolers hand statements to other sessions
                **{key: value for key, value in asked.extra.items() if key in _EXTRA},
            )
            for statement in _SESSION:
                made.execute(statement)
            made.autocommit = False
        except psycopg.Error as error:
            raise self.explained(error, where) from None
        return made

    def errors(self) -> tuple[type[Exception], ...]:
        """What psycopg raises."""
        import psycopg

        return (psycopg.Error,)

    def explained(self, error: Exception, where: str) -> EtlError:
        """What psycopg's error means; its text names a value at most."""
        state = getattr(error, "sqlstate", None) or ""
        diag = getattr(error, "diag", None)
        column = getattr(diag, "column_name", None)
        text = getattr(diag, "message_primary", None) or str(error).strip().splitlines()[0]
        context = re.search(r"column (\S+)", getattr(diag, "context", None) or "")
        named = column or (context[1].rstrip(":,") if context else None)
        about = _class_of(state) if state else "config" if _REFUSED.search(text) else "infrastructure"
        broken = about != "config" and (self.lost(error) or state.startswith("53"))
        return told(f"column {named!r}: {text}" if named else text, where, about, broken=broken)

    def passes(self, error: Exception) -> bool:
        """Whether it was a deadlock or a serialization failure."""
        return getattr(error, "sqlstate", None) in _AGAIN

    def lost(self, error: Exception) -> bool:
        """Whether the connection broke."""
        import psycopg

        state = getattr(error, "sqlstate", None)
        unsaid = state is None and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError))
        return unsaid or (state or "").startswith(_BROKEN)

    def quote(self, name: str) -> str:
        """A name as an identifier."""
        return '"' + name.replace('"', '""').replace("%", "%%") + '"'

    def named(self, name: str) -> str:
        """As it is."""
        return name

    def placed(self, table: TableName) -> TableName:
        """As it is."""
        return table

    def check_name(self, name: str) -> str | None:
        """Names are cut at 63 bytes, and hold no NUL."""
        if "\0" in name or not name:
            return "it is empty or holds a NUL"
        return f"it has more than {_LONGEST} bytes" if len(name.encode()) > _LONGEST else None

    def table(self, table: TableName) -> str:
        """A table as an identifier."""
        parts = [table.schema, table.name] if table.schema else [table.name]
        return ".".join(self.quote(part) for part in parts)

    def moment(self, instant: datetime) -> datetime:
        """Instants are compared as they are."""
        return instant

    def new_column(self, name: str, kind: DataType, *, key: bool) -> Column | None:  # noqa: ARG002 - texts can be keys
        """The type of a new column."""
        found = postgres_types.kind_of(kind)
        return None if found is None else Column(name=name, kind=found)

    def fits(self, kind: DataType, column: Column) -> bool:
        """Whether a column that is there keeps every value, or refuses it."""
        return postgres_types.fits(kind, column.kind)

    def unheld(self, kind: DataType, column: Column) -> Iterator[Unheld]:
        """Which values a column can't hold."""
        return postgres_types.unheld(kind, column.kind)

    def wire(self, column: SparkColumn, kind: DataType) -> SparkColumn:
        """Types that CSV has no form for become texts that the server reads."""
        return postgres_types.wire(column, kind)

    def columns(self, cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
        """Name -> column, in order; None where there is no such table."""
        return postgres_catalog.columns(cursor, table)

    def create(self, table: TableName, columns: Sequence[Column], *, keys: Sequence[str] = ()) -> str:
        """CREATE TABLE."""
        key = [f"PRIMARY KEY ({self._listed(keys)})"] if keys else []
        return f"CREATE TABLE {self.table(table)} ({', '.join([*self._defined(columns), *key])})"

    def create_stage(self, table: TableName, columns: Sequence[Column]) -> str:
        """Unlogged: half the writing; the commit counts what is there, since a crash of the server empties it."""
        listed = ", ".join(self._defined(columns))
        return f"CREATE UNLOGGED TABLE {self.table(table)} ({listed}) WITH (autovacuum_enabled = false)"

    def drop(self, table: TableName) -> str:
        """DROP TABLE, if it is there."""
        return f"DROP TABLE IF EXISTS {self.table(table)}"

    def add_column(self, table: TableName, column: Column) -> str:
        """ALTER TABLE."""
        return f"ALTER TABLE {self.table(table)} ADD COLUMN {self.quote(column.name)} {column.kind} NULL"

    def taken(self, columns: Sequence[Column]) -> list[str]:
        """The columns themselves."""
        return [self.quote(column.name) for column in columns]

    def index(self, table: TableName, by: Sequence[str]) -> list[str]:
        """An index by blocks, which costs next to nothing and finds windows that came in order."""
        return [f"CREATE INDEX ON {self.table(table)} USING brin ({self._listed(by)})"] if by else []

    def own(self, cursor: Cursor, name: str) -> None:
        """By an advisory lock of the session."""
        cursor.execute("SELECT pg_advisory_lock(%s)", (_number(name),))

    def stages(self, cursor: Cursor, table: TableName) -> list[str]:
        """By the catalog."""
        return postgres_catalog.stages(cursor, table)

    def unowned(self, cursor: Cursor, table: TableName) -> list[str]:
        """Staging tables whose lock is free."""
        free = []
        for name in self.stages(cursor, table):
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_number(name),))
            if cursor.fetchone()[0]:
                free.append(name)
                cursor.execute("SELECT pg_advisory_unlock(%s)", (_number(name),))
        return free

    def lock(self, cursor: Cursor, table: TableName) -> None:
        """By an advisory lock of the transaction."""
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (_number(f"etl shape {table.schema}"),))

    def unlock(self, cursor: Cursor, table: TableName) -> None:
        """The end of the transaction does it."""

    def hold(self, cursor: Cursor, table: TableName, column: str, condition: str, values: tuple[Any, ...]) -> None:
        """By SELECT … FOR UPDATE."""
        query = f"SELECT {self.quote(column)} FROM {self.table(table)} WHERE {condition} FOR UPDATE"  # noqa: S608
        cursor.execute(query, values)

    def insert_once(self, cursor: Cursor, table: TableName, key: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
        """INSERT … ON CONFLICT DO NOTHING."""
        row = {**key, **rest}
        marks, names = ", ".join(["%s"] * len(row)), self._listed(list(row))
        insert = f"INSERT INTO {self.table(table)} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING"  # noqa: S608
        cursor.execute(insert, tuple(row.values()))

    def plan_for(self, cursor: Cursor, stage: TableName, keys: Sequence[str]) -> None:
        """Statistics of the keys, and memory to join by: half the time of a merge into a table that is there."""
        cursor.execute(f"SET LOCAL work_mem = '{_MEMORY}'", ())
        cursor.execute(f"ANALYZE {self.table(stage)} ({self._listed(keys)})", ())

    def ordered(self, expression: str, column: Column) -> list[str]:
        """Texts by their bytes, whatever the server's language; types without an order as texts."""
        if not postgres_types.has_order(column.kind):
            return [f'({expression})::text COLLATE "C"']
        signed = column.kind in {"real", "double precision"}  # -0 equals 0
        return [
            expression,
            *([f'CASE WHEN {expression} = 0 THEN {expression}::text COLLATE "C" END'] if signed else []),
        ]

    def equal(self, left: str, right: str) -> str:
        """IS NOT DISTINCT FROM."""
        return f"{left} IS NOT DISTINCT FROM {right}"

    def update_from(self, target: str, source: str, on: str, sets: Mapping[str, str]) -> str:
        """UPDATE … FROM."""
        changes = ", ".join(f"{column} = {value}" for column, value in sets.items())
        return f"UPDATE {target} AS t SET {changes} FROM {source} AS s WHERE {on}"  # noqa: S608 - identifiers are quoted

    def delete_using(self, target: str, source: str, on: str) -> str:
        """DELETE … USING."""
        return f"DELETE FROM {target} AS t USING {source} AS s WHERE {on}"  # noqa: S608 - identifiers are quoted

    def buckets(self, expression: str, column: Column, step: int) -> str:
        """Infinity lies in none."""
        since = f"{expression} - DATE '1970-01-01'"
        if column.kind != "date":
            since = f"floor(extract(epoch FROM {expression}) * 1000000 / {step})::bigint"
        return f"CASE WHEN isfinite({expression}) THEN {since} END"

    def means(self, expression: str, column: Column) -> str | None:
        """Texts by their letters, whatever their collation; other values as their types read the text."""
        kind = self.spark_kind(column)
        if column.kind == "uuid":  # a cast would say the text in its error where that is none
            return f"replace({expression}::text, '-', '') = lower(translate(%s, '{{-}}', ''))"
        if kind == "string":
            return f'{expression}::text COLLATE "C" = %s'
        return None if kind in {"void", "binary"} else f"{expression} = CAST(%s AS {column.kind})"

    def spark_kind(self, column: Column) -> str:
        """The Spark type of a column's values."""
        return postgres_types.spark_kind(column.kind)

    def like(self, cursor: Cursor, table: TableName, model: TableName) -> None:
        """CREATE TABLE … LIKE; generated columns too, which would be null else."""
        made = f"CREATE TABLE {self.table(table)} (LIKE {self.table(model)} INCLUDING DEFAULTS INCLUDING GENERATED"
        cursor.execute(f"{made} INCLUDING IDENTITY)", ())

    def computed(self, cursor: Cursor, table: TableName) -> set[str]:
        """Generated columns, and identities that are always."""
        return postgres_catalog.computed(cursor, table)

    def takes(self, cursor: Cursor, table: TableName) -> bool:
        """COPY knows no rules of a table, and refuses one whose rows are guarded."""
        return postgres_catalog.plain(cursor, table)

    def fill(self, table: TableName, rows: DataFrame, columns: Mapping[str, Column]) -> list[Part] | None:  # noqa: ARG002
        """Each task sends its rows."""
        return None

    def send(
        self,
        cursor: Cursor,
        table: TableName,
        columns: Sequence[Column],
        batches: Iterator[RecordBatch],
        task: int | None = None,
    ) -> int:
        """By COPY."""
        names = [*(column.name for column in columns), *([] if task is None else [TASK])]
        return postgres_copy.copy(cursor, f"{self.table(table)} ({self._listed(names)})", columns, batches, task)

    def _defined(self, columns: Sequence[Column]) -> list[str]:
        return [f"{self.quote(column.name)} {column.kind}" for column in columns]

    def _listed(self, names: Sequence[str]) -> str:
        return ", ".join(self.quote(name) for name in names)


def _number(name: str) -> int:
    """A name as the number of an advisory lock: 63 bits of its hash."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def _class_of(state: str) -> str:
    """What an SQLSTATE is about (PostgreSQL's documentation, appendix A)."""
    if state.startswith(("22", "23", "44", "0A")):
        return "data"
    return "config" if state.startswith(("28", "3D", "3F", "42", "25006")) else "infrastructure"
