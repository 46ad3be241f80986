"""Rows that a task of Spark publishes as they arrive: the transaction is the task's, and there is no staging table.

The server writes each row once. The table's lock is held for as long as the rows take, and one connection brings them
all, so this is for loads of a moderate size; more are staged by many tasks (stage.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from spark_jobs import points
from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError, ResourceError
from spark_jobs.load.databases.base import Column, Cursor, Database
from spark_jobs.load.databases.books import Entry
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.sending import Unfit
from spark_jobs.load.databases.shape import Shape
from spark_jobs.load.databases.stage import refused, wired
from spark_jobs.load.databases.transacting import Outcome, Transaction

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]
    from pyspark.sql import DataFrame

FEW: Final = 2_000_000
"""Rows of a load that one task publishes."""
_TOLD: Final = "told STRING"
_KINDS: Final = {kind.kind: kind for kind in (ConfigError, DataError, ResourceError, InfrastructureError)}


class Again(Exception):  # noqa: N818 - no error of the program: the same may be tried once more
    """The server gave way to another transaction, or the connection broke.

    Args:
        error: as it is told where that was the last try.
    """

    def __init__(self, error: EtlError) -> None:
        super().__init__(str(error))
        self.error = error


@dataclass(frozen=True, kw_only=True)
class Arriving:
    """Rows as a task gets them.

    Args:
        database: where they go.
        rows: how many there are.
        batches: the rows, to be gone through once.
    """

    database: Database
    rows: int
    batches: Iterator[RecordBatch]

    def settle(self, cursor: Cursor) -> None:
        """They haven't come yet: `insert` counts them."""

    def insert(self, cursor: Cursor, table: TableName, columns: Sequence[Column]) -> int:
        """Send them into the table."""
        return self.database.send(cursor, table, columns, self.batches)


def publish(rows: DataFrame, expected: int, shape: Shape, transaction: Transaction, where: str) -> Outcome:
    """Publish rows by one task; where there is none, from here.

    Args:
        rows: as the shape says.
        expected: how many there are.
        shape: rows' column -> the table's.
        transaction: what the task does.
        where: place in the pipeline file.

    Raises:
        Again: the same may be tried once more.
        EtlError: it can't be published.
    """
    table = str(transaction.books.table)
    if not expected:
        return _read(_told(transaction, 0, iter(())), where, table)
    names, carried = list(shape.columns), points.carried()

    def load(asked: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
        import pyarrow as pa

        batches = iter(asked)
        first = next(batches, None)
        if first is not None:
            named = (batch.rename_columns(names) for batch in chain([first], batches))
            with points.telling(carried):
                told = _told(transaction, expected, named)
            yield pa.RecordBatch.from_pylist([{"told": told}])

    found = rows.coalesce(1).select(*wired(transaction.books.database, rows, shape)).mapInArrow(load, _TOLD).collect()
    if not found:
        raise InfrastructureError(
            f"no row came, {expected} were checked", where=where, remedy="nothing was published; run it again"
        )
    return _read(found[0]["told"], where, table)


def _told(transaction: Transaction, expected: int, batches: Iterator[RecordBatch]) -> str:
    """Publish, and say in JSON how it ended: what is raised on an executor loses its class on the way."""
    database, table = transaction.books.database, str(transaction.books.table)
    try:
        source = Arriving(database=database, rows=expected, batches=batches)
        done = transaction.run(source, sending=True)
        return json.dumps({"entry": done.entry and asdict(done.entry), "found": done.found}, default=_iso)
    except Unfit as why:
        return json.dumps({"unfit": str(why)})
    except EtlError as error:
        return json.dumps(_of(error))
    except database.errors() as error:
        again = database.passes(error) or database.lost(error)
        found = database.explained(error, table)
        if found.kind == "data" and not again:
            return json.dumps({"unfit": found.what})
        return json.dumps({**_of(found), "again": again})


def _of(error: EtlError) -> dict[str, Any]:
    return {"kind": error.kind, "error": [error.what, error.where, error.expected, error.remedy]}


def _iso(value: Any) -> str:
    assert isinstance(value, datetime)  # noqa: S101 - nothing else is no JSON
    return value.isoformat()


def _read(text: str, where: str, table: str) -> Outcome:
    told = json.loads(text)
    if "unfit" in told:
        raise refused(told["unfit"], where, table)
    if "error" in told:
        what, place, expected, remedy = told["error"]
        error = _KINDS[told["kind"]](what, where=place, expected=expected, remedy=remedy)
        raise Again(error) if told.get("again") else error
    entry = told["entry"]
    if entry is not None:
        moments = {name: datetime.fromisoformat(entry[name]) for name in ("start", "end")}
        entry = Entry(**{**entry, **moments})
    return Outcome(entry=entry, found=told["found"])
