"""Any other database by its JDBC driver: standard SQL alone, and what DatabaseMetaData says of it.

Rows travel by Spark's writer; the transaction that publishes runs on a session in the JVM of Spark's driver.
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError
from spark_jobs.jdbc import sessions
from spark_jobs.jdbc.address import Address, address_of
from spark_jobs.jdbc.sessions import DriverError
from spark_jobs.load.databases import plain_catalog, plain_stage, plain_types
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import TableName, stage_age
from spark_jobs.load.databases.plain_stage import NULLS, PART
from spark_jobs.load.databases.plain_unkept import Unkept
from spark_jobs.load.databases.sending import Part
from spark_jobs.load.databases.telling import told
from spark_jobs.load.databases.unheld import Unheld

if TYPE_CHECKING:
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

_PATIENCE: Final = 3600.0  # seconds that a load waits for another of the same table
_OLD: Final = 86_400.0  # seconds after which a staging table is nobody's: no session can say that it still is
_ENDED: Final = ("57014", "HY008")  # a statement took longer than it might
_DATA: Final = ("22", "23", "40002")
_CONFIG: Final = ("28", "3D", "3F", "42", "08004", "0A")


@dataclass(frozen=True, kw_only=True)
class Plain(Unkept):
    """A database of which only its driver is known."""

    name: ClassVar[str] = "this database"
    requires: ClassVar[tuple[str, ...]] = ("pyarrow",)
    transactional_ddl: ClassVar[bool] = False  # in some it ends the transaction: so tables change before
    guards_shapes: ClassVar[bool] = False
    merges: ClassVar[bool] = False
    change: ClassVar[str] = "SMALLINT"
    table_unit: ClassVar[str] = "-"  # an empty text is null to Oracle
    nulls_last: ClassVar[str] = ""

    connection: Connection

    @cached_property
    def address(self) -> Address:
        """Where it is."""
        return address_of(self.connection)

    @cached_property
    def nature(self) -> plain_catalog.Nature:
        """What its driver says of it."""
        made, where = self.connect(), f"connection {self.connection.id!r}"
        try:
            return made.told(lambda: plain_catalog.nature_of(made, where))  # type: ignore[no-any-return]
        except DriverError as error:
            raise self.explained(error, where) from None
        finally:
            made.close()

    @cached_property
    def words(self) -> Mapping[str, str]:
        """The types of our own tables' columns.

        Raises:
            ConfigError: the database has no type for one.
        """
        types = self.nature.types
        number, moment = (types.get(code) for code in (plain_types.BIGINT, plain_types.TIMESTAMP))
        exact = next((types[code] for code in (plain_types.NUMERIC, plain_types.DECIMAL) if code in types), None)
        held = plain_types.NVARCHAR in types or plain_types.VARCHAR in types
        if not held or moment is None or not (number or exact):
            raise ConfigError(
                f"{self.nature.product} has no types for a ledger",
                where=f"connection {self.connection.id!r}",
                expected="texts, whole numbers of 19 digits, and timestamps with microseconds",
                remedy="load files or a lake table",
            )
        if exact and (number is None or number.name == exact.name):
            digits = exact.of(19, 0)
        else:
            digits = number.name if number else ""
        text = plain_types.text(types)
        sizes = {"key": 512, "name": 128, "text": plain_types.LONGEST}
        return {
            **{word: text.of(min(text.size or size, size)) for word, size in sizes.items()},
            "number": digits,
            "moment": moment.name,
        }

    def connect(self, *, sending: bool = False) -> Any:  # noqa: ARG002 - nobody sends by it
        """A session of the driver, not in autocommit, READ COMMITTED or stricter."""
        try:
            return sessions.connect(self.address)
        except DriverError as error:
            raise self.explained(error, f"connection {self.connection.id!r}") from None

    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""
        return (DriverError,)

    def explained(self, error: Exception, where: str) -> EtlError:
        """What an error means, by its SQLSTATE's class."""
        assert isinstance(error, DriverError)  # noqa: S101 - no other is caught
        about = "infrastructure"
        if error.state.startswith(_DATA):
            about = "data"
        elif error.state.startswith(_CONFIG):
            about = "config"
        return told(error.text, where, about, broken=error.lost or error.passes)

    def passes(self, error: Exception) -> bool:
        """Whether the driver calls it transient: a deadlock, a lock waited for too long, a serialization failure."""
        return isinstance(error, DriverError) and error.passes

    def lost(self, error: Exception) -> bool:
        """Whether the connection broke."""
        return isinstance(error, DriverError) and error.lost

    def quote(self, name: str) -> str:
        """A name as an identifier."""
        return '"' + name.replace('"', '""').replace("%", "%%") + '"'

    def named(self, name: str) -> str:
        """A new column's name as the database writes it: nobody needs quotes to ask for it there."""
        return self.nature.folded(name)

    def placed(self, table: TableName) -> TableName:
        """A table as the database writes it."""
        return TableName(schema=self.nature.folded(table.schema), name=self.nature.folded(table.name))

    def check_name(self, name: str) -> str | None:
        """As long as the database says; no NUL."""
        if "\0" in name or not name:
            return "it is empty or holds a NUL"
        most = self.nature.longest
        return f"it has more than {most} characters" if most and len(name) > most else None

    def table(self, table: TableName) -> str:
        """A table as an identifier."""
        parts = [table.schema, table.name] if table.schema else [table.name]
        return ".".join(self.quote(self.nature.folded(part)) for part in parts)

    def moment(self, instant: datetime) -> datetime:
        """TIMESTAMP knows no zone: ours are in UTC."""
        return instant.astimezone(UTC).replace(tzinfo=None)

    def new_column(self, name: str, kind: DataType, *, key: bool) -> Column | None:
        """A new column, of the types that the database has."""
        return plain_types.new_column(name, kind, self.nature.types, key=key)

    def fits(self, kind: DataType, column: Column) -> bool:
        """Whether a column that is there keeps every value, or refuses it."""
        return plain_types.fits(kind, plain_types.described(column))

    def unheld(self, kind: DataType, column: Column) -> Iterator[Unheld]:
        """Which values a column can't hold."""
        return plain_types.unheld(kind, plain_types.described(column))

    def wire(self, column: SparkColumn, kind: DataType) -> SparkColumn:
        """As Spark's writer takes it."""
        return plain_stage.wire(column, kind)

    def columns(self, cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
        """Name -> column, in order; None where there is no such table."""
        return plain_catalog.columns(cursor, self.placed(table))

    def computed(self, cursor: Cursor, table: TableName) -> set[str]:
        """Generated columns."""
        return plain_catalog.computed(cursor, self.placed(table))

    def create(self, table: TableName, columns: Sequence[Column], *, keys: Sequence[str] = ()) -> str:
        """CREATE TABLE."""
        key = [f"PRIMARY KEY ({self._listed(keys)})"] if keys else []
        defined = [
            f"{self.quote(column.name)} {column.kind}{' NOT NULL' if column.name in keys else ''}" for column in columns
        ]
        return f"CREATE TABLE {self.table(table)} ({', '.join([*defined, *key])})"

    def create_stage(self, table: TableName, columns: Sequence[Column]) -> str:
        """An ordinary table, with the partition of each row, and which of its texts are null."""
        held = [Column(name=PART, kind=self.words["number"])]
        marks = len(self._marked(columns))
        if marks:
            held.append(Column(name=NULLS, kind=plain_types.text(self.nature.types).of(marks)))
        return self.create(table, [*columns, *held])

    def drop(self, table: TableName) -> str:
        """DROP TABLE; that it may be absent can't be said everywhere."""
        return f"DROP TABLE {self.table(table)}"

    def add_column(self, table: TableName, column: Column) -> str:
        """ALTER TABLE; the word COLUMN, and that it takes nulls, aren't said alike everywhere."""
        return f"ALTER TABLE {self.table(table)} ADD {self.quote(column.name)} {column.kind}"

    def taken(self, columns: Sequence[Column]) -> list[str]:
        """The columns, null where their marks say so."""
        marked = self._marked(columns)
        return [
            plain_stage.unmarked(self.quote(column.name), marked.index(place), len(marked))
            if place in marked
            else self.quote(column.name)
            for place, column in enumerate(columns)
        ]

    def index(self, table: TableName, by: Sequence[str]) -> list[str]:
        """An index, which the standard doesn't know, and every database does."""
        digest = hashlib.sha256(f"{table} {by}".encode()).hexdigest()[:12]
        name = self.table(table.beside(f"_etl_by_{digest}"))
        return [f"CREATE INDEX {name} ON {self.table(table)} ({self._listed(by)})"] if by else []

    def own(self, cursor: Cursor, name: str) -> None:
        """Nothing: no lock lasts as long as a session everywhere, so a staging table's age says whose it is."""

    def stages(self, cursor: Cursor, table: TableName) -> list[str]:
        """By the catalog."""
        return plain_catalog.stages(cursor, self.placed(table))

    def unowned(self, cursor: Cursor, table: TableName) -> list[str]:
        """Staging tables that are a day old; a load that takes longer finds its own gone, and publishes nothing."""
        return [name for name in self.stages(cursor, table) if stage_age(name) > _OLD]

    def lock(self, cursor: Cursor, table: TableName) -> None:
        """Nothing: who comes second is refused by the server, and looks again."""

    def unlock(self, cursor: Cursor, table: TableName) -> None:
        """Nothing."""

    def hold(self, cursor: Cursor, table: TableName, column: str, condition: str, values: tuple[Any, ...]) -> None:
        """By a change of the row, for which a database waits or fails; SELECT … FOR UPDATE isn't known everywhere.

        Raises:
            InfrastructureError: another load holds it and doesn't end; or the row is gone, without which nobody would
                wait.
        """
        name, end = self.quote(column), time.monotonic() + _PATIENCE
        statement = f"UPDATE {self.table(table)} SET {name} = {name} + 1 WHERE {condition}"  # noqa: S608 - quoted
        while not self._held(cursor, statement, values, end - time.monotonic()):
            if time.monotonic() >= end:
                raise InfrastructureError(
                    "another load of the table doesn't end", where=str(table), remedy="let it end, then run this again"
                )
            time.sleep(random.uniform(0.05, 0.5))  # noqa: S311 - jitter, not a secret
        if cursor.rowcount < 1:  # there may be two, where keys aren't enforced
            raise InfrastructureError(
                "the table's row in the ledger is gone", where=str(table), remedy="run it again, which makes it"
            )

    def _held(self, cursor: Cursor, statement: str, values: tuple[Any, ...], patience: float) -> bool:
        """Change a row; False where somebody else still has it after so many seconds, or sooner."""
        try:
            cursor.execute(statement, values, seconds=max(1, math.ceil(patience)))
        except DriverError as error:
            if error.lost or not (error.passes or error.state in _ENDED):
                raise
            cursor.connection.rollback()
            return False
        return True

    def insert_once(self, cursor: Cursor, table: TableName, key: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
        """INSERT; where the server refuses it and the key is there meanwhile, nothing is left to do."""
        cursor.connection.commit()
        row, place = {**key, **rest}, self.table(table)
        marks, same = ", ".join(["%s"] * len(row)), " AND ".join(f"{self.quote(name)} = %s" for name in key)
        try:
            insert = f"INSERT INTO {place} ({self._listed(list(row))}) VALUES ({marks})"  # noqa: S608 - quoted
            cursor.execute(insert, tuple(row.values()))
        except DriverError as error:
            cursor.connection.rollback()
            if not error.state.startswith("23"):
                raise
            cursor.execute(f"SELECT count(*) FROM {place} WHERE {same}", tuple(key.values()))  # noqa: S608 - quoted
            if not cursor.fetchone()[0]:  # another rule of the table's
                raise

    def takes(self, cursor: Cursor, table: TableName) -> bool:  # noqa: ARG002 - none
        """No: rows come by way of a staging table."""
        return False

    def fill(self, table: TableName, rows: DataFrame, columns: Mapping[str, Column]) -> list[Part] | None:
        """By Spark's own writer."""
        made = list(columns.values())
        place = self.table(table).replace("%%", "%")
        try:
            sent = plain_stage.wired(rows, list(columns), self._marked(made))
            plain_stage.write(self.address, place, rows.select(*sent), made)
        except DriverError as error:
            found = self.explained(error, str(table))
            if found.kind != "data":
                raise found from None
            return [Part(task=0, rows=0, problem=found.what)]
        session = self.connect()
        try:
            return plain_stage.parts(session, self.table(table))
        finally:
            session.close()

    def _marked(self, columns: Sequence[Column]) -> list[int]:
        """Places of the columns whose nulls are marked."""
        codes = [plain_types.described(column).code for column in columns]
        return [place for place, code in enumerate(codes) if code in plain_types.MARKED]

    def _listed(self, names: Sequence[str]) -> str:
        return ", ".join(self.quote(name) for name in names)
