"""What a task does: send its rows in one transaction of its own. It runs on executors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from spark_jobs.load.databases.base import Column, Database
from spark_jobs.load.databases.names import TableName

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one task has staged.

    Args:
        task: the attempt, unique within the application.
        rows: how many rows it committed.
        problem: why the data can't be stored, in words; None where all is well.
    """

    task: int
    rows: int
    problem: str | None = None


class Unfit(Exception):  # noqa: N818 - no error of the program: the data can't be stored
    """Why the data can't be stored."""


def send(
    database: Database, table: TableName, columns: Sequence[Column], batches: Iterator[RecordBatch], task: int
) -> Part:
    """Send all rows of a task in one transaction; half of one leaves nothing.

    Args:
        database: where they go.
        table: the staging table.
        columns: of the table, in the batches' order.
        batches: the rows.
        task: the attempt, which they carry.

    Raises:
        EtlError: whatever isn't about the data.
    """
    made = database.connect(sending=True)
    try:
        with made.cursor() as cursor:
            rows = database.send(cursor, table, columns, batches, task)
        made.commit()
        return Part(task=task, rows=rows)
    except Unfit as why:
        return Part(task=task, rows=0, problem=str(why))
    except database.errors() as error:
        found = database.explained(error, str(table))
        if found.kind != "data":
            raise found from None
        return Part(task=task, rows=0, problem=found.what)
    finally:
        made.close()
