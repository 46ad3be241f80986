"""The four verbs, over one plan: extract, transform, check, load.

A fused run chains them lazily and writes once, before the checks: write, audit, publish; under the table itself, where
that can hold files that nobody sees. In a staged run each verb is an application of its own that reads what the verb
before it staged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.accounts import Accounts
from spark_jobs.aside import nothing_refused
from spark_jobs.audit import audited, wanted
from spark_jobs.check.apart import Apart, set_aside
from spark_jobs.check.expectation import Expectation
from spark_jobs.check.flow import check
from spark_jobs.check.gx_run import demand
from spark_jobs.connect import is_connect
from spark_jobs.connections import Connections
from spark_jobs.data_docs import Docs
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
from spark_jobs.session import Storage
from spark_jobs.staging import Staged, staging_of
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
        self.staging = staging_of(spark, plan)
        limits = plan.set_aside
        self.accounts = Accounts(report=report, staging=self.staging, say=say, ahead=self._ahead, limits=limits)
        self.flows: dict[str, Flow] = {}
        self.own: dict[str, Flow] = {}
        self.used: set[str] = set()
        self.versions: dict[str, Pinned] = {}
        self.where = ""
        # From then on what was written ahead may be the table's: nobody removes it.
        self.publishing = False

    def execute(self) -> None:
        """Run the plan's verbs in their order."""
        if "load" in self.plan.verbs and self._found_again():
            return
        self._demand()
        with self._kept_for_load(), self._none_ahead():
            for verb in self.plan.verbs:
                self.staging.begin(verb)
                with self._timed(verb):
                    getattr(self, verb)()
                self.report.verbs.append(verb)
                reach(_AFTER[verb])

    @contextmanager
    def _none_ahead(self) -> Iterator[None]:
        """What was written under a table goes where the run fails before it publishes anything."""
        try:
            yield
        except Exception:
            if not self.publishing:
                self._drop_ahead()
            raise

    def _drop_ahead(self) -> None:
        """Remove what was written ahead of a load that won't come; the run's own error counts."""
        for path in list(self.staging.ahead):
            self._drop(path)

    def _drop(self, path: str) -> None:
        try:
            self.staging.drop(Staged(path=path, rows=0))
        except Exception as error:  # noqa: BLE001 - told; VACUUM removes what stays
            self.say(f"files that no commit names stay under a table until a VACUUM: {error}")

    def _demand(self) -> None:
        """See, before anything is read, that what the checks need is installed."""
        for name, checks in self.plan.check.items() if "check" in self.plan.verbs else ():
            for place, (kind, rule) in enumerate(checks):
                if isinstance(rule, Expectation):
                    demand(f"check.{name}[{place}].{kind}")

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
                self.accounts.write("transform", name, self.own[name].rows)
        self._settle_sources(lazy)

    def check(self) -> None:
        """Answer all checks of each dataset in one pass over what was staged; set refused rows aside."""
        try:
            self._check()
        finally:
            self._write_docs()

    def _write_docs(self) -> None:
        """Write the pages about the checks where they are asked for; what goes wrong with that decides nothing."""
        if not self.plan.data_docs or not self.report.checks:
            return
        begin = time.monotonic()
        docs = Docs(
            folder=self.plan.data_docs,
            pipeline=self.plan.pipeline,
            id=self.plan.id,
            window=self.report.window,
            checks=self.plan.check,
            notes=self.plan.notes,
        )
        told = docs.told(self.report.checks, partial(Storage, self.spark, self.plan.data_docs))
        self.report.data_docs = told
        self._took("data_docs", time.monotonic() - begin)
        if told["message"]:
            what = "Data Docs" if told["pages"] else "no Data Docs were written"
            self.say(f"warning: {what}: {told['message']}")

    def _check(self) -> None:
        for name, checks in self.plan.check.items():
            self.where = f"check.{name}"
            staged = self.accounts.staged(name)
            rows = self.staging.read(staged, "transform")
            known = partial(self.staging.statistics, staged, rows.schema)
            passed = partial(self.staging.statistics, staged, rows.schema, passed=True)
            aside = Apart(failed=self.staging.aside(staged), passed=passed) if self.staging.is_apart(staged) else None
            done = check(checks, rows, staged.rows, self._context(name), statistics=known, apart=aside)
            self.report.checks.extend(done.results)
            if done.asked_elsewhere:
                self._took("great_expectations", done.asked_elsewhere)
            self._stop_on_failed_checks()
            if done.kept is not None and done.refused is not None:
                self.accounts.split("check", name, done.kept, done.refused, apart=done.apart)
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
            place = self.accounts.staged(dataset).path
            written = self.staging.ahead[place].whole if place in self.staging.ahead else None
            context = replace(self._context(dataset), files=self.accounts.files(), written=written)
            self.publishing = True
            receipt = destination.publish(name, rows, count, context)
            self.report.loads[name] = receipt
            if written is not None and receipt.state == "superseded" and not written.named:
                self._drop(place)
            version = f", version {receipt.version}" if receipt.version is not None else ""
            self.say(f"load {name}: {receipt.state}, {receipt.rows_inserted} rows{version}{receipt.changes}")
        self._finish()

    def accepted(self) -> dict[str, tuple[DataFrame, int]]:
        """Load -> the staged rows that it takes, and how many they are; what it can't take is set aside."""
        loads: dict[str, dict[str, Any]] = {}
        for name, (dataset, destination) in self.plan.load.items():
            loads.setdefault(dataset, {})[name] = destination
        found = {}
        for dataset, mine in loads.items():
            self.where = f"load.{next(iter(mine))}"
            found[dataset] = accept(dataset, mine, self.accounts, self._context(dataset))
        return {name: found[dataset] for name, (dataset, _) in self.plan.load.items()}

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

    def _ahead(self, dataset: str, rows: DataFrame) -> Staged | None:
        """Write a dataset under the table of its only load: a run that goes on to its end needs no copy to check."""
        loads = [(name, destination) for name, (of, destination) in self.plan.load.items() if of == dataset]
        if is_connect(self.spark) or self.plan.verbs != VERBS or len(loads) != 1 or not hasattr(loads[0][1], "ahead"):
            return None
        name, destination = loads[0]
        refused = set_aside(self.plan.check.get(dataset, ()), rows, self._context(dataset))
        written = destination.ahead(name, rows, replace(self._context(dataset), where=f"load.{name}"), refused)
        return self.staging.take(written, dataset) if written is not None else None

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

    def _took(self, step: str, seconds: float) -> None:
        self.report.seconds[step] = round(self.report.seconds.get(step, 0.0) + seconds, 3)

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
