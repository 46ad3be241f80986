"""Rows into PostgreSQL by COPY: in its binary form where every column has one, else as CSV; runs on executors."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from spark_jobs.load.databases.base import Column
from spark_jobs.load.databases.names import TASK
from spark_jobs.load.databases.postgres_binary import HEADER, TRAILER, as_binary, forms_of

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]


def copy(cursor: Any, into: str, columns: Sequence[Column], batches: Iterator[RecordBatch], task: int | None) -> int:
    """Copy batches into a table.

    Args:
        cursor: of psycopg.
        into: the table and its columns, `"t" ("a", "b")`; TASK is the last one where a task is told.
        columns: of the table, in the batches' order.
        batches: the rows.
        task: what TASK holds, or None.

    Returns:
        How many rows came in.

    Raises:
        Unfit: a value that a column can't hold.
    """
    first = next(batches, None)
    if first is None:
        return 0
    forms = forms_of(first.schema, columns)
    # As CSV an unquoted nothing is null, "" is the empty text: pyarrow quotes every text.
    said = "csv" if forms is None else "binary"
    with cursor.copy(f"COPY {into} FROM STDIN (FORMAT {said})".replace("%%", "%")) as sending:
        if forms is not None:
            sending.write(HEADER)
        for batch in chain([first], batches):
            sending.write(as_csv(batch, task) if forms is None else as_binary(batch, forms, task))
        if forms is not None:
            sending.write(TRAILER)
    return int(cursor.rowcount)


def as_csv(batch: RecordBatch, task: int | None) -> bytes:
    """A batch as CSV, behind it the number of the task."""
    import pyarrow as pa
    from pyarrow import csv

    plain = pa.RecordBatch.from_arrays([_plain(column) for column in batch.columns], names=batch.schema.names)
    if task is not None:
        plain = plain.append_column(TASK, pa.repeat(pa.scalar(task, pa.int64()), batch.num_rows))
    sink = io.BytesIO()
    csv.write_csv(plain, sink, csv.WriteOptions(include_header=False, batch_size=max(batch.num_rows, 1)))
    return sink.getvalue()


def _plain(values: Any) -> Any:
    """A column as Arrow writes it well: bytes as the server reads them, instants without a zone.

    Those with one take Arrow twenty times as long; the server's session is in UTC, as they are.
    """
    import pyarrow as pa

    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        texts = [None if value is None else f"\\x{value.hex()}" for value in values.to_pylist()]
        return pa.array(texts, pa.large_string())
    zoned = pa.types.is_timestamp(values.type) and values.type.tz is not None
    return values.cast(pa.timestamp("us")) if zoned else values
