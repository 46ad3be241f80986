"""`quarantine replay --rows`: rows that were set aside go through today's steps and checks without their window.

What is loaded adds to the attempt that the ledger names. The quarantine's rows of that attempt, with what has become of
the chosen ones, are written first, under a number of their own; the table's commit then names that number in place of
the earlier one. So one commit changes both: a run that dies before it leaves rows that nobody sees, and the next one of
the window sweeps them; one that dies after it has done all. A commit is made only while the ledger names the attempt
that is added to: of two replays, and of a replay and a run of the window, one wins and the other changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spark_jobs.alone.fitting import of_rows, way
from spark_jobs.alone.lines import refused
from spark_jobs.alone.reading import Records
from spark_jobs.aside import WAITING, nothing_refused
from spark_jobs.errors import InfrastructureError
from spark_jobs.flow import Flow
from spark_jobs.ledger import last_version
from spark_jobs.load.strategies import text
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.quarantine import of_window
from spark_jobs.report import Report
from spark_jobs.session import Storage
from spark_jobs.staging import Staged
from spark_jobs.verbs import Run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


def replay(spark: SparkSession, order: Order, say: Callable[[str], None]) -> dict[str, Any]:
    """Run rows again.

    Options of the order: `rule` and `dataset`, empty for any. Its plan's attempt says which attempt it adds to.

    Returns:
        `{"state": "loaded", window, datasets, checks, loads}`, as in the report of a run.

    Raises:
        InfrastructureError: another run of the window, or of its rows, was faster.
    """
    plan = _of_few(order)
    report = Report.begun(plan)
    run = RowsAlone(spark, plan, report, say, chosen=_chosen(order), connections=order.connections)
    try:
        run.execute()
    finally:
        Storage(spark, plan.staging).delete(run.staging.run_folder)
    if any(receipt.state == "superseded" for receipt in report.loads.values()):
        raise InfrastructureError(
            "the window was run meanwhile, or its rows were",
            where=f"{plan.pipeline} {plan.window.key}",
            expected="one at a time",
            remedy="nothing was changed; see what waits now, and replay that; where a run of the window has died, "
            "leave --rows out: a load by key knows it by what it left beside the table",
        )
    return {name: report.to_json()[name] for name in ("state", "window", "datasets", "checks", "loads")}


def _of_few(order: Order) -> Plan:
    """The plan with checks of single rows alone; the window's Data Docs stay those of its run.

    Its commit stands for all rows of the window. Where some are chosen it has no fingerprint, for the others weren't
    tried with it: else a replay of what may be accepted now would leave them out for good.
    """
    plan, some = order.plan, order.options["rule"] or order.options["dataset"]
    told = "" if some else plan.fingerprint
    checks = {name: of_rows(checks) for name, checks in plan.check.items()}
    return replace(plan, check=checks, data_docs="", set_aside={}, fingerprint=told)


def _chosen(order: Order) -> str:
    """Which rows are meant, as a condition that is never null."""
    rule, dataset = order.options["rule"], order.options["dataset"]
    parts = [f"coalesce(state, '{WAITING}') = '{WAITING}'"]
    parts += [f"coalesce(array_contains(rules, {text(rule)}), false)"] if rule else []
    parts += [f"dataset <=> {text(dataset)}"] if dataset else []
    return " AND ".join(parts)


def _demand_all(chosen: int, read: int) -> None:
    """See that each record was read back as one row: what is read no more would be marked as loaded.

    Raises:
        DataError: there are more, or fewer.
    """
    if read != chosen:
        raise refused(f"{chosen} records wait, and the source makes {read} rows of them", "one row of each record")


class RowsAlone(Run):
    """A run whose source gives the chosen records alone.

    Args:
        chosen: which rows of the quarantine, as a condition; the rest as for Run.
    """

    def __init__(self, *given: Any, chosen: str, **named: Any) -> None:
        super().__init__(*given, **named)
        self.chosen, self.rows = chosen, 0
        self.way = way(self.plan, self.plan.pipeline, reaches_back=self.plan.reach is not None)

    def _read(self, name: str, source: Any) -> Flow:
        if name != self.way.source:
            return super()._read(name, source)
        # As a dataset that is being staged: whoever purges an entity sees that its rows may be here.
        folder = f"{self.staging.run_folder}/lines-{self.plan.attempt.number}/{name}/data"
        waiting = self._waiting()
        self.rows = waiting.count()
        return Records(rows=waiting, way=self.way, folder=folder).flow(source, self._context(name))

    def refused_again(self) -> list[Staged]:
        """The chosen rows that are refused again; what datasets beside them refuse, the window's run has set aside."""
        return self.accounts.refused(self.way.datasets)

    def _waiting(self) -> DataFrame:
        """The chosen rows as they are now, whoever changes the quarantine meanwhile."""
        table = self._quarantine
        mine = table.rows(self.spark, last_version(self.spark, table.path))
        return mine.where(f"{of_window(self.plan.window)} AND attempt = {self.plan.attempt.amends}").where(self.chosen)

    def _write_quarantine(self) -> None:
        self.where = "quarantine"
        _demand_all(self.rows, self.report.datasets[self.way.source].read)
        together = nothing_refused(self.spark)
        for staged in self.refused_again():
            together = together.unionByName(self.staging.read(staged, "check"))
        self._quarantine.amend(together, self.plan, self.chosen, self.rows)
        self.say(f"quarantine: of {self.rows} rows that were run again {together.count()} wait")
