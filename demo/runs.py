"""What Airflow says of the demo's runs: windows, tasks, tries, reports."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from demo.airflow_home import AirflowHome
from demo.prepare import ZONE

FINISHED: Final = ("success", "failed", "skipped", "upstream_failed", "removed")


class DemoError(Exception):
    """The demo found something that isn't as promised; the message says what, and where to look."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task of one run.

    Args:
        name: the task's id.
        state: as Airflow says, "none" before it is scheduled.
        tries: how often it was started, clears and retries together.
        seconds: of its last try; None before it has started.
    """

    name: str
    state: str
    tries: int
    seconds: float | None


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of one pipeline.

    Args:
        dag: the pipeline.
        run_id: Airflow's name of the run.
        state: queued, running, success or failed.
        start: first instant of the window, as ISO text in UTC; None where assets started the run.
        tasks: in the order of the graph.
    """

    dag: str
    run_id: str
    state: str
    start: str | None
    tasks: tuple[Task, ...]

    @property
    def label(self) -> str:
        """The window on the pipeline's clock, or what started the run."""
        if self.start is None:
            return "by asset"
        local = datetime.fromisoformat(self.start).astimezone(ZONE)
        return f"{local:%Y-%m-%d}" if local.hour == 0 and self.dag == "flights" else f"{local:%Y-%m-%d %H:%M}"

    @property
    def work(self) -> tuple[Task, ...]:
        """The tasks that report on windows: all but the one that ends the run."""
        return tuple(task for task in self.tasks if task.name != "finish")

    @property
    def tries(self) -> dict[str, int]:
        """Task -> how often it was started."""
        return {task.name: task.tries for task in self.tasks}


class Runs:
    """Reads runs and what they left.

    Args:
        home: a running Airflow.
    """

    def __init__(self, home: AirflowHome) -> None:
        self.home = home

    def of(self, dag: str) -> list[Run]:
        """All runs of a pipeline, oldest window first."""
        tasks: dict[str, list[dict[str, Any]]] = {}
        for item in self._list(f"/api/v2/dags/{dag}/dagRuns/~/taskInstances", "task_instances"):
            tasks.setdefault(item["dag_run_id"], []).append(item)
        runs = self._list(f"/api/v2/dags/{dag}/dagRuns", "dag_runs")
        found = [self._run(dag, run, tasks.get(run["dag_run_id"], [])) for run in runs]
        return sorted(found, key=lambda run: (run.start or "", run.run_id))

    def _run(self, dag: str, run: dict[str, Any], tasks: Iterable[dict[str, Any]]) -> Run:
        return Run(
            dag=dag,
            run_id=run["dag_run_id"],
            state=run["state"],
            start=run["data_interval_start"] if run["run_type"] != "asset_triggered" else None,
            tasks=tuple(sorted((_task(item) for item in tasks), key=lambda task: _place(task.name))),
        )

    def _list(self, path: str, key: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            page = self.home.api("GET", f"{path}?limit=100&offset={len(found)}")
            found.extend(page[key])
            if not page[key] or len(found) >= page["total_entries"]:
                return found

    def reports(self, run: Run, task: str) -> list[dict[str, Any]]:
        """What a task of a run returned: a report for each window that it worked on."""
        path = f"/api/v2/dags/{run.dag}/dagRuns/{quote(run.run_id, safe='')}/taskInstances/{task}"
        value = self.home.api("GET", f"{path}/xcomEntries/return_value?deserialize=false")["value"]
        found = json.loads(value) if isinstance(value, str) else value
        return found if isinstance(found, list) else [found]

    def last_reports(self, runs: Iterable[Run]) -> list[dict[str, Any]]:
        """The reports of each run's last task, which hold what the tasks before it said."""
        return [report for run in runs for report in self.reports(run, run.work[-1].name)]

    def attempts(self, runs: Iterable[Run]) -> dict[tuple[str, str], tuple[int, int]]:
        """(run id, task) -> how often the task was started, and the number under which it last wrote."""
        return {
            (run.run_id, task.name): (task.tries, max(r["attempt"]["number"] for r in self.reports(run, task.name)))
            for run in runs
            for task in run.work
        }

    def complain(self, runs: Iterable[Run]) -> None:
        """Stop as soon as a task has failed for good.

        Raises:
            DemoError: with the end of the failed task's log.
        """
        for run in runs:
            for task in run.tasks:
                if task.state == "failed":
                    raise DemoError(f"{run.dag}.{task.name} of {run.label} failed:\n{self.log(run, task)}")

    def log(self, run: Run, task: Task, lines: int = 25) -> str:
        """The last lines of a task's last log."""
        folder = self.home.folder / "logs" / f"dag_id={run.dag}" / f"run_id={run.run_id}" / f"task_id={task.name}"
        logs = sorted(folder.glob("**/*.log"), key=lambda path: path.stat().st_mtime)
        if not logs:
            return f"no log under {folder}"
        said = [_said(line) for line in logs[-1].read_text(errors="replace").splitlines()]
        return "\n".join([*said[-lines:], f"({logs[-1]})"])


def _task(item: dict[str, Any]) -> Task:
    return Task(
        name=item["task_id"],
        state=item["state"] or "none",
        tries=item["try_number"],
        seconds=item["duration"],
    )


def _place(name: str) -> tuple[int, str]:
    order = ("extract", "transform", "check", "load", "finish")
    return (order.index(name) if name in order else len(order), name)


def _said(line: str) -> str:
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    detail = entry.get("error_detail") or []
    raised = [f"{item.get('exc_type')}: {item.get('exc_value')}" for item in detail if isinstance(item, dict)]
    return " ".join([str(entry.get("event", "")), *raised])
