"""How a Delta table takes a window by key: look, keep what stands beside it, commit once, look again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import Commit, committing
from spark_jobs.load import scope
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.by_key import DELETED, Cdc, Keyed, Scd2, names
from spark_jobs.load.changes import CHANGE, Changes, changes_of
from spark_jobs.load.histories import CURRENT, FROM, TO, Histories
from spark_jobs.load.literals import typed_literal
from spark_jobs.load.merging import Merging, fitting
from spark_jobs.load.new_table import ensure_table
from spark_jobs.load.side import evolve
from spark_jobs.report import LoadReceipt

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

PROPERTIES: Final = {"delta.enableDeletionVectors": "true"}
"""A MERGE that marks rows as gone, in place of writing their files anew, is five times as fast."""
_UNKNOWN: Final = -2  # a version of the side table that it never has


@dataclass(frozen=True, kw_only=True)
class ByKey:
    """One load of one window by key.

    Args:
        write: the strategy.
        scope: column -> value: the rows that are this load's.
        partition_by: columns that lay the table out.
        attempt: who writes.
    """

    write: Keyed
    scope: Mapping[str, Any]
    partition_by: tuple[str, ...]
    attempt: Attempting

    def publish(self, rows: DataFrame, staged: int) -> LoadReceipt:
        """Publish staged rows; see Delta.publish."""
        if self.attempt.superseded():
            return self._lost()
        work = self._work(self._begin(rows))
        if not self._prepare(work, staged):
            return self._lost()
        (receipt, known), tries = committing(lambda: self._commit(work, staged))
        receipt.attempts = tries
        work.settle(known, self._repair)
        return receipt

    def found_again(self, commit: Commit) -> LoadReceipt:
        """The receipt of a commit that an earlier try made; what it may have left undone is done."""
        self._again().settle(_UNKNOWN, self._repair)
        return self._receipt("already_done", commit, -1)

    def _lost(self) -> LoadReceipt:
        commit = self.attempt.found()
        return self.found_again(commit) if commit else self._receipt("superseded", None, -1)

    def _commit(self, work: Merging | Histories, staged: int) -> tuple[LoadReceipt, int]:
        if self.attempt.superseded():
            return self._lost(), _UNKNOWN
        known, entry = [_UNKNOWN], self.attempt.entry(staged)
        commit = self.attempt.commit(
            lambda: known.append(work.commit(self.attempt.unit.key, self.attempt.number, entry))
        )
        return self._receipt("loaded" if commit else "superseded", commit, staged), known[-1]

    @property
    def _repair(self) -> dict[str, Any]:
        """What a commit says that puts right what came between."""
        return {"repairs": self.attempt.unit.key, "pipeline": self.attempt.context.plan.id}

    @property
    def _spark(self) -> SparkSession:
        return self.attempt.context.spark

    @property
    def _where(self) -> str:
        return self.attempt.context.where

    @property
    def _table(self) -> DataFrame:
        return self._spark.read.format("delta").load(self.attempt.path)

    def _begin(self, rows: DataFrame) -> Changes:
        """What the window does; the table is there afterwards, with all columns."""
        spark, where, path = self._spark, self._where, self.attempt.path
        changes = changes_of(self.write, rows, self.attempt.context.plan.window, where)
        table = self._table.schema if self.attempt.ledger.version() is not None else None
        scoped = scope.with_columns(changes.rows, self.scope, table, where)
        spelled = [next(name for name in scoped.columns if name.lower() == wanted.lower()) for wanted in self.scope]
        keys = tuple(dict.fromkeys((*changes.keys, *spelled)))
        changes = Changes(
            rows=scoped,
            keys=keys,
            own=changes.own,
            sequence=changes.sequence,
            deletes=changes.deletes,
            truncates=changes.truncates,
        )
        schema = self._schema(changes)
        properties = {**PROPERTIES, self.attempt.claim.key: self.attempt.claim.value}
        ensure_table(spark, path, schema, self.partition_by, properties)
        evolve(spark, path, schema)
        return fitting(changes, self._table.schema, where)

    def _schema(self, changes: Changes) -> StructType:
        """The table's columns: those of the rows and those of the strategy."""
        from pyspark.sql import types as T  # noqa: N812 - the name that every Spark user knows

        fields = [field for field in changes.rows.schema if field.name != CHANGE]
        if instants := self._instant:
            kind = changes.rows.schema[instants].dataType
            there = {field.name.lower() for field in fields}
            versions = [(FROM, kind), (TO, kind), (CURRENT, T.BooleanType())]
            fields += [T.StructField(name, kind) for name, kind in versions if name not in there]
        if getattr(self.write, "soft_delete", False):
            fields.append(T.StructField(DELETED, T.BooleanType()))
        return T.StructType([T.StructField(field.name, field.dataType) for field in fields])

    @property
    def _instant(self) -> str | None:
        """The column with an event's instant, where the table holds histories."""
        return getattr(self.write, "valid_from", None)

    def _work(self, changes: Changes) -> Merging | Histories:
        """Who does it."""
        schema = changes.rows.schema
        literals = {name: typed_literal(name, value, schema, self._where) for name, value in self.scope.items()}
        spark, instant = self._spark, self._instant
        if instant is None:
            assert not isinstance(self.write, Scd2)  # noqa: S101 - for mypy
            return Merging(spark=spark, path=self.attempt.path, write=self.write, changes=changes, scope=literals)
        return Histories(
            spark=spark,
            path=self.attempt.path,
            changes=changes,
            valid_from=instant,
            track=self._tracked(changes, instant),
            unit=self.attempt.unit,
            window=self.attempt.context.plan.window,
            scope=literals,
        )

    def _tracked(self, changes: Changes, instant: str) -> tuple[str, ...]:
        track = getattr(self.write, "track", "all")
        if track != "all":
            return tuple(track)
        apart = {name.lower() for name in (*changes.keys, *changes.sequence, instant, FROM, TO, CURRENT)}
        return tuple(name for name in changes.columns if name.lower() not in apart)

    def _again(self) -> Merging | Histories:
        """Who looks again after a commit that an earlier try has made; it knows no rows."""
        from pyspark.sql import functions as F  # noqa: N812

        rows = self._table.limit(0).withColumn(CHANGE, F.lit(0))
        own = self.write.keys
        spelled = {name.lower(): name for name in rows.columns}
        keys = [spelled.get(name.lower(), name) for name in (*own, *self.scope)]
        sequence = names(self.write.sequence) or tuple(getattr(self.write, "adds", {}))[:1]
        logged = isinstance(self.write, Cdc)
        deletes = logged or getattr(self.write, "delete_when", None) is not None
        sequence = () if isinstance(self.write, Scd2) and not self.write.sequence else sequence
        changes = Changes(rows=rows, keys=tuple(keys), own=own, sequence=sequence, deletes=deletes, truncates=logged)
        return self._work(changes)

    def _prepare(self, work: Merging | Histories, staged: int) -> bool:
        """Write what stands beside the table; whether the attempt may go on."""
        if isinstance(work, Merging):
            work.refuse_ambiguous(self._where)
            work.bury()
            return True
        return work.keep(staged, self.attempt.number, self._where)

    def _receipt(self, state: Any, commit: Commit | None, staged: int) -> LoadReceipt:
        """What the table's log says of the commit.

        Raises:
            InfrastructureError: more rows than were staged have come in.
        """
        metrics = commit.metrics if commit else {}
        told = {kind: int(metrics.get(f"numTargetRows{kind}", 0)) for kind in ("Inserted", "Updated", "Deleted")}
        if (
            self._instant is None
            and told["Inserted"] + told["Updated"] > staged >= 0
            and not isinstance(self.write, Cdc)
        ):
            raise InfrastructureError(
                f"{told['Inserted'] + told['Updated']} rows came in, {staged} were staged",
                where=self.attempt.path,
                expected="no more rows than were staged",
                remedy="run the window again",
            )
        return LoadReceipt(
            strategy=self.write.strategy,
            state=state,
            table=self.attempt.path,
            rows_inserted=told["Inserted"],
            rows_updated=told["Updated"],
            rows_deleted=told["Deleted"],
            version=commit.version if commit else None,
        )
