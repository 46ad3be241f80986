"""Destination `delta`: a Delta table, published in one commit that is also its ledger's entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.connect import is_connect
from spark_jobs.connect.commit import ConnectCommit, demand_after
from spark_jobs.errors import InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.ledger import Commit, Ledger, committing
from spark_jobs.load import dressing, in_place, scope
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.by_key import Cdc, Keyed, Merge, Scd2
from spark_jobs.load.delta_commit import DeltaCommit
from spark_jobs.load.delta_lake import MERGED, DeltaLake
from spark_jobs.load.dressing import Dress
from spark_jobs.load.growing import NewColumns, growth
from spark_jobs.load.keeping import keep
from spark_jobs.load.keyed import ByKey
from spark_jobs.load.limits import unnameable
from spark_jobs.load.new_table import ensure_table
from spark_jobs.load.outside import Outside
from spark_jobs.load.reaching import Reading, reading_of
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot, Strategy
from spark_jobs.load.table import Table
from spark_jobs.lookback import reach_of
from spark_jobs.plan import Plan
from spark_jobs.points import reach
from spark_jobs.report import LoadReceipt
from spark_jobs.upkeep.options import Maintenance, problems

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession
    from pyspark.sql.types import StructType


@dataclass(frozen=True, kw_only=True)
class Delta(Table):
    """A Delta table on any storage that Spark reaches."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: delta
path: ${env.lake}/orders
write: {strategy: replace_window, column: ordered_at}
"""
    type: ClassVar[str] = "delta"
    upkeep: ClassVar[str] = "spark_jobs.upkeep.delta:DeltaUpkeep"
    looks_back: ClassVar[bool] = True
    keeps_what_was_read: ClassVar[bool] = True
    requires: ClassVar[tuple[str, ...]] = ("delta",)

    path: str = field(metadata={"substitute": "text", "path": True})
    """The table's folder or URI."""
    write: ReplaceWindow | Append | Snapshot | Merge | Scd2 | Cdc
    """How rows reach the table, and why a repeat can't harm."""
    partition_by: tuple[str, ...] = field(default=(), metadata={"column": True, "distinct": True})
    """Columns that lay the table out; a local date keeps windows in files of their own. Rows with the empty text in one
    of them are refused: the table would hold null."""
    cluster_by: tuple[str, ...] = field(default=(), metadata={"column": True, "distinct": True, "upkeep": True})
    """Columns by which Delta puts rows together whenever it optimizes: four at most, in place of `partition_by`. It may
    change: what is written from then on follows."""
    properties: Mapping[str, str] = field(default_factory=dict, metadata={"upkeep": True})
    """Properties of the table, such as `delta.dataSkippingNumIndexedCols`; set where the table says something else."""
    comments: Mapping[str, str] = field(default_factory=dict, metadata={"upkeep": True})
    """Column -> what it holds, in words: the table's own comments on its columns, for those who read it."""
    change_feed: bool = False
    """Whether the table records its changes, so that others can read them: source `table` with `changes: true`."""
    new_columns: NewColumns = "evolve"
    """Columns that the rows have and the table hasn't: `evolve` adds them, `freeze` stops before anything is written;
    the report names them, and those that the rows haven't got."""
    scope: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Column -> value: the rows that are this pipeline's, where several load one table. Rows get columns that they
    lack; one that says another value is refused. Partition the table by them: then pipelines never wait."""
    maintenance: Maintenance | None = field(default=None, metadata={"upkeep": True})
    """What is done to the table now and then, by `airflow-etl maintain`, `MaintainOperator` or a DAG of its own."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together: option -> why."""
        anew = isinstance(self.write, Snapshot) and not self.scope
        return dict([*problems(self), *dressing.problems(self._dress, self.partition_by, anew=anew)])

    @property
    def _dress(self) -> Dress:
        return Dress(cluster_by=self.cluster_by, properties=self.properties, comments=self.comments)

    def outside(self, rows: DataFrame, context: Context) -> list[Outside]:
        """Which rows the table can't take; none where every row is taken."""
        return [*super().outside(rows, context), *unnameable(rows, self._layout(context), self.scope)]

    def _layout(self, context: Context) -> tuple[str, ...]:
        """The columns that lay the table out: the file needn't say those of a table that is there."""
        ledger, anew = Ledger(context.spark, self.path), isinstance(self.write, Snapshot) and not self.scope
        if self.partition_by or anew or ledger.version() is None:
            return self.partition_by
        return tuple(ledger.partition_columns())

    def committed(self, name: str, spark: SparkSession, plan: Plan) -> dict[str, int]:
        """Unit -> number, of the windows of this load that the table holds."""
        ledger = Ledger(spark, self.path)
        return ledger.units(plan.id, name) if ledger.version() is not None else {}

    def done(self, name: str, context: Context) -> LoadReceipt | None:
        """The receipt of this attempt's own commit, where an earlier try made it and its result got lost."""
        attempt = self._attempting(name, context)
        commit = attempt.found()
        if commit is None:
            return None
        if isinstance(self.write, Keyed):
            return self._by_key(name, context).found_again(commit)
        return self._found_again(commit, attempt)

    def _found_again(self, commit: Commit, attempt: Attempting) -> LoadReceipt:
        if is_connect(attempt.context.spark):  # it may have died before it looked at what came in between
            demand_after(Ledger(attempt.context.spark, self.path), commit, self._reading(attempt))
        return self._balanced(self._receipt("already_done", commit), int(commit.entry.get("staged", -1)))

    def _reading(self, attempt: Attempting) -> Reading | None:
        context = attempt.context
        return reading_of(context.plan, context.dataset, self, attempt.unit.key)

    def _attempting(self, name: str, context: Context) -> Attempting:
        claim, unit = self.claim(name, context.plan), self.unit(name, context.plan)
        lake = DeltaLake(
            spark=context.spark,
            path=self.path,
            partition_by=self.partition_by,
            made_with=MERGED if isinstance(self.write, Keyed) else None,
            change_feed=self.change_feed,
            dress=self._dress,
        )
        return Attempting(lake=lake, unit=unit, claim=claim, context=context)

    def _by_key(self, name: str, context: Context) -> ByKey:
        assert isinstance(self.write, Keyed)  # noqa: S101 - for mypy
        return ByKey(
            write=self.write, scope=self.scope, attempt=self._attempting(name, context), new_columns=self.new_columns
        )

    def publish(self, name: str, rows: DataFrame, staged: int, context: Context) -> LoadReceipt:
        """Publish staged rows in one commit.

        Args:
            name: the load's name in the pipeline file.
            rows: what was staged and checked.
            staged: how many rows that are.
            context: session and plan.

        Raises:
            ConfigError: the path holds something that is no Delta table, the table is laid out otherwise, or another
                pipeline loads it and no scope parts their rows.
            DataError: a window overlaps an earlier one that it doesn't cover (append), types clash, or columns came and
                the load says `new_columns: freeze`.
            InfrastructureError: the table's log doesn't show the rows that were staged; or another run has published
                rows of the same time that it read later than these.
        """
        if isinstance(self.write, Keyed):
            return self._by_key(name, context).publish(rows, staged)
        held, attempt = self._held(context), self._attempting(name, context)
        shaped = self._shaped(rows, held, context)
        grown = growth(shaped.schema, held).refuse(self.new_columns, context.where)
        properties = {attempt.claim.key: attempt.claim.value}
        shaped = self._dress.commented(shaped)
        ensure_table(context.spark, self.path, shaped.schema, self.partition_by, properties)
        self._dress.put_on(context.spark, self.path, context.where)
        if not keep(attempt):
            return self.done(name, context) or self._receipt("superseded", None)
        receipt, tries = committing(lambda: self._commit(shaped, staged, attempt))
        receipt.attempts = tries
        return (
            self._balanced(receipt.grown(grown), _committed(attempt, staged)) if receipt.state == "loaded" else receipt
        )

    @property
    def _placed(self) -> Strategy:
        """The strategy, where it replaces a place of the table and not keys."""
        assert not isinstance(self.write, Keyed)  # noqa: S101 - for mypy
        return self.write

    def _held(self, context: Context) -> StructType | None:
        """The table's columns; None where there is no table."""
        there = Ledger(context.spark, self.path).version() is not None
        return context.spark.read.format("delta").load(self.path).schema if there else None

    def _shaped(self, rows: DataFrame, held: StructType | None, context: Context) -> DataFrame:
        """The rows as the table holds them."""
        if self.scope:
            rows = scope.with_columns(rows, self.scope, held, context.where)
        return self._placed.shape(rows, context.plan.id, context.plan.window)

    def _balanced(self, receipt: LoadReceipt, staged: int) -> LoadReceipt:
        """The receipt of a commit that holds what was staged; a retry that finds the commit again asks anew."""
        if receipt.rows_inserted != staged:
            raise InfrastructureError(
                f"{receipt.rows_inserted} rows were committed as version {receipt.version}, {staged} were staged",
                where=self.path,
                expected="equal counts",
                remedy="clear the run from its extract task on: it replaces this window",
            )
        return receipt

    def _commit(self, shaped: DataFrame, staged: int, attempt: Attempting) -> LoadReceipt:
        if attempt.superseded():
            commit = attempt.found()
            if commit is None:
                return self._receipt("superseded", None)
            return self._found_again(commit, attempt)
        reach("before commit")
        commit = attempt.commit(lambda: self._write(shaped, staged, attempt))
        reach("after commit")
        return self._receipt("loaded" if commit else "superseded", commit)

    def ahead(
        self, name: str, rows: DataFrame, context: Context, refused: Column | None = None
    ) -> in_place.Written | None:
        """Write rows where the table's files are, before they are checked; `publish` then needs no copy of them.

        Args:
            name: the load's name in the pipeline file.
            rows: the dataset.
            context: session and plan.
            refused: whether a check will set a row aside; None where that isn't known of the row alone.

        Returns:
            What was written; None where the rows must be staged: there is no table yet, and none may be there before
            the checks are; the load changes the table's columns, layout or properties; rows are merged by key; or the
            table asks for more than columns and a layout.

        Raises:
            ConfigError: another pipeline loads the table, and no scope parts their rows.
        """
        held = self._held(context)
        adds = bool(context.plan.attempt.amends)  # its commit holds the window's other rows too
        if held is None or isinstance(self.write, Keyed) or self.change_feed or adds:
            return None
        attempt = self._attempting(name, context)
        attempt.refuse_others()
        anew = isinstance(self.write, Snapshot) and not self.scope
        layout = tuple(Ledger(context.spark, self.path).partition_columns())
        if (self.partition_by or anew) and self.partition_by != layout:
            return None
        if self._dress.pending(context.spark, self.path, context.where):
            return None
        shaped = self._dress.commented(self._shaped(rows, held, context))
        return in_place.write(context.spark, self.path, shaped, rows.columns, self.scope, ordered=anew, refused=refused)

    def _write(self, shaped: DataFrame, staged: int, attempt: Attempting) -> None:
        context = attempt.context
        kind = ConnectCommit if is_connect(context.spark) else DeltaCommit
        kind(
            attempt=attempt,
            path=self.path,
            write=self._placed,
            scope=self.scope,
            partition_by=self.partition_by,
            options=self._options(shaped, context),
            reading=self._reading(attempt),
        ).make(shaped, staged)

    def _options(self, shaped: DataFrame, context: Context) -> dict[str, str]:
        """Options of the Delta writer: what the strategy replaces, inside the scope."""
        span = reach_of(context.plan, context.dataset, self) or context.plan.window
        found = self._placed.options(shaped, context.plan.id, span, context.where)
        if not self.scope:
            return found
        inside = scope.condition(self.scope, shaped.schema, context.where)
        return {
            "replaceWhere": " AND ".join([*filter(None, [found.get("replaceWhere")]), inside]),
            "mergeSchema": "true",
        }

    def _receipt(self, state: Any, commit: Commit | None) -> LoadReceipt:
        metrics = commit.metrics if commit else {}
        return LoadReceipt(
            strategy=self.write.strategy,
            state=state,
            table=self.path,
            # Delta counts rows of other windows too, which it copied from a file that holds both.
            rows_inserted=int(metrics.get("numOutputRows", 0)) - int(metrics.get("numCopiedRows", 0)),
            rows_deleted=int(commit.entry.get("deleted", metrics.get("numDeletedRows", 0))) if commit else 0,
            version=commit.version if commit else None,
        )


def _committed(attempt: Attempting, staged: int) -> int:
    """The rows that a commit is to hold: those that were staged, and of a window to which it adds them the others."""
    commit = attempt.found() if attempt.context.plan.attempt.amends else None
    return int(commit.entry["staged"]) if commit is not None else staged
