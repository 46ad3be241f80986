"""What a database can do for the destination `jdbc`: one small class per database, so that the rest knows none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from spark_jobs.connections import Connection
from spark_jobs.errors import EtlError
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.unheld import Unheld

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

    from spark_jobs.load.databases.sending import Part

Cursor = Any
"""A cursor of Python's DB-API; parameters are `%s`, and a tuple of them is always given."""


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    Args:
        name: as the table spells it.
        kind: its type as DDL says it, with collation.
    """

    name: str
    kind: str


class Database(Protocol):
    """One kind of database, reached by one connection; it can be pickled and sent to executors."""

    name: ClassVar[str]
    requires: ClassVar[tuple[str, ...]]
    transactional_ddl: ClassVar[bool]
    nulls_last: ClassVar[str]
    """What makes nulls come last where values come in descending order."""
    guards_shapes: ClassVar[bool]
    """Whether `lock` keeps others from changing tables; else whoever comes second is refused, and looks again."""
    merges: ClassVar[bool]
    """Whether it keeps `merge`."""
    change: ClassVar[str]
    """The type of a small whole number."""
    table_unit: ClassVar[str]
    """The unit of the ledger's row that stands for a table."""
    connection: Connection

    @property
    def words(self) -> Mapping[str, str]:
        """The types of our own tables' columns: key, name, text, number, moment."""

    def connect(self, *, sending: bool = False) -> Any:
        """A DB-API connection, not in autocommit; its session is strict and in UTC.

        Args:
            sending: whether rows are sent by it, for which a server may ask for more.

        Raises:
            EtlError: it can't be had; the text holds no secret.
        """

    def errors(self) -> tuple[type[Exception], ...]:
        """What the driver raises."""

    def explained(self, error: Exception, where: str) -> EtlError:
        """What a driver's error means, without a secret."""

    def passes(self, error: Exception) -> bool:
        """Whether the same transaction may simply be tried again: a deadlock, a serialization failure."""

    def lost(self, error: Exception) -> bool:
        """Whether the connection broke, so that nobody knows whether a commit arrived."""

    def quote(self, name: str) -> str:
        """A name as an identifier; per cent signs are doubled, as in every statement with parameters."""

    def named(self, name: str) -> str:
        """A new column's name as the database writes it."""

    def placed(self, table: TableName) -> TableName:
        """A table's name as the database writes it, under which alone the ledger knows it."""

    def check_name(self, name: str) -> str | None:
        """Why a name can't be a column's or a table's; None where it can."""

    def table(self, table: TableName) -> str:
        """A table as an identifier."""

    def moment(self, instant: datetime) -> datetime:
        """An instant as a parameter that columns of Spark's timestamps are compared with."""

    def new_column(self, name: str, kind: DataType, *, key: bool) -> Column | None:
        """A new column for a Spark type; None where there is no type for it.

        Args:
            name: as the database writes it.
            kind: Spark's type.
            key: whether the column takes part in a key or index.
        """

    def fits(self, kind: DataType, column: Column) -> bool:
        """Whether every value of a Spark type is kept as it is, or refused, by a column that is there."""

    def unheld(self, kind: DataType, column: Column) -> Iterator[Unheld]:
        """Which values of a Spark type a column can't hold, as far as Spark can tell."""

    def wire(self, column: SparkColumn, kind: DataType) -> SparkColumn:
        """A Spark column in the form in which `writer` sends it."""

    def columns(self, cursor: Cursor, table: TableName) -> Mapping[str, Column] | None:
        """Name -> column of a table, in order; None where there is no such table.

        Raises:
            ConfigError: the name is taken by a view, or by something else that is no table.
        """

    def create(self, table: TableName, columns: Sequence[Column], *, keys: Sequence[str] = ()) -> str:
        """The statement that makes a table, with a primary key where keys are named."""

    def create_stage(self, table: TableName, columns: Sequence[Column]) -> str:
        """The statement that makes a staging table, which needn't survive a crash of the server."""

    def drop(self, table: TableName) -> str:
        """The statement that drops a table, which may fail where it isn't there."""

    def add_column(self, table: TableName, column: Column) -> str:
        """The statement that gives a table one more column, which takes nulls."""

    def taken(self, columns: Sequence[Column]) -> list[str]:
        """What is selected from the staging table for columns, all of them and in their order."""

    def index(self, table: TableName, by: Sequence[str]) -> list[str]:
        """Statements that make the index by which a new table's windows are found."""

    def own(self, cursor: Cursor, name: str) -> None:
        """Say that a staging table is in use for as long as the cursor's session lasts; wait for whoever uses it."""

    def stages(self, cursor: Cursor, table: TableName) -> list[str]:
        """Names of all staging tables in a table's schema."""

    def unowned(self, cursor: Cursor, table: TableName) -> list[str]:
        """Names of staging tables in a table's schema that no session uses."""

    def lock(self, cursor: Cursor, table: TableName) -> None:
        """Let others that change tables in a schema wait until the transaction ends (or the session's next unlock)."""

    def unlock(self, cursor: Cursor, table: TableName) -> None:
        """Let them go on, where the end of the transaction doesn't."""

    def hold(self, cursor: Cursor, table: TableName, column: str, condition: str, values: tuple[Any, ...]) -> None:
        """Wait until nobody else holds a row, and keep others from it until the transaction ends.

        Args:
            cursor: of a transaction that has changed nothing yet.
            table: the row's.
            column: of numbers, which may be changed where nothing else holds the row.
            condition: which row, with `%s` for values.
            values: those.
        """

    def insert_once(self, cursor: Cursor, table: TableName, key: Mapping[str, Any], rest: Mapping[str, Any]) -> None:
        """Insert a row where its key isn't there yet; nothing else was changed before. The caller commits.

        Args:
            cursor: of a transaction.
            table: the row's.
            key: column -> value of the primary key.
            rest: column -> value of the others.
        """

    def plan_for(self, cursor: Cursor, stage: TableName, keys: Sequence[str]) -> None:
        """Let the server's planner know what a staging table holds, of which it has no statistics."""

    def ordered(self, expression: str, column: Column) -> list[str]:
        """Expressions that order a column's values, one after the other: totally, and the same on every server."""

    def equal(self, left: str, right: str) -> str:
        """Whether two expressions are the same, nulls included."""

    def update_from(self, target: str, source: str, on: str, sets: Mapping[str, str]) -> str:
        """UPDATE target `t` by source `s`.

        Args:
            target: an identifier.
            source: likewise.
            on: the condition, over `t` and `s`.
            sets: column of `t` (an identifier) -> expression.
        """

    def delete_using(self, target: str, source: str, on: str) -> str:
        """DELETE from target `t` by source `s`; arguments as for `update_from`."""

    def buckets(self, expression: str, column: Column, step: int) -> str:
        """The span of time in which a moment lies: days since 1970 of a date, else its number since 1970.

        Args:
            expression: of the column.
            column: whose values they are.
            step: a span's length in microseconds.
        """

    def means(self, expression: str, column: Column) -> str | None:
        """Whether a value is what a text, the only parameter, says; None where no text can say one."""

    def spark_kind(self, column: Column) -> str:
        """The Spark type whose values a column holds, as DDL; `void` where there is none."""

    def like(self, cursor: Cursor, table: TableName, model: TableName) -> None:
        """Make an empty table of the same columns as another, with their defaults."""

    def computed(self, cursor: Cursor, table: TableName) -> set[str]:
        """The columns that the server fills, and nobody else may."""

    def takes(self, cursor: Cursor, table: TableName) -> bool:
        """Whether `send` may fill a table that is there as INSERT does: no rule or policy of it stands in between."""

    def fill(self, table: TableName, rows: DataFrame, columns: Mapping[str, Column]) -> list[Part] | None:
        """Fill a staging table by Spark's own writer; None where each task sends its rows.

        Args:
            table: the staging table.
            rows: what is loaded.
            columns: rows' column -> the staging table's.
        """

    def send(
        self,
        cursor: Cursor,
        table: TableName,
        columns: Sequence[Column],
        batches: Iterator[RecordBatch],
        task: int | None = None,
    ) -> int:
        """Send rows into a table, in the cursor's transaction; runs on an executor.

        Args:
            cursor: of a connection for sending.
            table: a table that is there.
            columns: of it, in the batches' order.
            batches: the rows.
            task: what the staging table's own column holds.

        Returns:
            How many rows came in.

        Raises:
            Unfit: a value that can't be stored.
        """
