"""A real scheduler and triggerer: deferred waits outlive the triggerer, and end when what they wait for comes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.airflow_home import AirflowHome
from demo.backfills import create
from tests.airflow.project import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.airflow, pytest.mark.timeout(1200)]

DAGS = """
from datetime import UTC, datetime

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_provider_etl import WaitForFileSensor, WaitForPipelineSensor

OPTIONS = {
    "schedule": CronDataIntervalTimetable("@daily", timezone="UTC"),
    "start_date": datetime(2013, 1, 1, tzinfo=UTC),
    "end_date": datetime(2013, 1, 1, 12, tzinfo=UTC),
    "catchup": False,
}
with DAG("other", **OPTIONS):
    EmptyOperator(task_id="work")
with DAG("waits", **OPTIONS):
    waits = [
        WaitForFileSensor(task_id="file", path="FOLDER/${window.key}.csv", poke_interval=1, timeout=600),
        WaitForPipelineSensor(
            task_id="run", pipeline="other", by="airflow", window="same", poke_interval=1, timeout=600
        ),
    ]
    waits >> EmptyOperator(task_id="after")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dags folder, and a folder for drops beside it."""
    made = tmp_path_factory.mktemp("waits")
    (made / "drops").mkdir()
    (made / "dags").mkdir()
    (made / "dags/waits.py").write_text(DAGS.replace("FOLDER", str(made / "drops")))
    return made


@pytest.fixture(scope="module")
def home(folder: Path) -> Iterator[AirflowHome]:
    """A running Airflow of its own, with a triggerer."""
    settings = {
        "PYTHONPATH": str(ROOT),
        "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "2",
        "AIRFLOW__SCHEDULER__TASK_QUEUED_TIMEOUT_CHECK_INTERVAL": "5",
    }
    with AirflowHome(folder / "home", folder / "dags", settings, parallelism=2, triggerer=True) as running:
        yield running


def states(home: AirflowHome, dag: str) -> dict[str, str]:
    """Task -> state, of the one run of a DAG; empty where there is none yet."""
    runs = home.api("GET", f"/api/v2/dags/{dag}/dagRuns")["dag_runs"]
    if not runs:
        return {}
    found = home.api("GET", f"/api/v2/dags/{dag}/dagRuns/{runs[0]['dag_run_id']}/taskInstances")["task_instances"]
    return {task["task_id"]: task["state"] for task in found}


def backfill(home: AirflowHome, dag: str) -> None:
    """Run a DAG for the first of January 2013."""
    create(home, dag, "--dag-id", dag, "--from-date", "2012-12-31T12:00:00", "--to-date", "2013-01-01T12:00:00")


def xcom(home: AirflowHome, task: str) -> Any:
    """What a task of `waits` returned."""
    run = home.api("GET", "/api/v2/dags/waits/dagRuns")["dag_runs"][0]["dag_run_id"]
    path = f"/api/v2/dags/waits/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value?deserialize=true"
    return home.api("GET", path)["value"]


def test_deferred_waits_outlive_their_triggerer(home: AirflowHome, folder: Path) -> None:
    def known() -> set[str]:
        return {dag["dag_id"] for dag in home.api("GET", "/api/v2/dags")["dags"]}

    home.wait(lambda: {"waits", "other"} <= known(), 180, "the DAGs are there")
    backfill(home, "waits")
    both = {"file": "deferred", "run": "deferred"}
    home.wait(lambda: both.items() <= states(home, "waits").items(), 240, "both waits are deferred")

    home.restart("triggerer")
    (folder / "drops/2013-01-01.csv").write_text("a,b\n")
    home.wait(lambda: states(home, "waits")["file"] == "success", 240, "another triggerer finds the file")
    assert states(home, "waits")["run"] == "deferred"
    assert xcom(home, "file") == [f"file {folder}/drops/2013-01-01.csv, for window 2013-01-01: 1 file, 4 bytes"]

    backfill(home, "other")
    home.wait(lambda: states(home, "waits").get("after") == "success", 240, "the other DAG's run ends the wait")
    assert xcom(home, "run") == [
        "pipeline other: the same window, by airflow, for window 2013-01-01: 1 of 1 runs have succeeded"
    ]
