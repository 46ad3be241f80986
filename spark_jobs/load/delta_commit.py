"""One commit of a Delta table that puts a window's rows in the place of others, and enters them in the ledger.

Everything that must hold for it is asked of the state that the transaction builds on: what comes between that and the
commit makes it fail with a conflict, after which the caller looks again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.ledger import Ledger
from spark_jobs.load import in_place, scope
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.reaching import Reading, refuse_overtaken
from spark_jobs.load.strategies import Append, Strategy
from spark_jobs.transaction import Transaction

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, kw_only=True)
class DeltaCommit:
    """A commit.

    Args:
        attempt: whose.
        path: the table's folder or URI; the table is there.
        write: the strategy.
        scope: column -> value: the rows that are the pipeline's.
        partition_by: columns that lay the table out.
        options: of the Delta writer: what is replaced.
        reading: what is replaced, as other loads see it; None where the ledger's numbers alone decide who is newer.
    """

    attempt: Attempting
    path: str
    write: Strategy
    scope: Mapping[str, str | int | bool]
    partition_by: Sequence[str]
    options: Mapping[str, str]
    reading: Reading | None

    def make(self, rows: DataFrame, staged: int) -> None:
        """Commit; nothing happens where the ledger says that another attempt came first.

        Args:
            rows: what comes, as the table holds it.
            staged: how many rows that are.

        Raises:
            Newer: rows of the same unit that were read later are there.
            DataError: a window cuts through one that is loaded (append); or a part of the span was loaded from a later
                reading, and this attempt can't read again.
            InfrastructureError: the same, and it can; or files that were written for the window are gone.
        """
        unit, number = self.attempt.unit.key, self.attempt.number
        transaction = Transaction(self._spark, self.path)
        if not self._may_follow(transaction.units):
            return
        transaction.look_out(self.attempt.unit)
        self._demand(transaction)
        written = self._fitting(transaction)
        entry = self._put(transaction, rows, staged, written)
        transaction.record({unit: number})
        self._demand_again(transaction)
        if written is not None:
            self._refuse_gone(written)
            written.named.append(True)
        transaction.commit(entry)

    @property
    def _spark(self) -> SparkSession:
        return self.attempt.context.spark

    @property
    def _amends(self) -> int:
        return self.attempt.context.plan.attempt.amends

    def _may_follow(self, units: Mapping[str, int]) -> bool:
        """Whether the attempt comes next; one that adds rows does where the ledger names the one that it adds to."""
        held = units.get(self.attempt.unit.key, -1)
        return held == self._amends if self._amends else held < self.attempt.number

    def _demand(self, transaction: Transaction) -> None:
        """See that the table, as a transaction sees it, may take the rows."""
        self.attempt.see_none_newer(transaction.units)
        self._refuse_cut(transaction.version)
        if self.reading is not None:
            entries = Ledger(self._spark, self.path).entries
            refuse_overtaken(entries, transaction.units, self.reading, self.path)

    def _demand_again(self, transaction: Transaction) -> None:
        """The same of what came while rows were written: not all of it touches the files that this commit does."""
        if Ledger(self._spark, self.path).version() != transaction.version:
            self._demand(Transaction(self._spark, self.path))

    def _refuse_cut(self, version: int) -> None:
        """See that no rows are there of a window that overlaps this one and isn't covered by it (append)."""
        if not isinstance(self.write, Append):
            return
        context = self.attempt.context
        table = self._table(version)
        inside = [scope.condition(self.scope, table.schema, context.where)] if self.scope else []
        overlap = " AND ".join([f"({self.write.overlap(context.plan.id, context.plan.window)})", *inside])
        found = table.where(overlap).first()
        if found is not None:
            raise DataError(
                f"window {context.plan.window} cuts through {found['_window_start']}/{found['_window_end']}",
                where=self.path,
                expected="the windows loaded before, or one that covers them",
                remedy="run a window that covers both",
            )

    def _table(self, version: int) -> DataFrame:
        return self._spark.read.format("delta").option("versionAsOf", version).load(self.path)

    def _fitting(self, transaction: Transaction) -> in_place.Written | None:
        """Files that are there already; None where the table has changed since, so that rows must be copied."""
        written = self.attempt.context.written
        return written if written is not None and written.fits(transaction) else None

    def _put(
        self, transaction: Transaction, rows: DataFrame, staged: int, written: in_place.Written | None
    ) -> dict[str, Any]:
        """Say what comes and what goes; the commit's entry."""
        told = self.reading.told() if self.reading is not None else {}
        if written is not None:
            deleted = transaction.put(written.files, written.rows, self.options.get("replaceWhere"))
            # Delta's own history leaves it out where nothing came in their place.
            counted = {"deleted": deleted} if "replaceWhere" in self.options and deleted is not None else {}
            return self.attempt.entry(staged) | told | counted
        if self._amends:
            held = self._table(transaction.version).where(self.options["replaceWhere"])
            rows, staged = held.unionByName(rows, allowMissingColumns=True), held.count() + staged
        transaction.replace(rows, self.options, self.partition_by)
        return self.attempt.entry(staged) | told

    def _refuse_gone(self, written: in_place.Written) -> None:
        if not written.are_there:
            raise InfrastructureError(
                "files that were written for this window are gone: a VACUUM has removed them",
                where=self.path,
                expected="a VACUUM that spares files younger than a run takes",
                remedy="nothing was published; run the window again",
            )
