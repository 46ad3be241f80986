"""The staging table of one load: filled by Spark's tasks, emptied into the table by one transaction, then dropped.

A task's rows arrive in one transaction of its own and carry its attempt's number, which no other attempt has. What an
attempt has left whose success Spark never heard of is removed before anything is published. A staging table belongs to
a session of the driver; when that ends, however it ends, the next load in the schema sweeps it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import column
from spark_jobs.errors import DataError, EtlError, InfrastructureError
from spark_jobs.load.databases.base import Column, Database
from spark_jobs.load.databases.names import TASK, TableName, stage_age, stage_name
from spark_jobs.load.databases.sending import Part, send
from spark_jobs.load.databases.shape import Shape

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame

_PARTS: Final = "task BIGINT, rows BIGINT, problem STRING"
_TRIES: Final = 8
_YOUNG: Final = 3600.0  # seconds: a pooler may have given the session that owns a younger one to somebody else


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A staging table.

    Args:
        database: where it is.
        table: its name.
        target: whose rows it stages.
        tasks: the attempts whose rows count.
        rows: how many those are.
    """

    database: Database
    table: TableName
    target: TableName
    tasks: tuple[int, ...] = ()
    rows: int = 0

    def settle(self, cursor: Any) -> None:
        """See that exactly the rows that count are there.

        Args:
            cursor: of the transaction that publishes them.

        Raises:
            InfrastructureError: rows are gone: the server crashed, and what isn't logged went with it; or the table
                itself is.
        """
        place = self.database.table(self.table)
        if self._count(cursor) != self.rows and self.tasks:
            marks = ", ".join(["%s"] * len(self.tasks))
            strays = f"DELETE FROM {place} WHERE {self.database.quote(TASK)} NOT IN ({marks})"  # noqa: S608
            cursor.execute(strays, self.tasks)
        there = self._count(cursor)
        if there != self.rows:
            raise InfrastructureError(
                f"{self.rows} rows were staged, {there} are there",
                where=str(self.target),
                expected="equal counts",
                remedy="nothing was published; run it again",
            )

    def insert(self, cursor: Any, table: TableName, columns: Sequence[Column]) -> int:
        """Insert what was staged into a table; how many rows came in."""
        listed = ", ".join(self.database.quote(column.name) for column in columns)
        place, source = self.database.table(table), self.database.table(self.table)
        taken = ", ".join(self.database.taken(columns))
        cursor.execute(f"INSERT INTO {place} ({listed}) SELECT {taken} FROM {source}", ())  # noqa: S608 - quoted
        return int(cursor.rowcount)

    def _count(self, cursor: Any) -> int:
        try:
            cursor.execute(f"SELECT count(*) FROM {self.database.table(self.table)}", ())  # noqa: S608 - quoted
        except self.database.errors() as error:
            if self.database.passes(error) or self.database.lost(error) or self._there(cursor):
                raise
            raise InfrastructureError(
                "the staging table is gone: a sweep takes those of loads that take very long",
                where=str(self.target),
                remedy="nothing was published; run it again",
            ) from None
        return int(cursor.fetchone()[0])

    def _there(self, cursor: Any) -> bool:
        cursor.connection.rollback()
        return self.table.name in self.database.stages(cursor, self.target)


@contextmanager
def staged(database: Database, rows: DataFrame, target: TableName, shape: Shape, where: str) -> Iterator[Stage]:
    """Rows in a staging table, which is gone at the end of the block.

    Args:
        database: where they go.
        rows: what is loaded, with the columns of the shape, and others as it says.
        target: the table that they are staged for.
        shape: rows' column -> the table's.
        where: place in the pipeline file.

    Raises:
        DataError: values that the table can't hold.
        InfrastructureError: the database can't be reached.
    """
    empty = Stage(database=database, table=target.beside(stage_name()), target=target)
    guard = database.connect()
    try:
        _begin(guard, empty, shape)
        parts = _filled(empty, rows, shape)
        problem = next((part.problem for part in parts if part.problem), None)
        if problem:
            raise refused(problem, where, str(target))
        tasks = tuple(part.task for part in parts if part.rows)
        yield Stage(
            database=database, table=empty.table, target=target, tasks=tasks, rows=sum(part.rows for part in parts)
        )
    finally:
        _end(guard, empty)


def refused(problem: str, where: str, table: str) -> DataError:
    """The error of values that a table can't hold."""
    return DataError(
        problem,
        where=where,
        expected=f"values that columns of {table} can hold",
        remedy="clean, cast or filter them before; nothing was published",
    )


def wired(database: Database, rows: DataFrame, shape: Shape) -> list[SparkColumn]:
    """Rows in the form in which they are sent; Spark's mapInArrow can't take every name, and ours must take any."""
    named = enumerate(shape.columns)
    return [database.wire(column(name), rows.schema[name].dataType).alias(f"c{place}") for place, name in named]


def _begin(guard: Any, stage: Stage, shape: Shape) -> None:
    """Make the staging table, in the name of a session; drop those whose session is gone."""
    database = stage.database
    with guard.cursor() as cursor:
        database.own(cursor, stage.table.name)
        columns = [*shape.columns.values(), Column(name=TASK, kind=database.words["number"])]
        _make(guard, cursor, stage, columns)
        dead = [name for name in database.unowned(cursor, stage.table) if stage_age(name) > _YOUNG]
        guard.commit()
        for name in dead:
            try:
                cursor.execute(database.drop(stage.table.beside(name)), ())
                guard.commit()
            except database.errors():  # another user's: a load of that user sweeps it
                guard.rollback()


def _make(guard: Any, cursor: Any, stage: Stage, columns: Sequence[Column]) -> None:
    """Make the table, once more where another that is made at the same time is in the way."""
    database, create = stage.database, stage.database.create_stage(stage.table, columns)
    for left in reversed(range(_TRIES)):
        try:
            cursor.execute(create, ())
            guard.commit()
        except database.errors() as error:
            if not left or not database.passes(error):
                raise database.explained(error, str(stage.target)) from None
            guard.rollback()
            time.sleep(random.uniform(0, 1))  # noqa: S311 - jitter, not a secret
        else:
            return


def _filled(stage: Stage, rows: DataFrame, shape: Shape) -> list[Part]:
    """Stage rows by Spark's tasks; what each has done."""
    database, names, columns = stage.database, list(shape.columns), list(shape.columns.values())
    filled = database.fill(stage.table, rows, shape.columns)
    if filled is not None:
        return filled

    def load(asked: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
        import pyarrow as pa
        from pyspark import TaskContext

        batches, told = iter(asked), TaskContext.get()
        first = next(batches, None)
        task = told.taskAttemptId() if told else 0
        named = (batch.rename_columns(names) for batch in chain([first], batches) if batch is not None)
        done = Part(task=task, rows=0) if first is None else send(database, stage.table, columns, named, task)
        yield pa.RecordBatch.from_pylist([{"task": done.task, "rows": done.rows, "problem": done.problem}])

    found = rows.select(*wired(database, rows, shape)).mapInArrow(load, _PARTS).collect()  # a row a task
    return [Part(task=int(row["task"]), rows=int(row["rows"]), problem=row["problem"]) for row in found]


def _end(guard: Any, stage: Stage) -> None:
    """Drop the staging table; where that can't be, somebody sweeps it later."""
    with suppress(*stage.database.errors()):
        guard.close()
    with suppress(EtlError, *stage.database.errors()):
        made = stage.database.connect()
        try:
            with made.cursor() as cursor:
                cursor.execute(stage.database.drop(stage.table), ())
            made.commit()
        finally:
            made.close()
