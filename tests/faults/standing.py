"""A real Airflow on PostgreSQL whose parts are killed and, as by a machine's own service manager, started again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psutil

from demo.airflow_home import AirflowHome, AirflowHomeError
from tests.airflow.project import LOADER, ROOT, Project
from tests.faults.metadata import Metadata, metadata
from tests.faults.orphans import Orphans, ended
from tests.faults.scene import ENVIRONMENT, MARK, PIPELINE, Tables, day, marked, rows_of
from tests.servers.guarded import free_port

QUICK: Final = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "3",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "15",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "10",
    "AIRFLOW__SCHEDULER__JOB_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT": "60",
    "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
}
"""Airflow's own patience with what is dead, in seconds: by default it is five minutes."""
PATIENCE: Final = 600.0
RETRIES: Final = "retries: {attempts: 30, delay: 1s, backoff: fixed}"


class Kept(AirflowHome):
    """A home whose components are started again whenever they end."""

    def _check_alive(self) -> None:
        for name, process in self._processes.items():
            if process.poll() is not None:
                process.communicate()
                with self.log_of(name).open("ab") as log:
                    self._processes[name] = self._start(self.components[name], log)

    def main(self, component: str) -> psutil.Process:
        """The component's own process, below the one that guards it; waits for one that is being started."""

        def found() -> list[psutil.Process]:
            with suppress(psutil.NoSuchProcess):
                return psutil.Process(self._processes[component].pid).children()
            return []

        return self.wait(found, PATIENCE, f"the {component} has a process", every=0.1)[0]


class Standing:
    """A project on such an Airflow.

    Args:
        folder: of its own.
        database: Airflow's metadata.
        environment: more of Airflow's environment variables.
    """

    def __init__(self, folder: Path, database: Metadata, environment: dict[str, str]) -> None:
        self.folder, self.database, self.mark = folder, database, os.urandom(8).hex()
        self.orphans = Orphans()
        self.project = Project(folder / "project")
        self.project.write("config/environments/local.yaml", ENVIRONMENT)
        self.project.write("dags/etl.py", LOADER)
        for number in range(1, 10):
            self.project.write(f"data/raw/orders/2013-01-{number:02}.csv", day(number))
        told = {"PYTHONPATH": str(ROOT), MARK: self.mark} | QUICK | database.settings | environment
        self.home = Kept(folder / "home", self.project.dags, told, parallelism=2, triggerer=True)

    def write(self, name: str, more: str = "") -> None:
        """Make a pipeline with tables of its own, and wait until Airflow knows it."""
        text = PIPELINE.replace("${env.lake}/", f"${{env.lake}}/{name}/")
        self.project.pipeline(name, f"{RETRIES}\n{text}{more}")
        self.until(lambda: self._ask("GET", f"/api/v2/dags/{name}"), f"{name} is a DAG")
        self._ask("PATCH", f"/api/v2/dags/{name}", {"is_paused": False})

    def backfill(self, name: str, days: int) -> None:
        """Order the first days."""
        dates = ["--from-date", "2013-01-01", "--to-date", f"2013-01-{days:02}", "--max-active-runs", "2"]
        self.home.run("backfill", "create", "--dag-id", name, *dates)

    def states(self, name: str) -> list[tuple[str, int]]:
        """(state, try) of the task of each run; empty while nobody answers."""
        runs = (self._ask("GET", f"/api/v2/dags/{name}/dagRuns?limit=50") or {}).get("dag_runs", [])
        found = []
        for run in runs:
            tasks = self._ask("GET", f"/api/v2/dags/{name}/dagRuns/{run['dag_run_id']}/taskInstances") or {}
            found += [(task["state"] or "", task["try_number"]) for task in tasks.get("task_instances", [])]
        return found

    def loaded(self, name: str, days: int) -> bool:
        """Whether all runs have succeeded.

        Raises:
            AssertionError: one has failed for good.
        """
        found = self.states(name)
        assert not [state for state, _ in found if state == "failed"], f"{found}; logs in {self.folder}"
        return [state for state, _ in found] == ["success"] * days

    def tables(self, name: str) -> Tables:
        """What its tables hold."""
        lake = self.project.folder / "data/lake" / name
        return {table: rows_of(lake / table) for table in ("facts", "keyed")}

    def until(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Ask until the answer is true."""
        return self.home.wait(true, seconds, what, every=1)

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        """The API's answer; None while it has none."""
        try:
            return self.home.api(method, path, body)
        except (OSError, AirflowHomeError, ValueError):
            self.home._token = ""
            return None

    def java(self) -> list[psutil.Process]:
        """Running drivers."""
        return [process for process in marked(self.mark) if named(process, "java")]

    def workers(self) -> list[psutil.Process]:
        """Processes of tasks that have a driver: the task's own, and the executor's that watches it."""
        found: dict[int, psutil.Process] = {}
        for driver in self.java():
            with suppress(psutil.NoSuchProcess):
                for process in driver.parents():
                    if process.pid in self._mains():
                        break
                    if not {"guard.py", "spark_jobs.run"} & {part.rpartition("/")[2] for part in process.cmdline()}:
                        found[process.pid] = process
        return list(found.values())

    def _mains(self) -> set[int]:
        return {self.home.main(name).pid for name in self.home.components} | {
            process.pid for process in self.home._processes.values()
        }

    def kill(self, component: str) -> bool:
        """Kill a component's own process alone; its workers are nobody's then, until the end of the test."""
        return self.orphans.kill(self.home.main(component))

    def log(self, name: str) -> str:
        """All that its tasks have said."""
        logs = sorted((self.home.folder / "logs").glob(f"dag_id={name}/**/*.log"))
        return "\n".join(path.read_text(errors="replace") for path in logs)


def named(process: psutil.Process, name: str) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.name() == name)
    return False


def shoot(processes: list[psutil.Process]) -> bool:
    """Kill them; whether there were any."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return bool(processes)


@contextmanager
def standing(folder: Path, environment: dict[str, str] | None = None) -> Iterator[Standing]:
    """One until the end of the block; whatever is left of it then is killed."""
    with metadata() as database:
        made = Standing(folder, database, environment or {})
        try:
            with made.home:
                yield made
        finally:
            ended(marked(made.mark))
            made.orphans.end()


def deaf() -> dict[str, str]:
    """An environment in which nobody hears of runs: lineage goes to a port that nobody listens on."""
    transport = {"type": "http", "url": f"http://127.0.0.1:{free_port()}", "endpoint": "api/v1/lineage", "timeout": 5}
    return {"AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps(transport)}
