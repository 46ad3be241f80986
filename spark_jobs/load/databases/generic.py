"""Any other database, by its JDBC driver alone: Spark's own writer stages, one plain transaction publishes.

It is asked for nothing but standard SQL, SELECT … FOR UPDATE and transactions. What differs most between databases,
the types of columns, is left to whoever makes the table: columns are never added here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.jdbc.address import address_of
from spark_jobs.jdbc.plain import JdbcError, connect
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.telling import told
from spark_jobs.load.databases.unheld import Unheld, decimals, too_long, whole_numbers

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

# java.sql.Types
_WHOLE: Final = {"5": "smallint", "4": "integer", "-5": "bigint"}
_NUMERIC, _TEXT, _MOMENT = ("2", "3"), ("12", "-1", "-9", "-16", "2005", "2011"), ("93", "2014")
_KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("byte", "short", "integer", "long"), (*_WHOLE, *_NUMERIC)),
    "float": ("7", "6", "8"),
    "double": ("6", "8"),
    "decimal": _NUMERIC,
    **dict.fromkeys(("string", "char", "varchar"), _TEXT),
    "boolean": ("16", "-7"),
    "date": ("91",),
    **dict.fromkeys(("timestamp", "timestamp_ntz"), _MOMENT),
    "binary": ("-2", "-3", "-4", "2004"),
}
_MICROSECONDS: Final = 6  # digits of a second
_AGAIN: Final = ("40001", "40P01")
_NOT_ONE_OF_OURS: Final = "a table of PostgreSQL or MariaDB by a connection of its own type"


@dataclass(frozen=True, kw_only=True)
class Generic:
    """A database that is known by its driver alone."""

    name: ClassVar[str] = "a database that is reached by its driver alone"
    requires: ClassVar[tuple[str, ...]] = ()
    plain: ClassVar[bool] = True
    transactional_ddl: ClassVar[bool] = False
    nulls_last: ClassVar[str] = ""
    words: ClassVar[Mapping[str, str]] = {
        "key": "VARCHAR(512)",
        "name": "VARCHAR(128)",
        "text": "VARCHAR(4000)",
        "number": "NUMERIC(19)",
        "moment": "TIMESTAMP",
    }
    change: ClassVar[str] = "SMALLINT"

    connection: Connection

    def connect(self, *, sending: bool = False) -> Any:  # noqa: ARG002 - Spark sends by connections of its own
        """A connection of the driver."""
        where = f"connection {self.connection.id!r}"
        try:
            made = connect(address_of(self.connection))
        except JdbcError as error:
            raise self.explained(error, where) from None
        if made is None:
            raise ConfigError(
                "a database that only a JDBC driver knows is asked from within Spark alone",
                where=where,
                expected=_NOT_ONE_OF_OURS,
            )
        return made

    def errors(self) -> tuple[type[Exception], ...]:
        """What the connection raises."""
        return (JdbcError,)

    def explained(self, error: Exception, where: str) -> EtlError:
        """By the SQLSTATE's class, as the standard has them."""
        assert isinstance(error, JdbcError)  # noqa: S101 - for mypy
        about = "data" if error.state.startswith(("22", "23", "44", "0A")) else "infrastructure"
        about = "config" if error.state.startswith(("28", "3D", "3F", "42")) else about
        return told(error.text, where, about, broken=self.lost(error))

    def passes(self, error: Exception) -> bool:
        """A deadlock, or a serialization failure."""
        return getattr(error, "state", "") in _AGAIN

    def lost(self, error: Exception) -> bool:
        """Whether the connection broke."""
        return str(getattr(error, "state", "")).startswith("08")

    def quote(self, name: str) -> str:
        """A name as standard SQL quotes it."""
        return '"' + name.replace('"', '""').replace("%", "%%") + '"'

    def check_name(self, name: str) -> str | None:
        """The database checks its length."""
        return "it is empty or holds a NUL" if not name or "\0" in name else None

    def table(self, table: TableName) -> str:
        """A table as an identifier."""
        return ".".join(self.quote(part) for part in (table.schema, table.name) if part)

    def moment(self, instant: datetime) -> datetime:
        """TIMESTAMP knows no zone: ours are in UTC."""
        return instant.astimezone(UTC).replace(tzinfo=None)

    def kind_of(self, kind: DataType, *, key: bool) -> None:
        """Nobody knows: the table and its columns must be there."""

    def fits(self, kind: DataType, column: Column) -> bool:
        """Whether a column that is there keeps every value, or refuses it."""
        number, _, _, scale = column.kind.split(":")
        name = kind.typeName()
        if number in _MOMENT:
            return name in {"timestamp", "timestamp_ntz"} and int(scale) >= _MICROSECONDS
        if number in _NUMERIC and int(getattr(kind, "scale", 0)) > int(scale):
            return False
        return number in _KEPT.get(name, ())

    def unheld(self, kind: DataType, column: Column) -> Iterator[Unheld]:
        """Which values a column can't hold."""
        number, _, size, scale = column.kind.split(":")
        if number in _NUMERIC:
            yield from decimals(kind, f"({size},{scale})")
        elif number in _WHOLE:
            yield from whole_numbers(kind, _WHOLE[number])
        elif number in _TEXT and int(size) > 0:
            yield too_long("length", int(size), "characters")

    def wire(self, column: SparkColumn, kind: DataType) -> SparkColumn:
        """Instants as UTC's wall clock, since the column has no zone."""
        return column.cast("timestamp_ntz") if kind.typeName() == "timestamp" else column

    def columns(self, cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
        """Name -> column, as the driver describes them."""
        found = cursor.connection.columns(table.schema, table.name)
        return {name: Column(name=name, kind=kind) for name, kind in found} or None

    def create(self, table: TableName, columns: Sequence[Column], *, keys: Sequence[str] = ()) -> str:
        """CREATE TABLE; of our own tables alone, whose columns are asked for without quotes."""
        needed = [f"{item.name} {item.kind}{' NOT NULL' if item.name in keys else ''}" for item in columns]
        key = [f"PRIMARY KEY ({', '.join(keys)})"] if keys else []
        return f"CREATE TABLE {self.table(table)} ({', '.join([*needed, *key])})"

    def create_stage(self, table: TableName, columns: Sequence[Column]) -> str:  # noqa: ARG002 - Spark makes it
        """Nothing: Spark's writer knows the types of more databases."""
        return ""

    def index(self, table: TableName, by: Sequence[str]) -> list[str]:  # noqa: ARG002 - tables aren't made here
        """None."""
        return []

    def own(self, cursor: Cursor, name: str) -> None:
        """Standard SQL has no locks of sessions."""

    def stages(self, cursor: Cursor, table: TableName) -> list[str]:  # noqa: ARG002 - nobody knows whose they are
        """None that may be touched."""
        return []

    def unowned(self, cursor: Cursor, table: TableName) -> list[str]:
        """None: nobody knows whether they are in use."""
        return self.stages(cursor, table)

    def lock(self, cursor: Cursor, table: TableName) -> None:
        """Standard SQL has none; our own tables are made once."""

    def unlock(self, cursor: Cursor, table: TableName) -> None:
        """Nothing is held."""

    def insert_once(self, table: TableName, columns: Sequence[str]) -> str:
        """INSERT: whoever comes second at the same moment is told so, and tries again."""
        listed, marks = ", ".join(map(self.quote, columns)), ", ".join(["%s"] * len(columns))
        return f"INSERT INTO {self.table(table)} ({listed}) VALUES ({marks})"  # noqa: S608 - quoted

    def takes(self, cursor: Cursor, table: TableName) -> bool:  # noqa: ARG002 - executors have no connection
        """Rows are always staged."""
        return False

    def fill(self, stage: TableName, rows: DataFrame) -> None:
        """Spark's own writer, each task in a transaction of its own.

        Raises:
            EtlError: the database refuses rows, or can't be reached.
        """
        from spark_jobs.jdbc.database import explained

        address = address_of(self.connection)
        properties = {**address.properties, "driver": address.driver, "batchsize": "10000"}
        with explained(str(stage)):
            rows.write.jdbc(address.url, self.table(stage).replace("%%", "%"), mode="append", properties=properties)

    def send(
        self,
        cursor: Cursor,
        table: TableName,
        columns: Sequence[Column],
        batches: Iterator[RecordBatch],
        task: int | None = None,
    ) -> int:
        """Never asked: `takes` is false, and `fill` stages."""
        raise NotImplementedError
