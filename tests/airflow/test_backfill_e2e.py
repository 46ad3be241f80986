"""The backfill command on a real api-server, scheduler and dag-processor: one Airflow for the lot, in order."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from demo.airflow_home import AirflowHome
from tests.airflow.project import ENVIRONMENT, FLIGHTS, ROOT, Project

pytestmark = [pytest.mark.e2e, pytest.mark.airflow, pytest.mark.spark, pytest.mark.timeout(1200)]

FUSED = FLIGHTS.replace("execution: staged", "execution: fused").replace("attempts: 3", "attempts: 0")
WARM = ENVIRONMENT.replace("kind: local,", "kind: local_warm,")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """One pipeline, a task and a warm Spark for each window, since it is the command that is tried here."""
    made = Project.make(tmp_path_factory.mktemp("backfill") / "project")
    made.write("config/environments/local.yaml", WARM)
    made.pipeline("flights", FUSED)
    return made


@pytest.fixture(scope="module")
def home(project: Project) -> Iterator[AirflowHome]:
    """A running Airflow of its own."""
    environment = {"PYTHONPATH": str(ROOT)}
    with AirflowHome(project.folder.parent / "home", project.dags, environment, parallelism=2) as running:
        running.wait(lambda: running.api("GET", "/api/v2/dags?limit=9")["dags"], 120, "the DAG is there")
        yield running


def begun(home: AirflowHome, *command: str) -> subprocess.Popen[str]:
    """Start `airflow …` or `airflow-etl …`."""
    module = "airflow" if command[0] == "airflow" else "airflow_provider_etl.cli.main"
    return subprocess.Popen(
        [sys.executable, "-m", module, *command[1:]],
        env=home.environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def backfill(home: AirflowHome, *arguments: str) -> tuple[int, str]:
    """Run `airflow-etl backfill …` to its end: (exit code, what it said)."""
    process = begun(home, "airflow-etl", "backfill", *arguments)
    said, _ = process.communicate(timeout=400)
    return process.returncode, said


def version(project: Project) -> int:
    """The table's version."""
    from deltalake import DeltaTable

    found: int = DeltaTable(project.lake).version()
    return found


def run_of(home: AirflowHome, day: int) -> dict[str, Any]:
    """The run of a day of January 2013."""
    runs = home.api("GET", "/api/v2/dags/flights/dagRuns?limit=100")["dag_runs"]
    [found] = [run for run in runs if str(run["logical_date"]).startswith(f"2013-01-0{day}T05")]
    return dict(found)


def forget(home: AirflowHome, day: int) -> None:
    """Delete a run, as `airflow db clean` does after a while: the table holds its window all the same."""
    home.api("DELETE", f"/api/v2/dags/flights/dagRuns/{run_of(home, day)['dag_run_id']}")


def test_it_shows_what_would_run_and_starts_nothing_while_the_dag_is_paused(home: AirflowHome) -> None:
    code, said = backfill(home, "flights", "--from", "2013-01-01", "--to", "2013-01-04", "--dry-run")
    assert code == 0, said
    assert "1 window left out: behind its end, 2013-01-04 00:00" in said
    assert "windows that start from 2013-01-01 00:00 to 2013-01-04 23:59, both included (America/New_York)" in said
    assert "3 windows: 3 to run" in said
    assert "Spark jobs: 3; 1 window at once; time: unknown" in said
    assert "the DAG is paused" in said
    code, said = backfill(home, "flights", "--from", "2013-01-01")
    assert code == 1
    assert "give --unpause" in said
    assert home.api("GET", "/api/v2/backfills?dag_id=flights")["backfills"] == []


def test_airflow_dags_backfill_is_there_again_and_survives_ctrl_c(home: AirflowHome, project: Project) -> None:
    dates = ("-s", "2013-01-01T05:00:00+00:00", "-e", "2013-01-02")
    command = begun(home, "airflow", "dags", "backfill", "flights", *dates, "--local", "--unpause")
    said = ""
    for line in command.stdout or ():
        said += line
        if "running" in line:
            break
    command.send_signal(signal.SIGINT)
    rest, _ = command.communicate(timeout=60)
    said += rest
    assert command.returncode == 130, said
    assert "airflow dags backfill is airflow-etl backfill here" in said
    assert "note: --local changes nothing here" in said
    assert "not in it: 2013-01-02, which --to 2013-01-02 would mean" in said
    assert "backfill 1 goes on; follow it again: airflow-etl backfill --follow 1" in said
    assert "Traceback" not in said

    code, said = backfill(home, "--follow", "1")
    assert code == 0, said
    assert "backfill 1 of flights: 1 succeeded, 0 failed" in said
    assert [row["flight"] for row in project.rows()] == [11, 12, 13]


def test_missing_runs_what_the_table_lacks_and_another_backfill_waits_for_it(
    home: AirflowHome, project: Project
) -> None:
    range_ = ("flights", "--from", "2013-01-01", "--to", "2013-01-03")
    code, said = backfill(home, *range_, "--missing", "--no-wait")
    assert code == 0, said
    assert "3 windows: 2 to run, 1 left alone" in said
    home.api("PATCH", "/api/v2/dags/flights", {"is_paused": True})  # however slow we are, it is still active then
    code, said = backfill(home, *range_, "--reprocess", "completed", "--no-wait")
    assert (code, "is active, and --no-wait was given" in said) == (1, True), said

    code, said = backfill(home, *range_, "--reprocess", "completed", "--unpause")
    assert code == 0, said
    assert "flights is unpaused" in said
    assert "first, backfill 2" in said
    assert "3 windows: 3 to run again" in said
    assert "backfill 3 of flights: 3 succeeded, 0 failed" in said
    assert [row["flight"] for row in project.rows()] == [11, 12, 13, 21, 22, 23, 31, 32, 33]
    assert version(project) >= 6, "each window was loaded twice"


def test_a_window_without_a_run_is_loaded_again_only_if_it_is_asked_for(home: AirflowHome, project: Project) -> None:
    before = version(project)
    forget(home, 2)
    code, said = backfill(home, "flights", "--from", "2013-01-02")
    assert (code, "finds its work done" in said) == (0, True), said
    assert version(project) == before
    forget(home, 2)
    code, said = backfill(home, "flights", "--from", "2013-01-02", "--reprocess", "completed")
    assert code == 0, said
    assert version(project) == before + 1


def test_a_batch_is_one_spark_job_and_the_runs_find_their_work_done(home: AirflowHome, project: Project) -> None:
    rows, before = project.rows(), version(project)
    forget(home, 3)
    range_ = ("--from", "2013-01-01", "--to", "2013-01-03")
    code, said = backfill(home, "flights", *range_, "--reprocess", "completed", "--batch", "30d")
    assert code == 0, said
    assert "Spark job 1 of 1: 3 windows, 2013-01-01 .. 2013-01-03" in said
    assert "2 windows keep the runs that they have" in said
    assert "by `airflow-etl backfill --batch`" in run_of(home, 1)["note"]
    assert version(project) == before + 3
    assert project.rows() == rows
    path = f"/api/v2/dags/flights/dagRuns/{run_of(home, 3)['dag_run_id']}/taskInstances/pipeline/xcomEntries"
    assert home.api("GET", f"{path}/return_value?deserialize=true")["value"]["state"] == "skipped"


def test_a_backfill_that_is_ended_leaves_no_run_behind(home: AirflowHome) -> None:
    range_ = ("--from", "2013-01-01", "--to", "2013-01-03")
    code, said = backfill(home, "flights", *range_, "--reprocess", "completed", "--no-wait")
    assert code == 0, said
    home.api("PATCH", "/api/v2/dags/flights", {"is_paused": True})  # however slow we are, the last ones wait
    number = said.rpartition("--cancel ")[2].strip()
    code, said = backfill(home, "--cancel", number)
    assert code == 0, said
    assert f"backfill {number} of flights is ended" in said
    assert "2013-01-03 had run before: its rows are as they were" in said
    assert run_of(home, 3)["state"] == "failed"
    path = f"/api/v2/dags/flights/dagRuns/{run_of(home, 3)['dag_run_id']}/clear"
    home.api("POST", path, {"dry_run": False, "only_failed": False})
    home.api("PATCH", "/api/v2/dags/flights", {"is_paused": False})
    home.wait(lambda: run_of(home, 3)["state"] == "success", 200, "the run that was cleared later runs", every=2)
