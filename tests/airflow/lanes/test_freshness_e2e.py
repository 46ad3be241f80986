"""A real scheduler and triggerer of the versions in which a triggerer takes part: a run that waits too long is told of
once, while it waits, over a connection that only Airflow knows; one in time ends as soon as its load has ended. Later
versions' deadlines are missed in tests/airflow/test_e2e.py."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.airflow.lanes import PROJECT
from tests.airflow.lanes.versions import AIRFLOW_3, AIRFLOW_VERSION, Home
from tests.servers.listening import listening

pytestmark = [
    pytest.mark.airflow,
    pytest.mark.e2e,
    pytest.mark.prove,
    pytest.mark.skipif(AIRFLOW_VERSION >= (3, 2), reason="3.2 and later call a deadline's callback where tasks run"),
]

# Waits for a file that never comes, so that Spark never starts.
PIPELINE = """
schedule: manual
freshness: {freshness}
notify: [{{type: webhook, connection: ops, on: [late]}}]
wait_for:
  - file: {{path: "${{env.raw}}/never.csv", every: 1s, timeout: {timeout}, on_timeout: {end}}}
extract:
  export: {{type: files, path: "${{env.raw}}/never.csv", format: csv, window: all}}
load:
  lake: {{type: delta, path: "${{env.lake}}/{name}", write: {{strategy: append}}}}
"""
FILES = {
    "late": {"freshness": "5s", "timeout": "60s", "end": "fail"},
    "in_time": {"freshness": "1h", "timeout": "5s", "end": "skip"},
}


COMPONENTS = {"scheduler": ["--skip-serve-logs"], "triggerer": ["--skip-serve-logs"]}
if AIRFLOW_3:
    COMPONENTS["api-server"] = []


def settings(port: int) -> dict[str, str]:
    """Of the components, beside the home's: tasks run in processes of their own, and of 3.x ask the api-server."""
    return {
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        "_AIRFLOW__SKIP_DATABASE_EXECUTOR_COMPATIBILITY_CHECK": "1",  # a few tasks: SQLite bears them
        "AIRFLOW__CORE__PARALLELISM": "4",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(32),
    }


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def running(home: Home) -> Iterator[None]:
    """Every component of an Airflow that runs tasks and triggers, until the end of the block."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
    with (home.folder / "components.log").open("wb") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "airflow", name, *options],
                env=inherited | home.environment, stdout=log, stderr=log,
            )
            for name, options in COMPONENTS.items()
        ]  # fmt: skip
        try:
            yield
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(60)


def until(true: Callable[[], bool], seconds: float, what: str) -> float:
    """Wait until something is true; the seconds that it took."""
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < seconds, what
        time.sleep(0.5)
    return time.monotonic() - begin


@pytest.mark.timeout(900)
def test_a_late_run_is_told_of_while_it_runs_and_one_in_time_ends_with_its_load(tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT, project)
    shutil.rmtree(project / "dags/pipelines")
    (project / "dags/pipelines").mkdir()
    for name, options in FILES.items():
        (project / f"dags/pipelines/{name}.yaml").write_text(PIPELINE.format(name=name, **options))
    home = Home(tmp_path, project / "dags")
    home.airflow("db", "migrate")
    home.process_dags()
    assert home.import_errors() == {}
    with listening() as server:
        address = ("--conn-type", "http", "--conn-host", "127.0.0.1", "--conn-port", str(server.port))
        home.airflow("connections", "add", "ops", *address)
        port = free_port()
        home.environment |= settings(port)
        with running(home):
            until(lambda: bool(home.rows("select 1 from job where job_type = 'TriggererJob'")), 120, "the triggerer")
            until(lambda: not AIRFLOW_3 or answers(port), 120, "the api-server")
            for name in FILES:
                home.airflow("dags", "unpause", name)
                conf = '{"window_start": "2013-03-09T00:00", "window_end": "2013-03-10T00:00"}'
                home.airflow("dags", "trigger", name, "--conf", conf, "--run-id", name)
            until(lambda: len(server.heard) == 1, 200, "somebody is told")
            assert home.rows("select state from dag_run where run_id = 'late'") == [("running",)], "while it runs"
            done = "select 1 from dag_run where state in ('success', 'failed')"
            until(lambda: len(home.rows(done)) == 2, 300, "both runs end")
    assert dict(home.rows("select run_id, state from dag_run")) == {"late": "failed", "in_time": "success"}
    [(_, _, told)] = server.heard
    assert (told["event"], told["pipeline"], told["run"]) == ("late", "late", "late")
    if AIRFLOW_3:
        watched_by_deadlines(home)
    else:
        watched_by_tasks(home)


def watched_by_deadlines(home: Home) -> None:
    """The deadline that was missed has been called; the other one is gone with its run."""
    missed = "select run_id, callback_state from deadline join dag_run on dag_run.id = dagrun_id"
    assert home.rows(missed) == [("late", "success")]
    assert home.rows("select 1 from task_instance where task_id = 'freshness'") == []


def watched_by_tasks(home: Home) -> None:
    """The watches have succeeded, and the one in time didn't hold its run."""
    assert dict(home.rows("select run_id, state from task_instance where task_id = 'freshness'")) == {
        "late": "success",
        "in_time": "success",
    }
    held = """select (julianday(watch.end_date) - julianday(load.end_date)) * 86400 from task_instance watch
        join task_instance load on load.run_id = watch.run_id and load.task_id = 'load'
        where watch.task_id = 'freshness' and watch.run_id = 'in_time'"""
    [(seconds,)] = home.rows(held)
    assert seconds < 60, "the watch holds the run"
