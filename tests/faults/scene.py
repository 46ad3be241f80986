"""A project whose windows are run by real processes, and what must hold of it after every fault."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self
from uuid import uuid4

import psutil

from airflow_provider_etl.engines.application import Application, failure
from airflow_provider_etl.engines.base import Engine, Job
from airflow_provider_etl.engines.local import LocalEngine
from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.loaded import Pipeline
from spark_jobs import run as entry
from spark_jobs.connections import Connections
from spark_jobs.errors import EtlError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from tests.airflow.project import ROOT, Project

MARK: Final = "ETL_FAULT_SCENE"
ENVIRONMENT: Final = f"""
variables: {{raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}}
roots: [data]
engines:
  local: {{kind: local, cores: 1, memory: 1g, small: true, jars: {ROOT / "jars"}, archive: {ROOT / ".cache/spark.jsa"}}}
defaults: {{engine: local, retries: {{attempts: 3, delay: 1s, backoff: fixed}}}}
"""
PIPELINE: Final = """
schedule: "@daily"
start: 2013-01-01
end: 2013-01-10
timezone: UTC
max_active_windows: 2
execution: fused
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.key}.csv
    format: csv
    columns:
      id: {type: int, required: true}
      at: {type: timestamp, required: true}
      value: {type: double}
transform:
  - from: orders
  - filter: id < 900
check:
  - not_null: [id]
  - in_range: {column: value, max: 100, on_fail: quarantine}
load:
  facts:
    type: delta
    path: ${env.lake}/facts
    write: {strategy: replace_window, column: at}
  keyed:
    type: delta
    path: ${env.lake}/keyed
    write: {strategy: merge, keys: [id], sequence: at, delete_when: "value < 0"}
"""


def good(number: int) -> list[tuple[int, int, float]]:
    """Rows of a day that are loaded, (id, hour, value): two keys come back, one is new, yesterday's new one goes."""
    return [(1, 1, 10.0 * number), (2, 2, 10.0 * number + 1), (10 + number, 5, 5.0), (9 + number, 6, -1.0)]


def day(number: int) -> str:
    """The drop of a day."""
    rows = [*good(number), (900, 7, 1.0), (20, 8, 101.0)]
    lines = [f"{key},2013-01-{number:02} {hour:02}:00:00,{value}" for key, hour, value in rows]
    return "\n".join(["id,at,value", *lines, "x,2013-01-01,1", ""])


Tables = dict[str, list[dict[str, Any]]]


@dataclass(kw_only=True)
class Scene:
    """A project.

    Args:
        project: its folder.
        second: the last moment at which an attempt was submitted.
        said: the lines of the last run.
        mark: in the environment of every process of its runs.
        loaded: days that were loaded by now.
        connections: that plans name.
    """

    project: Project
    said: list[str] = field(default_factory=list)
    mark: str = field(default_factory=lambda: uuid4().hex)
    loaded: set[int] = field(default_factory=set)
    connections: Connections = field(default_factory=Connections)

    @classmethod
    def make(cls, folder: Path, text: str = PIPELINE, environment: str = ENVIRONMENT) -> Self:
        """A fresh one, with the drops of nine days."""
        project = Project(folder / "project")
        project.write("config/environments/local.yaml", environment)
        project.pipeline("orders", text)
        for number in range(1, 10):
            project.write(f"data/raw/orders/2013-01-{number:02}.csv", day(number))
        return cls(project=project)

    @property
    def pipeline(self) -> Pipeline:
        """As its file says now."""
        loaded = load_file(self.project.folder / "dags/pipelines/orders.yaml")
        assert loaded.pipeline is not None, [str(item) for item in loaded.diagnostics]
        return loaded.pipeline

    def job(self, number: int, token: str, *, at: float | None = None) -> Job:
        """The job of a day's window; `at`: when it was submitted, in seconds since 1970."""
        pipeline = self.pipeline
        made = attempt_number(pipeline.fingerprint, now=time.time() if at is None else at)
        who = Attempt(number=made, token=token, run=f"run-{token}")
        plan = pipeline.plan(pipeline.window_of(f"2013-01-{number:02}"), who).to_json()
        return Job(token=token, plan=plan, connections=self.connections)

    def run(self, number: int, token: str = "", *, fault: tuple[str, str] | None = None, **more: Any) -> Any:
        """Run a day's window to its end; its report, which must balance, or the error that the task fails with.

        Args:
            number: of the day.
            token: of the attempt; a retry has the token of the try before.
            fault: (a kill point, what happens there).
            more: for `job`; `listen`, which takes each line; `engine`, where it isn't a process of this machine.
        """
        listen: Callable[[str], None] = more.pop("listen", lambda _line: None)
        program = ("spark_jobs.run",) if fault is None else ("tests.faults.driver", *fault)
        engine: Engine = more.pop("engine", None) or LocalEngine(command=(sys.executable, "-m", *program))
        self.said = []

        def say(line: str) -> None:
            self.said.append(line)
            listen(line)

        os.environ[MARK] = self.mark
        try:
            report = Application(engine, self.job(number, token or uuid4().hex, **more)).run(say)
        except EtlError as error:
            return error
        finally:
            del os.environ[MARK]
        return self._ended(number, report)

    def run_here(self, spark: Any, number: int, token: str = "", **more: Any) -> Any:
        """The same with the suite's own Spark, which is sooner."""
        plan = Plan.from_json(self.job(number, token or uuid4().hex, **more).plan)
        return self._ended(number, entry.run(plan, lambda *_: spark.newSession(), self.connections).to_json())

    def _ended(self, number: int, report: Any) -> Any:
        error = failure(report)
        if error is None:
            balanced(report)
            self.loaded.add(number)
        return error or report

    def tables(self) -> Tables:
        """What every table holds, by its name; read without Spark."""
        lake = self.project.folder / "data/lake"
        return {name: rows_of(lake / name) for name in ("facts", "keyed")}

    def left(self) -> list[psutil.Process]:
        """Processes of its runs that are still there after a while."""
        deadline = time.monotonic() + 15
        while (found := marked(self.mark)) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found


def rows_of(table: Path | str, options: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """The rows of a Delta table, as any reader sees them at this moment; none where there is no table yet."""
    import pyarrow as pa
    from deltalake import DeltaTable, QueryBuilder

    if not DeltaTable.is_deltatable(str(table), options):
        return []
    opened = QueryBuilder().register("rows", DeltaTable(table, storage_options=options))
    return sorted(pa.table(opened.execute("SELECT * FROM rows").read_all()).to_pylist(), key=str)


def marked(mark: str) -> list[psutil.Process]:
    """Living processes that were started with a mark in their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == mark:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return [process for process in found if process.pid != os.getpid()]


def balanced(report: Any) -> None:
    """Every row that was read is somewhere, and the report says where."""
    if report["state"] != "loaded" or {load["state"] for load in report["loads"].values()} == {"already_done"}:
        return  # it has read nothing
    counts = report["datasets"]["orders"]
    assert counts["read"] == sum(counts[name] for name in ("rows", "filtered", "deduplicated", "quarantined")), counts
    result = report["datasets"]["result"]
    loads = report["loads"]
    if loads["facts"]["state"] == "loaded":
        assert loads["facts"]["rows_inserted"] == result["rows"], (loads, result)
    gone = sum(part[name] for part in (counts, result) for name in ("filtered", "deduplicated", "quarantined"))
    assert counts["read"] == result["rows"] + gone, report["datasets"]


def undisturbed(*days: int) -> Tables:
    """What the tables hold once these days are loaded and nothing has gone wrong."""
    facts = [
        {"id": key, "at": datetime(2013, 1, number, hour, tzinfo=UTC), "value": value}
        for number in sorted(days)
        for key, hour, value in good(number)
    ]
    newest = {row["id"]: row for row in facts}
    keyed = [row for row in newest.values() if row["value"] >= 0]
    return {"facts": sorted(facts, key=str), "keyed": sorted(keyed, key=str)}
