"""What a task does: Arrow batches as text into LOAD DATA LOCAL, or into inserts of many rows; runs on executors."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.load.databases.names import TASK, TableName
from spark_jobs.load.databases.sending import Unfit
from spark_jobs.load.databases.telling import plain

if TYPE_CHECKING:
    from pyarrow import Array, RecordBatch, Table  # type: ignore[import-untyped]

    from spark_jobs.load.databases.mariadb import MariaDB

# The server, or a proxy before it, lets no file through: 4166 MariaDB, 3948 MySQL, 1148 older ones.
_FORBIDDEN: Final = (4166, 3948, 1148)
_CHUNK: Final = 32 << 20  # bytes of a batch's Arrow memory that are sent at once
_ROWS: Final = 1000  # rows of an insert


class Sending:
    """Sends batches into a table, by files as long as nobody forbids them.

    Args:
        database: where the table is.
        cursor: of a connection for sending.
        table: a table that is there.
        columns: of it, in the batches' order.
        task: what TASK holds, or None.
    """

    def __init__(
        self, database: MariaDB, cursor: Any, table: TableName, columns: Sequence[str], task: int | None
    ) -> None:
        self._database, self._cursor, self._table, self._columns = database, cursor, table, list(columns)
        self._mark = [] if task is None else [task]
        self._files = database.by_files

    def every(self, batches: Iterator[RecordBatch]) -> int:
        """Send batches; how many rows came in.

        Raises:
            Unfit: a value that a column can't hold.
        """
        return sum(self.send(chunk) for chunk in _chunks(batches))

    def send(self, table: Table) -> int:
        """Send a table; how many rows that were."""
        _refuse_unstorable(table)
        if self._files:
            import pymysql

            try:
                self._load(table)
            except pymysql.Error as error:
                if not (error.args and error.args[0] in _FORBIDDEN):
                    raise
                self._files = False
        if not self._files:
            self._insert(table)
        return int(table.num_rows)

    def _load(self, table: Table) -> None:
        """By LOAD DATA LOCAL, which turns errors into warnings: one of them is too many."""
        with tempfile.NamedTemporaryFile(prefix="etl-", suffix=".csv") as file:
            file.write(_as_text(table))
            file.flush()
            self._cursor.execute(self._statement(table, file.name))
        loaded = self._cursor.rowcount
        self._cursor.execute("SHOW WARNINGS LIMIT 1")
        warning = self._cursor.fetchone()
        if warning is not None:
            raise Unfit(plain(str(warning[2])))
        if loaded != table.num_rows:
            raise Unfit(f"{loaded} of {table.num_rows} rows arrived")

    def _statement(self, table: Table, file: str) -> str:
        import pyarrow as pa

        places, sets = [], [f"{self._database.quote(TASK)} = {task}" for task in self._mark]
        for place, (name, item) in enumerate(zip(self._columns, table.schema, strict=True)):
            binary = pa.types.is_binary(item.type) or pa.types.is_large_binary(item.type)
            places.append(f"@c{place}" if binary else self._database.quote(name))
            if binary:
                sets.append(f"{self._database.quote(name)} = UNHEX(@c{place})")
        escaped = file.replace("\\", "\\\\").replace("'", "\\'")
        return (
            f"LOAD DATA LOCAL INFILE '{escaped}' INTO TABLE {self._database.table(self._table)} CHARACTER SET utf8mb4"
            " FIELDS TERMINATED BY ',' ENCLOSED BY '\"' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n'"
            f" ({', '.join(places)}){' SET ' if sets else ''}{', '.join(sets)}"
        ).replace("%%", "%")

    def _insert(self, table: Table) -> None:
        """By inserts of many rows, which PyMySQL writes of `executemany`."""
        names = [*self._columns, *[TASK for _ in self._mark]]
        listed, marks = ", ".join(map(self._database.quote, names)), ", ".join(["%s"] * len(names))
        query = f"INSERT INTO {self._database.table(self._table)} ({listed}) VALUES ({marks})"  # noqa: S608 - quoted
        for batch in table.to_batches(_ROWS):
            columns = [column.to_pylist() for column in batch.columns]
            self._cursor.executemany(query, [(*row, *self._mark) for row in zip(*columns, strict=True)])


def _chunks(batches: Iterator[RecordBatch]) -> Iterator[Table]:
    """Batches put together to what is worth a statement."""
    import pyarrow as pa

    waiting: list[Any] = []
    for batch in batches:
        waiting.append(batch)
        if sum(item.nbytes for item in waiting) >= _CHUNK:
            yield pa.Table.from_batches(waiting)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting)


def _as_text(table: Table) -> bytes:
    """A table as LOAD DATA reads it: texts in quotes, backslashes doubled, null as backslash and N."""
    import io

    import pyarrow as pa
    from pyarrow import csv

    texts = pa.table([_text(column) for column in table.columns], names=[str(at) for at in range(table.num_columns)])
    sink = io.BytesIO()
    csv.write_csv(texts, sink, csv.WriteOptions(include_header=False, batch_size=10_000, null_string="\\N"))
    return sink.getvalue()


def _text(column: Array) -> Array:
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    kind = column.type
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _hexed(column)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return pc.replace_substring(column, "\\", "\\\\")
    return column


def _hexed(column: Array) -> Array:
    import pyarrow as pa

    values = (value.as_py() for value in column)
    return pa.array([None if value is None else value.hex() for value in values], pa.large_string())


def _refuse_unstorable(table: Table) -> None:
    """MariaDB's numbers are finite."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for item, column in zip(table.schema, table.columns, strict=True):
        if pa.types.is_floating(item.type):
            finite = pc.all(pc.is_finite(column)).as_py()
            if finite is False:
                some = next(value for value in column.to_pylist() if value is not None and not math.isfinite(value))
                raise Unfit(f"column {item.name!r} holds {some}, which no number of MariaDB can be")
