"""The four verbs, over one plan: extract, transform, check, load.

A fused run chains them lazily and stages once, before the checks: write, audit, publish. In a staged run each verb is
an application of its own that reads what the verb before it staged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.accounts import Accounts
from spark_jobs.aside import nothing_refused
from spark_jobs.audit import audited, wanted
from spark_jobs.check.flow import check
from spark_jobs.connections import Connections
from spark_jobs.errors import DataError
from spark_jobs.flow import Context, Flow
from spark_jobs.load.accept import accept
from spark_jobs.load.kept_files import rows_of
from spark_jobs.lookback import own_rows
from spark_jobs.plan import VERBS, Plan
from spark_jobs.points import reach
from spark_jobs.privacy import read_by
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import DatasetCounts, LoadReceipt, Report
from spark_jobs.staging import Staging
from spark_jobs.transform.flow import transform

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.history import Pinned

_RETENTION_HOURS: Final = 24.0
# The point that a run has come to when a verb is done.
_AFTER: Final = {"extract": "before staging", "transform": "staged", "check": "audited", "load": "before report"}


class Run:
    """One application's part of a run.

    Args:
        spark: the session.
        plan: what to do.
        report: filled while the run goes on, so that a failed run still says how far it came.
        say: takes one line of progress.
        sweep: whether rows that earlier attempts set aside go once this one is loaded; not while a table is rebuilt
            beside the live one, whose ledger still names them.
        connections: those that the plan's kinds name.
    """

    def __init__(  # noqa: PLR0913 - what a run is made of
        self,
        spark: SparkSession,
        plan: Plan,
        report: Report,
        say: Callable[[str], None],
        *,
        sweep: bool = True,
        connections: Connections | None = None,
    ) -> None:
        self.spark, self.plan, self.report, self.say, self.sweep = spark, plan, report, say, sweep
        self.connections = connections or Connections()
        self.staging = Staging(spark=spark, plan=plan)
        self.accounts = Accounts(report=report, staging=self.staging, say=say)
        self.flows: dict[str, Flow] = {}
        self.own: dict[str, Flow] = {}
        self.used: set[str] = set()
        self.versions: dict[str, Pinned] = {}
        self.where = ""

    def execute(self) -> None:
        """Run the plan's verbs in their order."""
        if "load" in self.plan.verbs and self._found_again():
            return
        with self._kept_for_load():
            for verb in self.plan.verbs:
                self.staging.begin(verb)
                with self._timed(verb):
                    getattr(self, verb)()
                self.report.verbs.append(verb)
                reach(_AFTER[verb])

    @contextmanager
    def _kept_for_load(self) -> Iterator[None]:
        """Nobody goes on with what checks alone have staged: it goes at the end, of a failed run too."""
        if not self.plan.checks_alone:
            yield
            return
        try:
            yield
        except Exception:
            with suppress(Exception):  # why it failed is worth more; the next run sweeps what is left
                self._tidy()
            raise
        self._tidy()

    def extract(self) -> None:
        """Read the sources; staged where another application transforms them, or where they are checked or loaded."""
        for name, source in self.plan.extract.items():
            self.where = f"extract.{name}"
            self.flows[name] = self._read(name, source)
            if "transform" not in self.plan.verbs or name in self._wanted():
                self._stage("extract", name)

    def _read(self, name: str, source: Any) -> Flow:
        context = self._context(name)
        flow: Flow = source.read(context)
        if flow.told:
            self.report.sources[name] = dict(flow.told)
        if flow.files is not None:
            self.accounts.keep_files(name, rows_of(self.spark, name, flow.files))
        return audited(flow, name, self.plan, context.where) if wanted(source) else flow

    def transform(self) -> None:
        """Run the steps; what is checked or loaded is staged, in one pass over the sources."""
        lazy = {name: self.flows[name] for name in self.plan.extract if name in self.flows}
        for name, dataset in self.plan.transform.items():
            self.where = f"transform.{name}"
            self.flows[name] = transform(dataset, self.flow(dataset.source), self._context(name))
            if name in self._wanted():
                # What starts from it may need its context too, so that stays in `flows`.
                self.own[name] = own_rows(self.flows[name], self._context(name))
                self.accounts.keep(name, self.staging.write(self.own[name].rows, "transform", name))
        self._settle_sources(lazy)

    def check(self) -> None:
        """Answer all checks of each dataset in one pass over what was staged; set refused rows aside."""
        for name, checks in self.plan.check.items():
            self.where = f"check.{name}"
            staged = self.accounts.staged(name)
            done = check(checks, self.staging.read(staged, "transform"), staged.rows, self._context(name))
            self.report.checks.extend(done.results)
            self._stop_on_failed_checks()
            if done.kept is not None and done.refused is not None:
                self.accounts.split("check", name, done.kept, done.refused)
                self.flows.pop(name, None)
        self._ask()

    def load(self) -> None:
        """Write the quarantine, then publish each load in one commit."""
        self._demand_approval()
        accepted = self.accepted()
        self._write_quarantine()
        for name, (dataset, destination) in self.plan.load.items():
            self.where = f"load.{name}"
            rows, count = accepted[name]
            context = replace(self._context(dataset), files=self.accounts.files())
            receipt = destination.publish(name, rows, count, context)
            self.report.loads[name] = receipt
            version = f", version {receipt.version}" if receipt.version is not None else ""
            self.say(f"load {name}: {receipt.state}, {receipt.rows_inserted} rows{version}{receipt.changes}")
        self._finish()

    def accepted(self) -> dict[str, tuple[DataFrame, int]]:
        """Load -> the staged rows that it takes, and how many they are; what it can't take is set aside."""
        found = {}
        for name, (dataset, destination) in self.plan.load.items():
            self.where = f"load.{name}"
            found[name] = accept(dataset, destination, self.accounts, self._context(dataset))
        return found

    def flow(self, name: str) -> Flow:
        """A dataset by name: lazy where this application makes it, staged where an earlier one did."""
        self.used.add(name)
        if name not in self.flows:
            staged = self.accounts.staged(name)
            counts = DatasetCounts(rows=staged.rows)
            rows = self.staging.read(staged, "extract")
            self.flows[name] = Flow(rows=rows, counts=lambda: counts, refused=lambda: None)
        return self.flows[name]

    def _context(self, dataset: str) -> Context:
        return Context(
            spark=self.spark,
            plan=self.plan,
            where=self.where,
            dataset=dataset,
            datasets=_Datasets(self, dataset),
            connections=self.connections,
            versions=self.versions,
            sources=self.report.sources,
        )

    def _wanted(self) -> set[str]:
        return {dataset for dataset, _ in self.plan.load.values()} | set(self.plan.check) | self._looked_up()

    def _looked_up(self) -> set[str]:
        """The datasets that checks of others read; sources are there anyway."""
        names = list(self.plan.transform)
        found = (read_by(kind, names) for checks in self.plan.check.values() for _, kind in checks)
        return set().union(*found) & set(names)

    def _stage(self, verb: str, name: str) -> None:
        """Compute and stage a dataset; from then on it is read from there."""
        flow = self.flows[name]
        self.accounts.keep(name, self.staging.write(flow.rows, verb, name))
        self.accounts.settle(verb, name, flow)
        del self.flows[name]

    def _settle_sources(self, sources: Mapping[str, Flow]) -> None:
        """Settle what was computed lazily, sources first; one that no step used is staged for the checks that do."""
        for name, flow in sources.items():
            self.where = f"extract.{name}"
            if name not in self.used:
                self._stage("extract", name)
            else:
                self.accounts.settle("extract", name, flow)
        for name in self.plan.transform:
            self.where = f"transform.{name}"
            flow = self.flows.pop(name)
            self.accounts.settle("transform", name, self.own.pop(name, flow))

    def _stop_on_failed_checks(self) -> None:
        alone = "load" in self.plan.verbs  # nobody can be asked in the middle of one application
        failed = [result for result in self.report.checks if result.stops or (alone and result.asks)]
        if failed:
            told = "; ".join(f"{result.name}({result.column or 'table'}): {result.message}" for result in failed)
            asks = "; on_fail: ask needs a staged run under Airflow" if any(result.asks for result in failed) else ""
            raise DataError(
                f"{len(failed)} of {len(self.report.checks)} checks failed: {told}",
                where=self.where,
                remedy=f"nothing was published; mend the data, or the check's mostly or on_fail{asks}",
            )

    def _ask(self) -> None:
        """Note the failed checks that a person has to decide of."""
        names = [result.name for result in self.report.checks if result.asks]
        if names:
            self.report.approval = {"state": "asked", "checks": names, "by": None, "at": None}
            self.say(f"check: {', '.join(names)} failed: nothing is published before somebody has approved it")

    def _demand_approval(self) -> None:
        """See that what failed checks ask for was answered, whoever runs this verb.

        Raises:
            DataError: it wasn't.
        """
        approval = self.report.approval
        if approval is not None and approval["state"] != "approved":
            raise DataError(
                f"nobody has approved what failed: {', '.join(approval['checks'])}",
                where="check",
                expected="an answer in Airflow's UI",
                remedy="nothing was published; hand the approving task's output to the load: staged=approve.output",
            )

    def _write_quarantine(self) -> None:
        self.where = "quarantine"
        refused = [staged for staged in self.accounts.refused() if staged.rows]
        if not refused and self._quarantine.earlier(self.spark, self.plan) is None:
            return
        frames = [self.staging.read(staged, "check") for staged in refused] or [nothing_refused(self.spark)]
        together = frames[0]
        for frame in frames[1:]:
            together = together.unionByName(frame)
        self._quarantine.append(together, self.plan)
        self.say(f"quarantine: {sum(staged.rows for staged in refused)} rows in {self._quarantine.path}")

    @property
    def _quarantine(self) -> Quarantine:
        return Quarantine(folder=self.plan.quarantine, pipeline=self.plan.id)

    def _found_again(self) -> bool:
        """Whether every load was committed by an earlier try of this same attempt, whose result got lost."""
        receipts: dict[str, LoadReceipt] = {}
        for name, (dataset, destination) in self.plan.load.items():
            receipt = destination.done(name, self._context(dataset))
            if receipt is None:
                return False
            receipts[name] = receipt
        self.report.loads, self.report.state = receipts, "loaded"
        self.say("found the commit of an earlier try of this attempt: nothing to do")
        self._tidy()
        return True

    def _finish(self) -> None:
        self.report.state = "loaded"
        if self.sweep and all(receipt.state == "loaded" for receipt in self.report.loads.values()):
            self._quarantine.sweep(self.spark, self.plan, self.plan.attempt.number)
        self._tidy()

    def _tidy(self) -> None:
        hours = float(self.plan.spark.get("retention_hours", _RETENTION_HOURS))
        self.staging.finish(hours, keep=not self.plan.checks_alone and self.plan.verbs != VERBS)

    @contextmanager
    def _timed(self, step: str) -> Iterator[None]:
        begin = time.monotonic()
        try:
            yield
        finally:
            self.report.seconds[step] = round(time.monotonic() - begin, 3)


class _Datasets(Mapping[str, "DataFrame"]):
    """The other datasets of a run by name, read only where a step or check asks for one."""

    def __init__(self, run: Run, dataset: str) -> None:
        self._run, self._dataset = run, dataset

    def __getitem__(self, name: str) -> DataFrame:
        if name not in set(self):
            raise KeyError(name)
        return self._run.flow(name).rows

    def __iter__(self) -> Iterator[str]:
        known = dict.fromkeys([*self._run.flows, *self._run.accounts.datasets()])
        return (name for name in known if name != self._dataset)

    def __len__(self) -> int:
        return sum(1 for _ in self)
