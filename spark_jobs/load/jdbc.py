"""Destination `jdbc`: a table of a database, published in one transaction that is also its ledger's entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.load import scope
from spark_jobs.load.by_key import DELETED, Merge
from spark_jobs.load.changes import CHANGE, DELETE, Changes, changes_of
from spark_jobs.load.databases import database_of
from spark_jobs.load.databases.base import Column, Database
from spark_jobs.load.databases.books import Books
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.publishing import Publishing
from spark_jobs.load.databases.replacing import Replacing
from spark_jobs.load.databases.shape import Shape, Wanted, shape_of, unheld_in
from spark_jobs.load.databases.transacting import Outcome, Work, telling
from spark_jobs.load.databases.upserting import Upserting
from spark_jobs.load.growing import NewColumns
from spark_jobs.load.outside import Outside
from spark_jobs.load.reaching import reading_of
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.load.table import Table
from spark_jobs.report import LoadReceipt

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType

    from spark_jobs.load.delta import Delta


KINDS: Final = {"postgres": ("postgres",), "mariadb": ("mysql", "mariadb"), "other": ("jdbc",)}
"""What `database` says -> types of connections."""
MERGE_UNKEPT: Final = "merge compares rows by SQL that databases don't share"


@dataclass(frozen=True, kw_only=True)
class Jdbc(Table):
    """A table of a database; the ledger is `_etl_loads` beside it, written in the same transaction."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: jdbc
connection: warehouse
table: sales.orders
write: {strategy: merge, keys: [id], sequence: ordered_at}
"""
    type: ClassVar[str] = "jdbc"
    looks_back: ClassVar[bool] = True
    exact_scopes: ClassVar[bool] = False  # a column's collation decides what is equal, and nobody here knows it

    connection: str = field(metadata={"connection": True})
    """The Airflow connection, of type `postgres` or `mysql` (MariaDB), or `jdbc` with a driver for any other."""
    table: str = field(metadata={"substitute": "text"})
    """The table, or `schema.table`; without a schema it is in the connection's own. Made where there is none."""
    write: ReplaceWindow | Append | Snapshot | Merge
    """How rows reach the table, and why a repeat can't harm."""
    new_columns: NewColumns = "evolve"
    """Columns that the rows have and the table hasn't: `evolve` adds them, `freeze` stops before anything is written;
    the report names them, and those that the rows haven't got."""
    scope: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Column -> value: the rows that are this pipeline's, where several load one table. Rows get columns that they
    lack; one that says another value is refused."""

    database: Literal["postgres", "mariadb", "other"] | None = None
    """Which database it is: `lint` knows no connections, and refuses for `other` what standard SQL can't do. A run
    looks at the connection anyway."""

    @property
    def unkept(self) -> str:
        """Why the strategy isn't kept, whatever `lint` thinks of all databases together; empty where it is."""
        return MERGE_UNKEPT if self.database == "other" and isinstance(self.write, Merge) else ""

    @property
    def place(self) -> str:
        """The table, for people and for telling tables apart."""
        return f"{self.connection}:{self.table}"

    def sampled(self, path: str) -> Delta:
        """What stands for the table in tests: a Delta table, with the same strategy."""
        from spark_jobs.load.delta import Delta

        return Delta(path=path, write=self.write, scope=self.scope)

    def outside(self, rows: DataFrame, context: Context) -> list[Outside]:
        """Which rows the load can't take, those among them that hold what a column of the table can't."""
        database = self._database(context)
        table = database.placed(TableName.parse(self.table, context.where))
        keys = self.write.keys if isinstance(self.write, Merge) else ()
        there = {name.lower() for name in rows.columns}
        by = tuple(name for name in self._by if name.lower() in there)
        wanted = Wanted(
            table=table, schema=rows.schema, keys=keys, by=by, where=context.where, new_columns=self.new_columns
        )
        with telling(database, str(table)) as cursor:
            shape = shape_of(database, cursor, wanted)
        return [*super().outside(rows, context), *unheld_in(database, rows.schema, shape)]

    def done(self, name: str, context: Context) -> LoadReceipt | None:
        """The receipt of this attempt's own commit, where an earlier try made it and its result got lost."""
        entry = self.publishing(name, context).found()
        return self._receipt(Outcome(entry=entry, found=True)) if entry is not None else None

    def publish(self, name: str, rows: DataFrame, staged: int, context: Context) -> LoadReceipt:
        """Publish staged rows in one transaction.

        Args:
            name: the load's name in the pipeline file.
            rows: what was staged and checked.
            staged: how many rows that are.
            context: session, plan and connections.

        Raises:
            ConfigError: the connection or the table can't be used, or another pipeline loads the table and no scope
                parts their rows.
            DataError: a column or a value that the table can't hold; a column that it hasn't got (freeze); a window
                that overlaps an earlier one which it doesn't cover (append); a key that comes twice without a sequence
                (merge).
            InfrastructureError: the database can't be reached; or another run has published rows of the same time
                that it read later than these.
        """
        publishing = self.publishing(name, context)
        if isinstance(self.write, Merge):
            return self._merge(self.write, publishing, rows, staged)
        shaped = scope.with_columns(rows, self.scope, None, context.where)
        shaped = self.write.shape(shaped, context.plan.id, context.plan.window)
        wanted = Wanted(
            table=publishing.books.table,
            schema=shaped.schema,
            by=self._by,
            where=context.where,
            new_columns=self.new_columns,
        )
        shapes = publishing.begin((wanted,))
        if not shapes:
            return self._lost(publishing)
        work = self._replacing(publishing, shapes[0], shaped.schema)
        outcome = publishing.publish(shaped, staged, [(wanted, shapes[0])], shapes[0], work)
        return self._receipt(outcome).grown(shapes[0].growth)

    def _merge(self, write: Merge, publishing: Publishing, rows: DataFrame, staged: int) -> LoadReceipt:
        context, table = publishing.context, publishing.books.table
        changes = self._changes(write, rows, context)
        schema = changes.rows.drop(CHANGE).schema
        wanted = [
            Wanted(table=table, schema=schema, keys=changes.keys, where=context.where, new_columns=self.new_columns)
        ]
        if changes.deletes and not write.soft_delete:
            graves = changes.rows.select(*changes.keys, *changes.sequence).schema
            wanted.append(Wanted(table=table.tombstones, schema=graves, keys=changes.keys, where=context.where))
        shapes = publishing.begin(tuple(wanted))
        if not shapes:
            return self._lost(publishing)
        marked = Column(name=CHANGE, kind=publishing.books.database.change)
        shape = replace(shapes[0], columns={**shapes[0].columns, CHANGE: marked})
        work = Upserting(
            database=publishing.books.database,
            table=table,
            write=write,
            changes=changes,
            shape=shape,
            buried=len(wanted) > 1,
        )
        fit = list(zip(wanted, shapes, strict=True))
        filled = None if changes.deletes else publishing.fill(changes.rows.drop(CHANGE), staged, fit)
        if filled is not None:
            return self._receipt(filled).grown(shapes[0].growth)
        return self._receipt(publishing.publish(changes.rows, staged, fit, shape, work)).grown(shapes[0].growth)

    def _changes(self, write: Merge, rows: DataFrame, context: Context) -> Changes:
        """What the window does; the scope's columns are keys too."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        scoped = scope.with_columns(rows, self.scope, None, context.where)
        found = changes_of(write, scoped, context.plan.window, context.where)
        lowered = {name.lower(): name for name in scoped.columns}
        keys = dict.fromkeys((*found.keys, *(lowered[name.lower()] for name in self.scope)))
        marked = found.rows
        if write.soft_delete:
            marked = marked.withColumn(DELETED, F.col(CHANGE) == DELETE)
        return replace(found, rows=marked, keys=tuple(keys))

    @property
    def _by(self) -> tuple[str, ...]:
        """The columns by which a window's rows are found."""
        if isinstance(self.write, ReplaceWindow):
            return (*self.scope, self.write.column)
        return (*self.scope, "_pipeline", "_window_start") if isinstance(self.write, Append) else tuple(self.scope)

    def _replacing(self, publishing: Publishing, shape: Shape, schema: StructType) -> Work:
        assert not isinstance(self.write, Merge)  # noqa: S101 - for mypy
        plan = publishing.context.plan
        by_date = isinstance(self.write, ReplaceWindow) and schema[self.write.column].dataType.typeName() == "date"
        return Replacing(
            database=publishing.books.database,
            table=publishing.books.table,
            write=self.write,
            shape=shape,
            pipeline=plan.id,
            window=plan.window,
            span=publishing.span,
            dates=by_date,
            scope=self.scope,
        )

    def publishing(self, name: str, context: Context) -> Publishing:
        """What publishes one attempt.

        Args:
            name: the load's name in the pipeline file.
            context: session, plan and connections.
        """
        database = self._database(context)
        table = database.placed(TableName.parse(self.table, context.where))
        return Publishing(
            books=Books(database=database, table=table),
            unit=self.unit(name, context.plan),
            claim=self.claim(name, context.plan),
            context=context,
            reading=reading_of(context.plan, context.dataset, self, self.unit(name, context.plan).key),
        )

    def _database(self, context: Context) -> Database:
        connection = context.connections[self.connection]
        database = database_of(connection, context.where)
        if self.database is not None and connection.kind not in KINDS[self.database]:
            raise ConfigError(
                f"connection {self.connection!r} is of type {connection.kind!r}, and `database` says {self.database}",
                where=context.where,
                expected=f"a connection of type {' or '.join(KINDS[self.database])}",
            )
        if isinstance(self.write, Merge) and not database.merges:
            raise ConfigError(
                f"connection {self.connection!r} is of type {connection.kind!r}: {MERGE_UNKEPT}",
                where=context.where,
                expected="replace_window, append or snapshot",
                remedy="the nearest one is snapshot",
            )
        return database

    def _lost(self, publishing: Publishing) -> LoadReceipt:
        return self._receipt(Outcome(entry=publishing.found(), found=True))

    def _receipt(self, outcome: Outcome) -> LoadReceipt:
        entry = outcome.entry
        if entry is None:
            return LoadReceipt(strategy=self.write.strategy, state="superseded", table=self.place)
        return LoadReceipt(
            strategy=self.write.strategy,
            state="already_done" if outcome.found else "loaded",
            table=self.place,
            rows_inserted=entry.inserted,
            rows_updated=entry.updated,
            rows_deleted=entry.deleted,
            attempts=outcome.tries,
        )
