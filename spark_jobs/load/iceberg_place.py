"""How an Iceberg table takes a window by place: stage the files, look, replace what the strategy says, by one swap.

The files are written once. Where somebody else commits meanwhile they stay as they are, and only the look and the swap
are done again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs.columns import column
from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.iceberg.books import Books, commit_of
from spark_jobs.ledger import Commit, committing
from spark_jobs.load import scope
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.covering import current
from spark_jobs.load.growing import NewColumns, growth
from spark_jobs.load.iceberg_lake import IcebergLake, Put
from spark_jobs.load.lake import Mark
from spark_jobs.load.reaching import Reading, reading_of, refuse_overtaken
from spark_jobs.load.side import fitted
from spark_jobs.load.strategies import Append, Snapshot, Strategy
from spark_jobs.points import reach
from spark_jobs.report import LoadReceipt
from spark_jobs.tables.spans import overlaps, window_of_unit
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


@dataclass(frozen=True, kw_only=True)
class Placing:
    """One load of one window.

    Args:
        destination: the load.
        write: its strategy.
        scope: column -> value: the rows that are this load's.
        attempt: who writes.
        lake: the table.
        new_columns: whether columns that the table hasn't got are added.
    """

    destination: Any
    write: Strategy
    scope: Mapping[str, Any]
    attempt: Attempting
    lake: IcebergLake
    new_columns: NewColumns = "evolve"

    def publish(self, rows: DataFrame, staged: int) -> LoadReceipt:
        """Publish staged rows; see Iceberg.publish."""
        if self.attempt.superseded():
            return self._lost()
        self.attempt.refuse_others()
        held = self.lake.rows().schema if self.lake.iceberg.exists() else None
        wanted = self._shaped(rows, held)
        grown = growth(wanted.schema, held).refuse(self.new_columns, self.attempt.context.where)
        shaped, gone = self._fitted(wanted)
        mark = Mark(unit=self.attempt.unit.key, number=self.attempt.number, entry=self._entry(staged))
        columns = self.lake.iceberg.look().columns if staged else {}  # before they are written
        added = self.lake.stage(shaped, mark) if staged else []
        self._balanced(sum(int(file.recordCount()) for file in added), staged)
        condition = self._condition(shaped)
        put = Put(condition=condition, added=added, columns=columns, dropping=gone)
        receipt, tries = committing(lambda: self._commit(put, mark))
        receipt.attempts = tries
        return receipt.grown(grown)

    def _commit(self, put: Put, mark: Mark) -> LoadReceipt:
        if self.attempt.superseded():
            return self._lost()

        def write() -> None:
            reach("before commit")
            self.lake.put(put, mark, self._demand)
            reach("after commit")

        commit = self.attempt.commit(write)
        return self.receipt("loaded" if commit else "superseded", commit)

    def _lost(self) -> LoadReceipt:
        commit = self.attempt.found()
        return self.receipt("already_done" if commit else "superseded", commit)

    def receipt(self, state: Any, commit: Commit | None) -> LoadReceipt:
        """What the ledger says of a commit."""
        entry: Mapping[str, Any] = commit.entry if commit is not None else {}
        return LoadReceipt(
            strategy=self.write.strategy,
            state=state,
            table=self.lake.name,
            rows_inserted=int(entry.get("inserted", 0)),
            rows_deleted=int(entry.get("deleted", 0)),
            version=commit.version if commit else None,
        )

    def _shaped(self, rows: DataFrame, held: StructType | None) -> DataFrame:
        """The rows as the table holds them."""
        context = self.attempt.context
        if self.scope:
            rows = scope.with_columns(rows, self.scope, held, context.where)
        return self.write.shape(rows, context.plan.id, context.plan.window)

    def _fitted(self, shaped: DataFrame) -> tuple[DataFrame, list[str]]:
        """The rows with all columns that the table has then, and those of its columns that go with a snapshot."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        claim = self.attempt.claim
        self.lake.ensure(shaped.schema, {claim.key: claim.value}, self.attempt.context.where)
        held = self.lake.rows().schema
        found = fitted(shaped, held, self.attempt.context.where)
        there = set(found.columns)
        missing = {item.name: F.lit(None).cast(item.dataType) for item in held if item.name not in there}
        gone = list(missing) if isinstance(self.write, Snapshot) and not self.scope else []
        return found.withColumns(missing).select(*[column(item.name) for item in held]), gone

    def _condition(self, shaped: DataFrame) -> str:
        """What is replaced, inside the scope."""
        context = self.attempt.context
        span = self._reading.span if self._reading else context.plan.window
        parts = [self.write.options(shaped, context.plan.id, span, context.where).get("replaceWhere", "")]
        parts += [scope.condition(self.scope, shaped.schema, context.where)] if self.scope else []
        return " AND ".join(filter(None, parts)) or "true"

    @property
    def _reading(self) -> Reading | None:
        context = self.attempt.context
        return reading_of(context.plan, context.dataset, self.destination, self.attempt.unit.key)

    def _entry(self, staged: int) -> dict[str, Any]:
        return self.attempt.entry(staged) | (self._reading.told() if self._reading else {})

    def _demand(self, books: Books) -> None:
        """What the ledger that is swapped must allow."""
        unit, context = self.attempt.unit, self.attempt.context
        booked = books.booked(unit.pipeline, unit.destination)
        units = {key: item.number for key, item in booked.items()}
        self.attempt.see_none_newer(units)
        if self._reading is not None:
            known = {key: commit_of(key, item).entry for key, item in booked.items()}
            refuse_overtaken(lambda: known, units, self._reading, self.lake.name)
        if not isinstance(self.write, Append):
            return
        for key in current(units, context.plan.window.timezone):
            other = window_of_unit(key, context.plan.window.timezone)
            if other is not None and booked[key].staged and _cuts(context.plan.window, other):
                raise DataError(
                    f"window {context.plan.window} cuts through {other}",
                    where=self.lake.name,
                    expected="the windows loaded before, or one that covers them",
                    remedy="run a window that covers both",
                )

    def _balanced(self, written: int, staged: int) -> None:
        """See that all that was staged stands in the files, before anybody sees them."""
        if written != staged:
            raise InfrastructureError(
                f"{written} rows were written, {staged} were staged",
                where=self.lake.name,
                expected="equal counts",
                remedy="nothing was published; clear the run from its extract task on",
            )


def _cuts(mine: Window, other: Window) -> bool:
    """Whether a window overlaps another one without covering it."""
    return overlaps(mine, other) and not (mine.start <= other.start and other.end <= mine.end)
