"""What a task does: Arrow batches as CSV into COPY. It runs on executors, which need psycopg and pyarrow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from spark_jobs.load.databases.base import Part
from spark_jobs.load.databases.names import TASK, TableName

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]

    from spark_jobs.load.databases.postgres import Postgres


def writer(
    database: Postgres, stage: TableName, columns: Sequence[str]
) -> Callable[[Iterator[RecordBatch], int], Part]:
    """A task's work: all of its rows in one COPY, which is one transaction; half of one leaves nothing."""
    listed = ", ".join(database.quote(name) for name in (*columns, TASK))
    # An unquoted nothing is null, "" is the empty text: pyarrow quotes every text.
    copy = f"COPY {database.table(stage)} ({listed}) FROM STDIN (FORMAT csv)".replace("%%", "%")

    def write(batches: Iterator[RecordBatch], task: int) -> Part:
        import psycopg

        made = database.connect()
        try:
            return _copied(made, copy, batches, task)
        except psycopg.Error as error:
            found = database.explained(error, str(stage))
            if found.kind != "data":
                raise found from None
            return Part(task=task, rows=0, problem=found.what)
        finally:
            made.close()

    return write


def _copied(made: object, copy: str, batches: Iterator[RecordBatch], task: int) -> Part:
    rows = 0
    with made.cursor() as cursor:  # type: ignore[attr-defined]
        with cursor.copy(copy) as sending:
            for batch in batches:
                nul = column_with_nul(batch)
                if nul is not None:
                    return Part(task=task, rows=0, problem=_told(nul))
                sending.write(as_csv(batch, task))
                rows += batch.num_rows
        made.commit()  # type: ignore[attr-defined]
    return Part(task=task, rows=rows)


def _told(name: str) -> str:
    return f"column {name!r} holds a NUL character (\\u0000), which a text of PostgreSQL can't"


def as_csv(batch: RecordBatch, task: int) -> bytes:
    """A batch as CSV, behind it the number of the task."""
    import pyarrow as pa
    from pyarrow import csv

    # Arrow writes instants with a zone twenty times slower; the server's session is in UTC, as they are.
    plain = [column.cast(pa.timestamp("us")) if _zoned(column.type) else column for column in batch.columns]
    unzoned = pa.RecordBatch.from_arrays(plain, names=batch.schema.names)
    marked = unzoned.append_column(TASK, pa.repeat(pa.scalar(task, pa.int64()), batch.num_rows))
    sink = io.BytesIO()
    csv.write_csv(marked, sink, csv.WriteOptions(include_header=False, batch_size=max(batch.num_rows, 1)))
    return sink.getvalue()


def _zoned(kind: Any) -> bool:
    import pyarrow as pa

    return pa.types.is_timestamp(kind) and kind.tz is not None


def column_with_nul(batch: RecordBatch) -> str | None:
    """The first column of texts with a NUL in it."""
    import pyarrow as pa
    import pyarrow.compute as pc  # type: ignore[import-untyped]

    for item, values in zip(batch.schema, batch.columns, strict=True):
        text = pa.types.is_string(item.type) or pa.types.is_large_string(item.type)
        if text and pc.any(pc.match_substring(values, "\0")).as_py():
            return str(item.name)
    return None
