"""How a table takes a window by key: look, keep what stands beside it, commit once, look again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.audit import AUDIT
from spark_jobs.columns import column
from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import Commit, committing, owes, owing
from spark_jobs.load import scope
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.by_key import DELETED, Cdc, Keyed, Merge, Scd2, names
from spark_jobs.load.changes import CHANGE, UPSERT, Changes, changes_of
from spark_jobs.load.growing import Growth, NewColumns, growth
from spark_jobs.load.histories import CURRENT, FROM, TO, Histories
from spark_jobs.load.keeping import keep
from spark_jobs.load.lake import Lake
from spark_jobs.load.literals import typed_literal
from spark_jobs.load.merging import Merging
from spark_jobs.load.side import EVENTS, TOMBSTONES, Side, fitted
from spark_jobs.points import reach
from spark_jobs.report import LoadReceipt

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_NAMED: Final = ("keys", "own", "sequence")


@dataclass(frozen=True, kw_only=True)
class ByKey:
    """One load of one window by key.

    Args:
        write: the strategy.
        scope: column -> value: the rows that are this load's.
        attempt: who writes.
        new_columns: whether columns that the table hasn't got are added.
    """

    write: Keyed
    scope: Mapping[str, Any]
    attempt: Attempting
    new_columns: NewColumns = "evolve"

    def publish(self, rows: DataFrame, staged: int) -> LoadReceipt:
        """Publish staged rows; see Delta.publish."""
        if self.attempt.superseded():
            return self._lost()
        self.attempt.refuse_others()
        changes, grown = self._begin(rows)
        work = self._work(changes)
        for unit in self._debts():
            self._settle(work, unit)
        known = self._units
        if not (keep(self.attempt) and work.prepare(self.attempt.number, known, self._where)):
            return self._lost()
        held = known.get(self.attempt.unit.key)
        (receipt, commit), tries = committing(lambda: self._commit(work, staged, held))
        receipt.grown(grown).attempts = tries
        if commit is not None and owes(commit):
            self._settle(work, self.attempt.unit.key)
        self._refuse_surplus(receipt, staged)
        return receipt

    def found_again(self, commit: Commit) -> LoadReceipt:
        """The receipt of a commit that an earlier try made; what it may have left undone is done."""
        if self.attempt.unit.key in self._debts():
            self._settle(self._again(), self.attempt.unit.key)
        return self._receipt("already_done", commit)

    def _lost(self) -> LoadReceipt:
        commit = self.attempt.found()
        return self.found_again(commit) if commit else self._receipt("superseded", None)

    def _commit(self, work: Merging | Histories, staged: int, held: int | None) -> tuple[LoadReceipt, Commit | None]:
        if self.attempt.superseded():
            return self._lost(), None

        def write() -> None:
            with self._lake.alone():
                # The version first: whoever commits between the two looks is then one who came before our commit.
                entry = self._entry(staged) | {"look": self.attempt.ledger.version()}
                units = self._units
                if isinstance(work, Merging) or self._amends:  # a history counts the events of every number anyway
                    self._refuse_overtaken(self._amends or held, units)
                reach("before commit")
                work.commit(units, self.attempt.number, entry)
            reach("after commit")

        commit = self.attempt.commit(write)
        return self._receipt("loaded" if commit else "superseded", commit), commit

    @property
    def _amends(self) -> int:
        return self.attempt.context.plan.attempt.amends

    def _entry(self, staged: int) -> dict[str, Any]:
        """What the commit says of itself; of a window to which it adds rows, how many it has of all."""
        if not self._amends:
            return self.attempt.entry(staged)
        before = self.attempt.staged_before()
        entry = self.attempt.entry(staged + (before or 0))
        return entry if before is not None else {name: value for name, value in entry.items() if name != "staged"}

    def _refuse_overtaken(self, held: int | None, units: Mapping[str, int]) -> None:
        """See that the window has committed nothing since what stands beside the table was written: it isn't in there.

        Raises:
            InfrastructureError: an earlier attempt, which was thought dead, has.
        """
        if units.get(self.attempt.unit.key) != held:
            raise InfrastructureError(
                "an earlier attempt of the window committed while this one ran",
                where=self._lake.name,
                expected="one attempt at a time",
                remedy="nothing was committed; the retry loads the window anew",
            )

    def _settle(self, work: Merging | Histories, unit: str) -> None:
        """Put right what others have committed between a commit's look and the commit itself; say when that is done."""
        ledger, done = self.attempt.ledger, False

        def write() -> int:
            look = ledger.version() or 0
            entry = {"settled": unit, "pipeline": self.attempt.context.plan.id, "look": look}
            work.settle(self._units, f"etl-settled:{unit}", look + 1, entry)
            return look

        while not done:
            look, _ = committing(write)
            newest = next((commit for commit in ledger.commits() if commit.entry.get("settled") == unit), None)
            done = newest is None or newest.version == look + 1

    def _debts(self) -> list[str]:
        """Units of this load whose commit others came before, and nobody has settled: a process died."""
        if self.attempt.ledger.version() is None:
            return []
        return owing(self.attempt.ledger.commits(), self._prefix)

    @property
    def _prefix(self) -> str:
        return f"etl:{self.attempt.unit.pipeline}:{self.attempt.unit.destination}:"

    @property
    def _units(self) -> dict[str, int]:
        return self.attempt.ledger.units(self.attempt.unit.pipeline, self.attempt.unit.destination)

    @property
    def _spark(self) -> SparkSession:
        return self.attempt.context.spark

    @property
    def _where(self) -> str:
        return self.attempt.context.where

    @property
    def _lake(self) -> Lake:
        return self.attempt.lake

    @property
    def _table(self) -> DataFrame:
        return self._lake.rows()

    def _begin(self, rows: DataFrame) -> tuple[Changes, Growth]:
        """What the window does, and to the table's columns; the table is there afterwards, with all of them."""
        where = self._where
        changes = changes_of(self.write, rows, self.attempt.context.plan.window, where)
        table = self._table.schema if self.attempt.ledger.version() is not None else None
        scoped = scope.with_columns(changes.rows, self.scope, table, where)
        spelled = [next(name for name in scoped.columns if name.lower() == wanted.lower()) for wanted in self.scope]
        keys = tuple(dict.fromkeys((*changes.keys, *spelled)))
        changes = replace(changes, rows=self._within(scoped, spelled), keys=keys)
        schema = self._schema(changes)
        grown = growth(schema, table).refuse(self.new_columns, where)
        self._lake.ensure(schema, {self.attempt.claim.key: self.attempt.claim.value}, self._where)
        held = self._table.schema
        return replace(changes, **self._fitted(changes, held)), grown

    def _within(self, rows: DataFrame, spelled: Sequence[str]) -> DataFrame:
        """Deletes and truncates are of the load's scope, whatever their records leave out."""
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        if not isinstance(self.write, Cdc):
            return rows
        own = {
            name: F.when(F.col(CHANGE) == UPSERT, column(name)).otherwise(
                F.expr(typed_literal(name, self.scope[wanted], rows.schema, self._where))
            )
            for name, wanted in zip(spelled, self.scope, strict=True)
        }
        return rows.withColumns(own) if own else rows

    def _fitted(self, changes: Changes, table: StructType) -> dict[str, Any]:
        """The changes with all of the table's columns: what a row hasn't got is null, whichever window lacks it."""
        from pyspark.sql import functions as F  # noqa: N812

        rows = fitted(changes.rows, table, self._where)
        there = {name.lower(): name for name in rows.columns}
        made = {FROM, TO, CURRENT} if self._instant else {DELETED}
        missing = {
            item.name: F.lit(None).cast(item.dataType)
            for item in table
            if item.name.lower() not in there and item.name not in made
        }
        named = {option: tuple(there[name.lower()] for name in getattr(changes, option)) for option in _NAMED}
        return {"rows": rows.withColumns(missing) if missing else rows, **named}

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
        instant, unit = self._instant, self.attempt.unit
        if instant is None:
            assert not isinstance(self.write, Scd2)  # noqa: S101 - for mypy
            return Merging(
                lake=self._lake,
                write=self.write,
                changes=changes,
                tombstones=self._side(TOMBSTONES),
                unit=unit.key,
                scope=literals,
            )
        return Histories(
            spark=self._spark,
            lake=self._lake,
            changes=changes,
            valid_from=instant,
            track=self._tracked(changes, instant),
            events=self._side(EVENTS),
            unit=unit.key,
            amends=self._amends,
            timezone=self.attempt.context.plan.window.timezone,
            scope=literals,
        )

    def _side(self, kind: str) -> Side:
        unit = self.attempt.unit
        return Side(table=self._lake, kind=kind, pipeline=unit.pipeline, load=unit.destination)

    def _tracked(self, changes: Changes, instant: str) -> tuple[str, ...]:
        track = getattr(self.write, "track", "all")
        if track != "all":
            return tuple(track)
        apart = {name.lower() for name in (*changes.keys, *changes.sequence, instant, FROM, TO, CURRENT, *AUDIT)}
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

    def _receipt(self, state: Any, commit: Commit | None) -> LoadReceipt:
        """What the table's log says of the commit."""
        metrics = commit.metrics if commit else {}
        return LoadReceipt(
            strategy=self.write.strategy,
            state=state,
            table=self._lake.name,
            rows_inserted=int(metrics.get("numTargetRowsInserted", 0)),
            rows_updated=int(metrics.get("numTargetRowsUpdated", 0)),
            rows_deleted=int(metrics.get("numTargetRowsDeleted", 0)),
            version=commit.version if commit else None,
        )

    def _refuse_surplus(self, receipt: LoadReceipt, staged: int) -> None:
        """See that no more rows came in than were staged; an event of a stream may bring two: it moves a key.

        Raises:
            InfrastructureError: more did; a key stands in the table twice.
        """
        came = receipt.rows_inserted + receipt.rows_updated
        if came > staged and isinstance(self.write, Merge):
            raise InfrastructureError(
                f"{came} rows came in, {staged} were staged",
                where=self._lake.name,
                expected="no more rows than were staged",
                remedy="a key stands in the table more than once: it was loaded by another strategy before",
            )
