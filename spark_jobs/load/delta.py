"""Destination `delta`: a Delta table, published in one commit that is also its ledger's entry."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.check.literal import misfit
from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.ledger import Commit, Ledger, LoadUnit, committing
from spark_jobs.load import owners, scope
from spark_jobs.load.new_table import ensure_table
from spark_jobs.load.outside import Outside
from spark_jobs.load.reaching import replace_reach
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot, Strategy
from spark_jobs.lookback import reach_of
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.plan import Plan
from spark_jobs.report import LoadReceipt
from spark_jobs.transaction import Transaction

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Delta:
    """A Delta table on any storage that Spark reaches."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: delta
path: ${env.lake}/orders
write: {strategy: replace_window, column: ordered_at}
"""
    type: ClassVar[str] = "delta"
    looks_back: ClassVar[bool] = True
    requires: ClassVar[tuple[str, ...]] = ("delta",)

    path: str = field(metadata={"substitute": "text", "path": True})
    """The table's folder or URI."""
    write: ReplaceWindow | Append | Snapshot
    """How rows reach the table, and why a repeat can't harm."""
    partition_by: tuple[str, ...] = field(default=(), metadata={"column": True, "distinct": True})
    """Columns that lay the table out; a local date keeps windows in files of their own."""
    scope: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Column -> value: the rows that are this pipeline's, where several load one table. Rows get columns that they
    lack; one that says another value is refused. Partition the table by them: then pipelines never wait."""

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """What the strategy can't do with these columns, and values of the scope that are no values of theirs."""
        yield from self.write.misfits(rows)
        for name, value in self.scope.items():
            yield from misfit(f"scope.{name}", value, name, rows.columns.get(rows.spelled(name) or ""))

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The table's columns: those of the rows, of the scope, and of the strategy."""
        added = {**dict.fromkeys(self.scope), **getattr(self.write, "adds", {})}
        return rows.plus({name: kind for name, kind in added.items() if rows.spelled(name) is None})

    def unit(self, name: str, plan: Plan) -> LoadUnit:
        """What is written, for the ledger."""
        return load_unit(self.write, plan.id, name, plan.window)

    def outside(self, rows: DataFrame, context: Context) -> list[Outside]:
        """Which rows don't belong to the window or to the scope; none where every row is taken."""
        found = []
        if isinstance(self.write, ReplaceWindow):
            reach = reach_of(context.plan, context.dataset, self)
            span, told = (reach, "window and its lookback") if reach else (context.plan.window, "window")
            inside = self.write.condition(rows, span, context.where)
            what = f"the {told} {span} by {self.write.column!r}"
            found.append(Outside(rule="outside_window", condition=f"NOT coalesce({inside}, false)", what=what))
        strays = scope.strays(rows, self.scope, context.where)
        if strays:
            found.append(Outside(rule="outside_scope", condition=strays, what=f"the scope {dict(self.scope)}"))
        return found

    def claim(self, name: str, plan: Plan) -> owners.Claim:
        """What this load owns of the table."""
        carried = self.write.rows_carry_pipeline
        return owners.Claim(pipeline=plan.id, load=name, scope=self.scope, shared=carried)

    def done(self, name: str, context: Context) -> LoadReceipt | None:
        """The receipt of this attempt's own commit, where an earlier try made it and its result got lost."""
        ledger, unit = Ledger(context.spark, self.path), self.unit(name, context.plan)
        if ledger.version() is None or ledger.number(unit) is None:
            return None
        commit = ledger.find(unit)
        if commit is None or commit.entry.get("token") != context.plan.attempt.token:
            return None
        return self._balanced(self._receipt("already_done", commit), int(commit.entry.get("staged", -1)))

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
            DataError: a window overlaps an earlier one that it doesn't cover (append), or types clash.
            InfrastructureError: the table's log doesn't show the rows that were staged; or, with lookback, another run
                has published rows that it read later than these.
        """
        shaped = self._shaped(rows, context)
        claim = self.claim(name, context.plan)
        ensure_table(context.spark, self.path, shaped.schema, self.partition_by, {claim.key: claim.value})
        receipt, tries = committing(lambda: self._commit(name, shaped, staged, context))
        receipt.attempts = tries
        return self._balanced(receipt, staged) if receipt.state == "loaded" else receipt

    def _shaped(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows as the table holds them."""
        if self.scope:
            there = Ledger(context.spark, self.path).version() is not None
            table = context.spark.read.format("delta").load(self.path).schema if there else None
            rows = scope.with_columns(rows, self.scope, table, context.where)
        return self.write.shape(rows, context.plan.id, context.plan.window)

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

    def _commit(self, name: str, shaped: DataFrame, staged: int, context: Context) -> LoadReceipt:
        ledger, unit = Ledger(context.spark, self.path), self.unit(name, context.plan)
        number = unit.commit_number(context.plan.attempt.number)
        if self._superseded(ledger, unit, context.plan):
            return self.done(name, context) or self._receipt("superseded", None)
        self._refuse_overlap(ledger, context)
        claim = self.claim(name, context.plan)
        owners.refuse_others(claim, owners.claims_of(ledger.properties()), ledger.pipelines(), self.path)
        owners.claim(context.spark, ledger, claim)
        self._write(shaped, unit, staged, context)
        commit = ledger.find(unit)
        mine = (context.plan.attempt.token, number)
        if commit is None or (commit.entry.get("token"), commit.entry.get("number")) != mine:
            # Delta drops a write whose number isn't larger without a word: somebody newer came in between.
            return self._receipt("superseded", None)
        return self._receipt("loaded", commit)

    def _superseded(self, ledger: Ledger, unit: LoadUnit, plan: Plan) -> bool:
        """Whether the ledger holds a later attempt, or another run's that read its sources after this one did."""
        held = ledger.number(unit) if ledger.version() is not None else None
        if held is None or held < unit.commit_number(plan.attempt.since):
            return False
        if held >= unit.commit_number(plan.attempt.number):
            return True
        commit = ledger.find(unit)
        return commit is None or commit.entry.get("run") != plan.attempt.run

    def _refuse_overlap(self, ledger: Ledger, context: Context) -> None:
        if not isinstance(self.write, Append) or ledger.version() is None:
            return
        table = context.spark.read.format("delta").load(self.path)
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

    def _write(self, shaped: DataFrame, unit: LoadUnit, staged: int, context: Context) -> None:
        number, reach = unit.commit_number(context.plan.attempt.number), reach_of(context.plan, context.dataset, self)
        entry, options = self._entry(unit, staged, context), self._options(shaped, context)
        if reach is not None:
            entry |= {"reach": reach.to_json(), "since": context.plan.attempt.since}
            ledger, transaction = Ledger(context.spark, self.path), Transaction(context.spark, self.path)
            replace_reach(transaction, ledger, shaped, options, self.partition_by, entry)
            return
        writer = shaped.write.format("delta").mode("overwrite").option("userMetadata", json.dumps({"etl": entry}))
        writer = writer.option("txnAppId", unit.key).option("txnVersion", str(number))
        for key, value in options.items():
            writer = writer.option(key, value)
        (writer.partitionBy(*self.partition_by) if self.partition_by else writer).save(self.path)

    def _entry(self, unit: LoadUnit, staged: int, context: Context) -> dict[str, Any]:
        """What the commit says of itself."""
        plan, number = context.plan, unit.commit_number(context.plan.attempt.number)
        return {
            "unit": unit.key,
            "number": number,
            "attempt": plan.attempt.number,
            "token": plan.attempt.token,
            "run": plan.attempt.run,
            "staged": staged,
            "fingerprint": plan.fingerprint,
            "pipeline": plan.id,
            "window": plan.window.to_json(),
            **({"scope": dict(self.scope)} if self.scope else {}),
        }

    def _options(self, shaped: DataFrame, context: Context) -> dict[str, str]:
        """Options of the Delta writer: what the strategy replaces, inside the scope."""
        span = reach_of(context.plan, context.dataset, self) or context.plan.window
        found = self.write.options(shaped, context.plan.id, span, context.where)
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
            rows_deleted=int(metrics.get("numDeletedRows", 0)),
            version=commit.version if commit else None,
        )


def load_unit(strategy: Strategy, pipeline: str, name: str, window: Any) -> LoadUnit:
    """The unit that a strategy writes: one a window, or one a destination where the newest window wins."""
    return LoadUnit(pipeline=pipeline, destination=name, window=window, snapshot=strategy.numbered_by_window)
