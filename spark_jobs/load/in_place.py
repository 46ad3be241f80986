"""Rows that are written under a Delta table where no reader sees them, checked there, and committed as they are.

Staged files would have to be written a second time to become the table's. The files are Delta's own writer's
(`OptimisticTransaction.writeFiles`), with its statistics and layout; only a commit that names them makes them part of
the table, and VACUUM removes those of an attempt that died. Tables of which Delta asks more than columns and a layout
get a copy of staged rows: what it does for them is done where it writes and commits at once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import column
from spark_jobs.settings import changed, own
from spark_jobs.transaction import Transaction

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import StructType

# Settings that change nothing about which rows a table takes, or what goes with a commit.
_HARMLESS: Final = (
    "delta.checkpoint",
    "delta.dataSkipping",
    "delta.deletedFileRetentionDuration",
    "delta.enableDeletionVectors",
    "delta.logRetentionDuration",
    "delta.parquet.",
    "delta.setTransactionRetentionDuration",
    "delta.targetFileSize",
    "delta.feature.deletionVectors",
)
_ASKED: Final = {
    "spark.databricks.delta.stats.collect": "true",  # the rows of a file are counted there
    "spark.databricks.delta.autoCompact.enabled": "false",  # it would go with the commit that writes
}


_SORT: Final = "etl_refused"  # VACUUM looks into no folder whose name begins with an underscore
# Files of both sorts are open at once: without this Spark sorts the rows by them. Each holds a row group in memory.
_WRITERS: Final = "spark.sql.maxConcurrentOutputFileWriters"
_FEW_WRITERS: Final = 4


@dataclass(frozen=True, kw_only=True)
class Written:
    """Files of a table that no commit names yet.

    Args:
        spark: the session that wrote them.
        transaction: in which they were written; it never commits.
        files: Delta's actions that add them (a Scala sequence).
        rows: how many rows they hold, by Delta's own count while it wrote.
        columns: of the dataset, in its order; the table may have the strategy's too.
        refused: the files of rows that a check will set aside, beside `files`; None where nobody asked for them while
            the rows were written.
        named: holds something from when a commit was made that names them: it may have gone through, whatever it says.
    """

    spark: SparkSession
    transaction: Transaction
    files: Any
    rows: int
    columns: tuple[str, ...]
    refused: Written | None = None
    named: list[bool] = field(default_factory=list)

    def read(self) -> DataFrame:
        """Their rows alone, as the dataset."""
        from pyspark.sql import DataFrame as Frame

        return Frame(self.transaction.frame_of(self.files), self.spark).select([column(name) for name in self.columns])

    @property
    def statistics(self) -> list[str]:
        """What Delta has noted of each file while it wrote, as JSON."""
        return self.transaction.statistics(self.files)

    def fits(self, transaction: Transaction) -> bool:
        """Whether they still fit the table: it was neither made anew nor laid out otherwise since they were written."""
        return self.transaction.form == transaction.form

    @property
    def are_there(self) -> bool:
        """Whether nobody has removed one of them: to VACUUM they are files that the table doesn't need."""
        return not self.transaction.missing(self.files)

    @property
    def whole(self) -> Written:
        """All that was written, in one: what is checked."""
        if self.refused is None:
            return self
        files = self.transaction.together(self.files, self.refused.files)
        return replace(self, files=files, rows=self.rows + self.refused.rows, refused=None)

    def delete(self) -> None:
        """Remove them: nothing will commit them any more."""
        self.transaction.delete(self.whole.files)


def write(  # noqa: PLR0913 - what is written, and what it is held against
    spark: SparkSession,
    path: str,
    rows: DataFrame,
    columns: Sequence[str],
    apart: Collection[str],
    *,
    ordered: bool,
    refused: Column | None = None,
) -> Written | None:
    """Write rows under a table.

    Args:
        spark: a classic session.
        path: the table's folder or URI; the table is there.
        rows: with the table's columns and types.
        columns: those of the dataset.
        apart: columns that hold one value, given by the load.
        ordered: whether the rows' columns must stand in the table's order.
        refused: whether a check will set a row aside: such rows get files of their own, so that nothing is written
            anew when they go.

    Returns:
        The files; None where the table asks for more, and nothing was written.
    """
    transaction = Transaction(spark, path)
    plain = _asks_no_more(transaction, rows.schema, apart)
    if not plain or not same_columns(rows.schema, transaction.columns, ordered=ordered):
        return None
    if any((own(spark, key) or value) != value for key, value in _ASKED.items()):
        return None
    made = partial(Written, spark=spark, transaction=transaction, columns=tuple(columns))
    if refused is None or _SORT in {name.lower() for name in rows.columns}:
        files, count = transaction.write(rows)
        return made(files=files, rows=count)
    writers = max(_FEW_WRITERS, int(spark.conf.get(_WRITERS, None) or 0))
    with changed(spark, _WRITERS, str(writers)):
        kept, aside = transaction.write_apart(rows.withColumn(_SORT, refused), _SORT)
    return made(files=kept, rows=transaction.rows_of(kept), refused=made(files=aside, rows=transaction.rows_of(aside)))


def _asks_no_more(transaction: Transaction, rows: StructType, apart: Collection[str]) -> bool:
    """Whether a table takes any rows of its columns and types, and reads them back as they were written."""
    surely = {field.name for field in rows if not field.nullable}
    layout = transaction.layout
    for item in transaction.columns:
        if set(item.metadata) - {"comment"} or not (item.nullable or item.name in surely):
            return False  # generated, identity, char(n), NOT NULL: a row may break it that a check would set aside
        if item.name in layout and item.name not in apart and item.dataType.typeName() == "string":
            return False  # the empty text comes back as null from the name of a folder
    return transaction.records_no_changes and all(key.startswith(_HARMLESS) for key in transaction.settings)


def same_columns(rows: StructType, table: StructType, *, ordered: bool) -> bool:
    """Whether rows have a table's columns, no more and no less, spelled alike and of the same types."""

    def told(schema: StructType) -> list[tuple[str, str]]:
        found = [(field.name, field.dataType.simpleString()) for field in schema]
        return found if ordered else sorted(found)

    return told(rows) == told(table)
