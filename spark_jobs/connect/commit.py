"""A commit of a Delta table over Spark Connect: Delta's own writer, made to commit the very next version or none.

Delta drops a commit whose unit holds as large a number already, inside its transaction, and never rebases this one:
whoever commits meanwhile makes it fail, and the caller looks again. What came between the look and the transaction's
start is asked of the log afterwards: the entry says which version was looked at.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.ledger import Commit, Ledger
from spark_jobs.load import scope
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.reaching import Reading, refuse_overtaken
from spark_jobs.load.strategies import Append, Strategy
from spark_jobs.settings import changed

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_TRIES: Final = "spark.databricks.delta.maxCommitAttempts"


@dataclass(frozen=True, kw_only=True)
class ConnectCommit:
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
            ConfigError: the attempt adds to another one.
            DataError: a window cuts through one that is loaded (append).
            InfrastructureError: a part of the span was loaded from a later reading.
        """
        if self.attempt.context.plan.attempt.amends:
            raise ConfigError(
                "rows of the quarantine can't be run again over Spark Connect",
                where="engine connect",
                remedy="run the window again, or use an engine of kind local or spark_submit",
            )
        ledger = Ledger(self._spark, self.path)
        ledger.look_again()
        units, look = ledger.units_of_all(), ledger.version()
        if units.get(self.attempt.unit.key, -1) < self.attempt.number:
            self._demand(ledger, units)
            told = self.reading.told() if self.reading is not None else {}
            self._commit(self._guarded(rows), self.attempt.entry(staged) | told | {"looked": look})
        commit = ledger.find(self.attempt.unit)
        if commit is not None and commit.by(self.attempt.context.plan.attempt.token):
            demand_after(ledger, commit, self.reading)

    def _demand(self, ledger: Ledger, units: Mapping[str, int]) -> None:
        self.attempt.see_none_newer(units)
        if isinstance(self.write, Append):
            found = self._table.where(self._overlap()).select("_window_start", "_window_end").first()
            if found is not None:
                raise DataError(
                    f"window {self.attempt.context.plan.window} cuts through "
                    f"{found['_window_start']}/{found['_window_end']}",
                    where=self.path,
                    expected="the windows loaded before, or one that covers them",
                    remedy="run a window that covers both",
                )
        if self.reading is not None:
            refuse_overtaken(ledger.entries, units, self.reading, self.path)

    def _guarded(self, rows: DataFrame) -> DataFrame:
        """Rows that fail inside the transaction where a window is there by then that this one cuts through (append).

        Delta answers a read of the table that it writes from the very state that its transaction builds on.
        """
        if not isinstance(self.write, Append):
            return rows
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        cut = self._table.where(self._overlap()).agg(F.count(F.lit(1)).alias("etl_cut"))
        names = rows.columns
        guard = F.when(F.col("etl_cut") == 0, F.lit(True)).otherwise(
            F.raise_error(F.lit("DELTA_CONCURRENT: a window was loaded meanwhile that this one cuts through"))
        )
        return rows.crossJoin(F.broadcast(cut)).where(guard.cast("boolean")).select(*[F.col(f"`{n}`") for n in names])

    def _overlap(self) -> str:
        context = self.attempt.context
        assert isinstance(self.write, Append)  # noqa: S101 - for mypy
        inside = [scope.condition(self.scope, self._table.schema, context.where)] if self.scope else []
        return " AND ".join([f"({self.write.overlap(context.plan.id, context.plan.window)})", *inside])

    def _commit(self, rows: DataFrame, entry: Mapping[str, Any]) -> None:
        writer = rows.write.format("delta").mode("overwrite").options(**self.options)
        writer = writer.partitionBy(*self.partition_by) if self.partition_by else writer
        writer = writer.option("txnAppId", self.attempt.unit.key).option("txnVersion", str(self.attempt.number))
        try:
            with changed(self._spark, _TRIES, "0"):
                writer.option("userMetadata", json.dumps({"etl": dict(entry)})).save(self.path)
        finally:
            Ledger(self._spark, self.path).look_again()

    @property
    def _table(self) -> DataFrame:
        return self._spark.read.format("delta").load(self.path)

    @property
    def _spark(self) -> SparkSession:
        return self.attempt.context.spark


def demand_after(ledger: Ledger, commit: Commit, reading: Reading | None) -> None:
    """See that nobody came between the look and the transaction who had read later.

    Args:
        ledger: the table's.
        commit: what was made; its entry says which version was looked at before.
        reading: what it replaced, as other loads see it.

    Raises:
        DataError: somebody has.
    """
    look, newest = commit.entry.get("looked"), ledger.version()
    if look is None or newest is None or commit.version == look + 1 or reading is None:
        return
    between = [other.entry for other in ledger.commits(newest - look) if look < other.version < commit.version]
    named = [entry for entry in reversed(between) if "number" in entry and entry.get("unit") != reading.unit]
    entries = {str(entry["unit"]): entry for entry in named if "unit" in entry}
    units = {key: int(entry["number"]) for key, entry in entries.items()}
    try:
        refuse_overtaken(lambda: entries, units, reading, ledger.path)
    except (DataError, InfrastructureError) as late:
        # No retry: it would find the commit of its own token, and ask the same again.
        raise _came_between(str(late), ledger.path) from late
    if any("refresh" in entry for entry in between):
        raise _came_between("the table was refreshed", ledger.path)


def _came_between(what: str, where: str) -> DataError:
    return DataError(
        f"somebody came between the look at the table and the commit: {what}",
        where=where,
        expected="rows as new as those that they replace",
        remedy="clear the run: it reads its sources again, and replaces what it has published",
    )
