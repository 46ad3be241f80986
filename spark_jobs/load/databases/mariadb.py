"""MariaDB: LOAD DATA LOCAL (or rewritten inserts) into a staging table, then one transaction of InnoDB."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError
from spark_jobs.load.databases import mariadb_catalog, mariadb_load, mariadb_types
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.telling import told
from spark_jobs.load.databases.unheld import Unheld

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

    from spark_jobs.load.databases.sending import Part

_LONGEST: Final = 64  # characters of a name
_PORT: Final = 3306
_STRICT: Final = (
    "STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,"
    "NO_AUTO_VALUE_ON_ZERO"
)
_SESSION: Final = (
    f"SET SESSION sql_mode = '{_STRICT}'",
    "SET SESSION time_zone = '+00:00'",
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    "SET SESSION innodb_lock_wait_timeout = 3600",
    "SET SESSION lock_wait_timeout = 3600",
)
# What an Airflow connection's extra may say: to us (`local_infile: false` keeps to inserts), or to other clients.
_EXTRA: Final = frozenset(
    {"sslMode", "serverSslCert", "ssl_ca", "connect_timeout", "unix_socket", "local_infile", "charset"}
    | {"cursor", "client", "init_command", "sqlalchemy_scheme", "sqlalchemy_query"}
)
_LOST: Final = (2003, 2006, 2013, 2055, 1053, 1927, 4031)
_AGAIN: Final = (1213,)  # not 1205: who has waited an hour for a lock has waited for long enough
_MYSQL: Final = "MySQL's own server has other collations, and nobody has tried this package with it"
_PATIENCE: Final = 3600  # seconds
_CONFIG: Final = (1044, 1045, 1049, 1064, 1102, 1103, 1142, 1143, 1146, 1227, 1698, 1347, 1146)
_DATA: Final = (1048, 1062, 1264, 1265, 1292, 1364, 1366, 1367, 1406, 1452, 1690, 3140, 4025, 1441, 1411)


@dataclass(frozen=True, kw_only=True)
class MariaDB:
    """A MariaDB database; Airflow calls its connections `mysql`."""

    name: ClassVar[str] = "MariaDB"
    requires: ClassVar[tuple[str, ...]] = ("pymysql", "pyarrow")
    transactional_ddl: ClassVar[bool] = False
    nulls_last: ClassVar[str] = ""  # nulls are the smallest here
    words: ClassVar[Mapping[str, str]] = {
        "key": f"VARCHAR(512) {mariadb_types.EXACT}",
        "name": f"VARCHAR(64) {mariadb_types.EXACT}",
        "text": f"LONGTEXT {mariadb_types.EXACT}",
        "number": "BIGINT",
        "moment": "DATETIME(6)",
    }
    guards_shapes: ClassVar[bool] = True
    merges: ClassVar[bool] = True
    change: ClassVar[str] = "TINYINT"
    table_unit: ClassVar[str] = ""

    connection: Connection

    def connect(self, *, sending: bool = False) -> Any:
        """A connection, not in autocommit; strict, in UTC; for sending the server may ask for files of ours."""
        import pymysql
        from pymysql.constants import CLIENT

        asked, where = self.connection, f"connection {self.connection.id!r}"
        strange = sorted(set(asked.extra) - _EXTRA)
        if strange:
            raise ConfigError(
                f"extra has {', '.join(strange)}", where=where, expected=f"any of {', '.join(sorted(_EXTRA))}"
            )
        try:
            made = pymysql.connect(
                host=asked.host or None,
                port=asked.port or _PORT,
                user=asked.login or None,
                password=asked.password,
                database=asked.schema or None,
                unix_socket=asked.extra.get("unix_socket"),
                charset="utf8mb4",
                ssl=_tls(asked),
                connect_timeout=int(asked.extra.get("connect_timeout", 10)),
                local_infile=sending and self.by_files,
                client_flag=CLIENT.FOUND_ROWS,
                autocommit=False,
            )
            version = str(made.get_server_info())  # type: ignore[no-untyped-call]
            if "mariadb" not in version.lower():
                made.close()
                raise ConfigError(f"the server is version {version}", where=where, expected="MariaDB", remedy=_MYSQL)
            with made.cursor() as cursor:
                for statement in _SESSION:
                    cursor.execute(statement)
        except (pymysql.Error, OSError) as error:
            raise self.explained(error, where) from None
        return made

    def errors(self) -> tuple[type[Exception], ...]:
        """What PyMySQL raises."""
        import pymysql

        return (pymysql.Error, OSError)

    def explained(self, error: Exception, where: str) -> EtlError:
        """What PyMySQL's error means."""
        number, text = _number_of(error), str(error.args[1]) if len(error.args) > 1 else str(error)
        about = "data" if number in _DATA else "config" if number in _CONFIG else "infrastructure"
        return told(text, where, about, broken=self.lost(error))

    def passes(self, error: Exception) -> bool:
        """Whether it was a deadlock."""
        return _number_of(error) in _AGAIN

    def lost(self, error: Exception) -> bool:
        """Whether the connection broke."""
        import pymysql

        return _number_of(error) in _LOST or isinstance(error, (pymysql.err.InterfaceError, OSError))

    def quote(self, name: str) -> str:
        """A name as an identifier."""
        return "`" + name.replace("`", "``").replace("%", "%%") + "`"

    def named(self, name: str) -> str:
        """As it is."""
        return name

    def placed(self, table: TableName) -> TableName:
        """As it is."""
        return table

    def check_name(self, name: str) -> str | None:
        """Names have 64 characters at most, none beyond U+FFFF, and don't end in a space."""
        if "\0" in name or not name or name.endswith(" "):
            return "it is empty, holds a NUL or ends in a space"
        if any(ord(letter) > 0xFFFF for letter in name):
            return "it has a character beyond U+FFFF"
        return f"it has more than {_LONGEST} characters" if len(name) > _LONGEST else None

    def table(self, table: TableName) -> str:
        """A table as an identifier."""
        parts = [table.schema, table.name] if table.schema else [table.name]
        return ".".join(self.quote(part) for part in parts)

    def moment(self, instant: datetime) -> datetime:
        """DATETIME knows no zone: ours are in UTC."""
        return instant.astimezone(UTC).replace(tzinfo=None)

    def new_column(self, name: str, kind: DataType, *, key: bool) -> Column | None:
        """A new column; a text in a key needs a length."""
        found = mariadb_types.kind_of(kind, key=key)
        return None if found is None else Column(name=name, kind=found)

    def fits(self, kind: DataType, column: Column) -> bool:
        """Whether a column that is there keeps every value, or refuses it."""
        return mariadb_types.fits(kind, column.kind)

    def unheld(self, kind: DataType, column: Column) -> Iterator[Unheld]:
        """Which values a column can't hold."""
        return mariadb_types.unheld(kind, column.kind)

    def wire(self, column: SparkColumn, kind: DataType) -> SparkColumn:
        """Types that LOAD DATA has no form for become texts that the server reads."""
        return mariadb_types.wire(column, kind)

    def columns(self, cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
        """Name -> column, in order; None where there is no such table."""
        return mariadb_catalog.columns(cursor, table)

    def create(self, table: TableName, columns: Sequence[Column], *, keys: Sequence[str] = ()) -> str:
        """CREATE TABLE of InnoDB, which knows transactions."""
        key = [f"PRIMARY KEY ({self._listed(keys)})"] if keys else []
        defined = [f"{self.quote(column.name)} {column.kind} {self._null(column, keys)}" for column in columns]
        return f"CREATE TABLE {self.table(table)} ({', '.join([*defined, *key])}) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"

    def create_stage(self, table: TableName, columns: Sequence[Column]) -> str:
        """An ordinary table."""
        return self.create(table, columns)

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
        """An index, without which every load would lock the whole table."""
        return [f"ALTER TABLE {self.table(table)} ADD INDEX ({self._listed(by)})"] if by else []

    def own(self, cursor: Cursor, name: str) -> None:
        """By a lock of the session."""
        _locked(cursor, name, f"another load has {name}")

    def stages(self, cursor: Cursor, table: TableName) -> list[str]:
        """By the catalog."""
        return mariadb_catalog.stages(cursor, table)

    def unowned(self, cursor: Cursor, table: TableName) -> list[str]:
        """Staging tables whose lock is free."""
        return mariadb_catalog.stages(cursor, table, free=True)

    def lock(self, cursor: Cursor, table: TableName) -> None:
        """By a lock of the session: statements that change tables end a transaction here."""
        _locked(cursor, _lock_name(table), f"another load changes tables beside {table}")

    def unlock(self, cursor: Cursor, table: TableName) -> None:
        """Let others change tables."""
        cursor.execute("SELECT RELEASE_LOCK(%s)", (_lock_name(table),))

    def hold(self, cursor: Cursor, table: TableName, column: str, condition: str, values: tuple[Any, ...]) -> None:
        """By SELECT … FOR UPDATE."""
        query = f"SELECT {self.quote(column)} FROM {self.table(table)} WHERE {condition} FOR UPDATE"  # noqa: S608
        cursor.execute(query, values)

    def insert_once(self, cursor: Cursor, table: TableName, key: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
        """INSERT that changes nothing where the key is there; IGNORE would let more errors pass than that."""
        row = {**key, **rest}
        marks, first = ", ".join(["%s"] * len(row)), self.quote(next(iter(row)))
        insert = f"INSERT INTO {self.table(table)} ({self._listed(list(row))}) VALUES ({marks})"  # noqa: S608 - quoted
        cursor.execute(f"{insert} ON DUPLICATE KEY UPDATE {first} = {first}", tuple(row.values()))

    def plan_for(self, cursor: Cursor, stage: TableName, keys: Sequence[str]) -> None:
        """Nothing: to gather statistics would end the transaction."""

    def ordered(self, expression: str, column: Column) -> list[str]:
        """Texts by their bytes, whatever their collation."""
        return [f"CAST({expression} AS BINARY)" if mariadb_types.is_text(column.kind) else expression]

    def equal(self, left: str, right: str) -> str:
        """The spaceship."""
        return f"{left} <=> {right}"

    def update_from(self, target: str, source: str, on: str, sets: Mapping[str, str]) -> str:
        """UPDATE … JOIN; every expression sees the row as it was, since no column is set from a column of `t`."""
        changes = ", ".join(f"t.{column} = {value}" for column, value in sets.items())
        return f"UPDATE {target} AS t JOIN {source} AS s ON {on} SET {changes}"  # noqa: S608

    def delete_using(self, target: str, source: str, on: str) -> str:
        """DELETE … JOIN."""
        return f"DELETE t FROM {target} AS t JOIN {source} AS s ON {on}"

    @property
    def by_files(self) -> bool:
        """Whether the connection lets the server ask for files, which `LOAD DATA LOCAL` needs."""
        return self.connection.extra.get("local_infile", True) is not False

    def buckets(self, expression: str, column: Column, step: int) -> str:
        """Days of zeros lie in none."""
        if column.kind == "date":
            return f"DATEDIFF({expression}, '1970-01-01')"
        return f"FLOOR(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', {expression}) / {step})"

    def means(self, expression: str, column: Column) -> str | None:
        """Texts by their bytes, whatever their collation; other values by casts, since 1 equals '1a' here."""
        kind = self.spark_kind(column).partition("(")[0]
        if column.kind.lower() == "uuid":  # a cast would say the text in its warning where that is none
            return f"REPLACE(CAST({expression} AS CHAR), '-', '') = LOWER(REGEXP_REPLACE(%s, '[{{}}-]', ''))"
        if kind == "string":
            return f"CAST(CONVERT({expression} USING utf8mb4) AS BINARY) = CAST(CONVERT(%s USING utf8mb4) AS BINARY)"
        target = mariadb_types.CASTS.get(kind)
        return None if target is None else f"{expression} = CAST(%s AS {target})"

    def spark_kind(self, column: Column) -> str:
        """The Spark type of a column's values."""
        return mariadb_types.spark_kind(column.kind)

    def like(self, cursor: Cursor, table: TableName, model: TableName) -> None:
        """CREATE TABLE … LIKE."""
        cursor.execute(f"CREATE TABLE {self.table(table)} LIKE {self.table(model)}", ())

    def computed(self, cursor: Cursor, table: TableName) -> set[str]:
        """Generated columns."""
        return mariadb_catalog.computed(cursor, table)

    def takes(self, cursor: Cursor, table: TableName) -> bool:  # noqa: ARG002 - every table does
        """LOAD DATA does what INSERT does."""
        return True

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
        """By LOAD DATA LOCAL where the server and the connection allow it, else by inserts of many rows."""
        names = [column.name for column in columns]
        return mariadb_load.Sending(self, cursor, table, names, task).every(batches)

    def _null(self, column: Column, keys: Sequence[str]) -> str:
        """Said always: a TIMESTAMP of which nothing is said is NOT NULL and has a default."""
        return "NOT NULL" if column.name in keys else "NULL"

    def _listed(self, names: Sequence[str]) -> str:
        return ", ".join(self.quote(name) for name in names)


def _tls(asked: Connection) -> ssl.SSLContext | None:
    """What the JDBC driver's `sslMode` means: disable, trust, verify-ca, verify-full."""
    mode = str(asked.extra.get("sslMode") or "").lower().replace("_", "-")
    authority = asked.extra.get("serverSslCert") or asked.extra.get("ssl_ca")
    if mode == "disable" or not (mode or authority):
        return None
    if mode not in {"", "trust", "verify-ca", "verify-full"}:
        raise ConfigError(
            f"sslMode {mode!r}", where=f"connection {asked.id!r}", expected="disable, trust, verify-ca or verify-full"
        )
    found = ssl.create_default_context(cafile=str(authority) if authority else None)
    if mode in {"trust", "verify-ca"}:
        found.check_hostname = False
    if mode == "trust":
        found.verify_mode = ssl.CERT_NONE
    return found


def _number_of(error: Exception) -> int:
    first = error.args[0] if error.args else 0
    return first if isinstance(first, int) else 0


def _locked(cursor: Cursor, name: str, why: str) -> None:
    """Take a lock of the session.

    Raises:
        InfrastructureError: somebody else holds it and doesn't end.
    """
    cursor.execute("SELECT GET_LOCK(%s, %s)", (name, _PATIENCE))
    if cursor.fetchone()[0] != 1:
        raise InfrastructureError(f"{why}, and doesn't end", remedy="let it end, then run this again")


def _lock_name(table: TableName) -> str:
    """Locks are the server's, not a database's: their names are hashes."""
    return f"etl_{hashlib.sha256(f'shape {table.schema}'.encode()).hexdigest()[:32]}"
