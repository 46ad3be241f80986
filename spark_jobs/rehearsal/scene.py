"""One scene: runs over the same scratch tables, and what they left there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.aside import HANDLING
from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError
from spark_jobs.failures import classify
from spark_jobs.ledger import last_version
from spark_jobs.plan import VERBS, Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.rehearsal.rows import difference, told
from spark_jobs.rehearsal.scenery import copy_table, put
from spark_jobs.report import Report
from spark_jobs.run import run
from spark_jobs.staging import Staged, Staging

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.session import Shared

_BEFORE_LOAD: Final = VERBS[:-1]


@dataclass(kw_only=True)
class Scene:
    """One scene.

    Args:
        folder: the scene's scratch folder; it doesn't exist yet.
        copies: destinations to begin with, `{"from", "to"}`; a source that isn't there is an empty beginning.
        runs: `{"samples", "plan"}` each, one after the other; a failed one ends the scene.
        datasets: the datasets of the last run whose rows are told.
        tables: the loads whose tables' rows are told.
        compare: whether the tables after the last two runs are compared, and with those that were there before.
        limit: rows of a dataset or table that are told.
    """

    folder: Path
    copies: list[Mapping[str, str]] = field(default_factory=list)
    runs: list[Mapping[str, Any]] = field(default_factory=list)
    datasets: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    compare: bool = False
    limit: int = 1000

    def play(self, shared: Shared, connections: Connections | None = None) -> dict[str, Any]:
        """Run it.

        Args:
            shared: gives the sessions.
            connections: those that the plans' kinds name.

        Returns:
            `reports`, one a run; `datasets`, `tables`, `quarantine`: their rows; `changes`: load -> how its table
            differs; `error`: why the scene itself couldn't be played; `seconds`.
        """
        begin = time.monotonic()
        found: dict[str, Any] = {"reports": [], "datasets": {}, "tables": {}, "quarantine": None, "changes": {}}
        try:
            self._play(shared, connections or Connections(), found)
        except Exception as error:  # noqa: BLE001 - whatever happened becomes the scene's error
            why = classify(error, "test")
            found["error"] = {"kind": why.kind, "message": str(why), "where": why.where}
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
        return found | {"seconds": round(time.monotonic() - begin, 3)}

    def _play(self, shared: Shared, connections: Connections, found: dict[str, Any]) -> None:
        self.folder.mkdir(parents=True)
        plans = [self._plan(item["plan"]) for item in self.runs]
        spark = shared.session("test", plans[0].spark)
        for copied in self.copies:
            copy_table(spark, copied["from"], Path(copied["to"]))
        versions = [self._versions(spark, plans[0])]
        refused = []
        for item, plan in zip(self.runs, plans, strict=True):
            for given in item["samples"]:
                put(spark, given)
            report = self._run(plan, shared.session, connections)
            found["reports"].append(report.to_json())
            if report.state == "failed":
                return
            versions.append(self._versions(spark, plan))
            refused.append(_set_aside(spark, plan, report))
        self._tell(spark, plans[-1], Report.from_json(found["reports"][-1]), found)
        found["quarantine"] = told(refused[-1], self.limit) if refused[-1] is not None else {"rows": [], "total": 0}
        if self.compare:
            found["changes"] = self._changes(spark, plans[-1], versions)
            found["changes"]["quarantine"] = {"second": _changed(refused[-2], refused[-1])}

    def _plan(self, value: Mapping[str, Any]) -> Plan:
        """A plan that writes inside the scene's folder alone.

        Raises:
            ConfigError: it would write elsewhere.
        """
        plan = Plan.from_json(value)
        inside = f"{self.folder}/"
        written = [plan.staging, plan.quarantine, *(kind.path for _, kind in plan.load.values())]
        strange = [path for path in written if not path.startswith(inside)]
        if strange:
            raise ConfigError(f"a test would write {strange[0]}", where="test", expected="its scratch folder alone")
        # What is expected of a dataset that nobody checks or loads must be staged all the same.
        checks = {name: () for name in self.datasets if name not in plan.check}
        return replace(plan, check={**plan.check, **checks})

    def _run(
        self, plan: Plan, session: Callable[[str, Mapping[str, Any]], SparkSession], connections: Connections
    ) -> Report:
        """One window as two applications run it: so what was staged is still there afterwards."""
        report = run(replace(plan, verbs=_BEFORE_LOAD), session, connections)
        if report.state == "failed":
            return report
        return run(replace(plan, verbs=("load",), previous=report.to_json()), session, connections)

    def _tell(self, spark: SparkSession, plan: Plan, report: Report, found: dict[str, Any]) -> None:
        staging = Staging(spark=spark, plan=plan)
        for name in self.datasets:
            found["datasets"][name] = told(staging.read(Staged(**report.staged[name]), "test"), self.limit)
        for name in self.tables:
            rows = spark.read.format("delta").load(plan.load[name][1].path)
            found["tables"][name] = told(rows, self.limit)

    def _versions(self, spark: SparkSession, plan: Plan) -> dict[str, int | None]:
        return {name: last_version(spark, kind.path) for name, (_, kind) in plan.load.items()}

    def _changes(self, spark: SparkSession, plan: Plan, versions: list[dict[str, int | None]]) -> dict[str, Any]:
        """Load -> what the first run changed in its table, and what the second one did."""
        found = {}
        for name, (_, kind) in plan.load.items():
            before, first, second = (
                _table(spark, kind.path, version[name]) for version in (versions[0], versions[-2], versions[-1])
            )
            found[name] = {"first": _changed(before, first), "second": _changed(first, second), "table": kind.path}
        return found


def _table(spark: SparkSession, path: str, version: int | None) -> DataFrame | None:
    if version is None:
        return None
    return spark.read.format("delta").option("versionAsOf", str(version)).load(path)


def _changed(before: DataFrame | None, after: DataFrame | None) -> dict[str, Any]:
    if before is None or after is None:
        rows = 0 if after is None else after.count()
        return {"rows": rows, "columns": 0 if after is None else len(after.columns), "gone": [], "came": [],
                "rows_gone": 0 if before is None else before.count(), "rows_came": rows}  # fmt: skip
    return difference(before, after)


def _set_aside(spark: SparkSession, plan: Plan, report: Report) -> DataFrame | None:
    """What the run set aside, without what differs from attempt to attempt; None where there is nothing."""
    table = Quarantine(folder=plan.quarantine, pipeline=plan.id)
    if last_version(spark, table.path) is None:
        return None
    rows = table.visible(spark, plan.window, int(report.attempt["number"]))
    # The next run sweeps what this one wrote.
    return rows.drop("attempt", "first_seen", "retries", *HANDLING).localCheckpoint()
