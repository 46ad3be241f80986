"""A real api-server, scheduler and dag-processor: three windows are backfilled, twice; a broken file stands beside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from demo.airflow_home import AirflowHome
from demo.backfills import create, under_way
from demo.runs import Runs
from tests.airflow.project import ENVIRONMENT, FLIGHTS, ROOT, Project
from tests.engines import planted
from tests.servers.listening import Listening, listening

pytestmark = [pytest.mark.e2e, pytest.mark.airflow, pytest.mark.spark, pytest.mark.timeout(1500)]

TASKS = ("extract", "transform", "check", "load", "finish")
MARKER = "m4rker 'of' those/who+want@to:know"
OPS = {
    "conn_type": "http",
    "host": "127.0.0.1",
    "login": "etl",
    "password": MARKER,
    "extra": {"endpoint": f"/{quote(MARKER)}", "headers": {"x-key": MARKER}},
}
DAYS = ["2013-01-01", "2013-01-02", "2013-01-03"]
# No window is loaded within a second of being queued: each is late, and somebody wants to know.
STAGED = (
    FLIGHTS.replace("max_active_windows: 1", "max_active_windows: 3")
    + """
freshness: 1s
notify: [{type: webhook, connection: ops, on: [late, success, failure]}]
"""
)
BROKEN = FLIGHTS.replace("owner:", "ownr:")
# Starts when flights are loaded, for the windows that were; reads the table that they were loaded into.
LATE = """
description: Late flights by carrier
schedule: {assets: [flights.lake]}
timezone: America/New_York
max_active_windows: 1
execution: fused
extract:
  flights: {type: table, format: delta, path: "${env.lake}/flights", window: {column: time_hour}}
transform:
  - from: flights
  - filter: late
  - aggregate: {by: [carrier], values: {flights: count(*), first: min(time_hour)}}
load:
  lake:
    type: delta
    path: ${env.lake}/late
    write: {strategy: replace_window, column: first}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three good files and a broken one, on a Spark that stays warm from task to task: 24 tasks start it here."""
    made = Project.make(tmp_path_factory.mktemp("e2e") / "project")
    made.write("config/environments/local.yaml", ENVIRONMENT.replace("kind: local,", "kind: local_warm,"))
    made.pipeline("flights", STAGED)
    made.pipeline("late", LATE)
    made.pipeline("orders", BROKEN)
    return made


@pytest.fixture(scope="module")
def server() -> Iterator[Listening]:
    """Where the messages go."""
    with listening() as made:
        yield made


@pytest.fixture(scope="module")
def lineage(project: Project) -> Path:
    """Where OpenLineage's events go: a line each."""
    return project.folder.parent / "lineage.jsonl"


@pytest.fixture(scope="module")
def home(project: Project, server: Listening, lineage: Path) -> Iterator[AirflowHome]:
    """A running Airflow of its own."""
    environment = {
        "PYTHONPATH": str(ROOT),
        **planted.environment(),
        "AIRFLOW_CONN_OPS": json.dumps(OPS | {"port": server.port}),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": json.dumps({"type": "file", "log_file_path": str(lineage), "append": True}),
    }
    with AirflowHome(project.folder.parent / "home", project.dags, environment, parallelism=2) as running:
        yield running


def test_a_broken_file_is_an_import_error_of_its_own_and_the_others_are_there(
    home: AirflowHome, project: Project
) -> None:
    home.wait(lambda: {"flights", "late"} <= set(dag_ids(home)), 120, "the DAGs are there")
    [error] = home.wait(lambda: import_errors(home), 60, "the import error is there")
    assert error["filename"] == "pipelines/orders.yaml"
    assert "pipelines/orders.yaml:5:1: error[unknown-key]: ownr" in error["stack_trace"]
    project.pipeline("orders", FLIGHTS)
    home.wait(lambda: not import_errors(home), 120, "the error goes when the file is mended")
    home.wait(lambda: "orders" in dag_ids(home), 60, "the mended file is a DAG")
    assert {"flights", "late"} <= set(dag_ids(home))


def test_a_backfill_loads_and_a_second_one_really_loads_again_the_same_rows(
    home: AirflowHome, project: Project
) -> None:
    for dag in ("flights", "late"):
        home.wait(lambda dag=dag: dag in dag_ids(home), 120, f"{dag} is there")
        home.api("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})
    backfill(home)
    first = finished(home, tries=1)
    assert [report["window"]["key"] for report in first] == DAYS
    assert {report["loads"]["lake"]["state"] for report in first} == {"loaded"}
    rows = project.rows()
    assert [row["flight"] for row in rows] == [11, 12, 13, 21, 22, 23, 31, 32, 33]
    late_windows_are_loaded(home, project)

    home.api("PATCH", "/api/v2/dags/late", {"is_paused": True})
    backfill(home, "--reprocess-behavior", "completed")
    second = finished(home, tries=2)
    for before, after in zip(first, second, strict=True):
        assert after["attempt"]["number"] > before["attempt"]["number"]
        assert after["attempt"]["token"] != before["attempt"]["token"], "a new generation"
        assert after["fingerprint"] == before["fingerprint"]
        assert after["loads"]["lake"]["state"] == "loaded"
        assert (after["loads"]["lake"]["rows_deleted"], after["loads"]["lake"]["rows_inserted"]) == (3, 3)
    assert min(report["loads"]["lake"]["version"] for report in second) > max(
        report["loads"]["lake"]["version"] for report in first
    )
    assert project.rows() == rows


def test_those_who_want_to_know_were_told_what_was_loaded_and_that_it_was_late(
    home: AirflowHome, server: Listening
) -> None:
    def told(event: str) -> list[dict[str, Any]]:
        return [body for _, _, body in server.heard if body["event"] == event]

    home.wait(lambda: len({body["run"] for body in told("late")}) == len(DAYS), 120, "three runs are told to be late")
    assert {body["pipeline"] for body in told("late")} == {"flights"}
    assert all("hasn't loaded within 0:00:01" in body["text"] for body in told("late"))
    windows = [body["windows"] for body in told("success")]
    assert len(windows) == 2 * len(DAYS), "each window, and each again"
    assert {window[:10] for [window] in windows} == set(DAYS)
    assert all("read" in body["text"] and "version" in body["text"] for body in told("success"))
    assert not told("failure")


def test_what_airflow_keeps_shows_no_secret(home: AirflowHome, project: Project, lineage: Path) -> None:
    """Task logs, and its database: rendered templates, XCom, serialised DAGs, events; and all that Spark has left."""
    logs = [path for path in (project.folder.parent / "home").rglob("*.log") if "task_id=load" in str(path)]
    assert any("[etl] load lake: loaded" in path.read_text() for path in logs)
    databases = list((project.folder.parent / "home").rglob("*.db"))
    said = "".join(map(planted.text_of, databases))
    assert "fingerprint" in said, "reports are in it"
    assert lineage.exists()
    assert planted.left([project.folder.parent], planted.secrets(MARKER)) == {}


def test_lineage_tells_what_was_read_checked_and_loaded(home: AirflowHome, project: Project, lineage: Path) -> None:
    def ended(task: str) -> list[dict[str, Any]]:
        events = [json.loads(line) for line in lineage.read_text().splitlines()]
        return [event for event in events if event["job"]["name"] == task and event["eventType"] == "COMPLETE"]

    home.wait(lambda: len(ended("flights.load")) == 2 * len(DAYS), 60, "each load has told its lineage")
    lake, drops = str(project.lake), str(project.folder / "data/raw/flights")
    [drop] = ended("flights.extract")[0]["inputs"]
    assert (drop["namespace"], drop["name"].rpartition("/")[0]) == ("file", drops)
    assert drop["inputFacets"]["dataQualityMetrics"]["rowCount"] == 3
    [guarded] = ended("flights.check")[0]["inputs"]
    assert (guarded["namespace"], guarded["name"]) == ("file", lake)
    assert all(item["success"] for item in guarded["inputFacets"]["dataQualityAssertions"]["assertions"])
    [loaded] = ended("flights.load")[0]["outputs"]
    assert (loaded["name"], loaded["outputFacets"]["outputStatistics"]["rowCount"]) == (lake, 3)
    [source] = ended("late.pipeline")[0]["inputs"]
    assert source["name"] == lake, "the next pipeline reads the dataset that this one loads"


def test_nothing_of_the_run_is_left_but_tables_and_the_retention(home: AirflowHome, project: Project) -> None:
    left = {path.name for path in project.folder.iterdir()}
    assert left == {"config", "dags", "data"}
    staged = list((project.folder / "data/staging/flights").glob("*/*/[!.]*"))  # Hadoop's checksums are hidden
    assert {path.name.split("-")[0] for path in staged} <= {"extract", "transform", "check", "_done"}
    assert len({path.parent for path in staged}) == len(DAYS), "one folder a window: attempts that are dead were swept"


def backfill(home: AirflowHome, *more: str) -> None:
    """Backfill the three windows."""
    dates = ["--from-date", "2013-01-01", "--to-date", "2013-01-04"]
    home.wait(lambda: not under_way(home, "flights"), 120, "the backfill before is closed")
    create(home, "flights", "--dag-id", "flights", *dates, "--max-active-runs", "3", *more)


def finished(home: AirflowHome, tries: int) -> list[dict[str, Any]]:
    """Wait for the three runs; the reports of their loads, each task having run this often, in order of the windows."""
    home.wait(lambda: done(home, tries), 900, f"three runs of flights are through, try {tries}", every=2)
    runs = sorted(runs_of(home, "flights"), key=lambda run: str(run["logical_date"]))
    for run in runs:
        path = f"/api/v2/dags/flights/dagRuns/{run['dag_run_id']}/taskInstances"
        tasks = {task["task_id"]: task for task in home.api("GET", path)["task_instances"]}
        assert {name: task["try_number"] for name, task in tasks.items()} == dict.fromkeys(TASKS, tries)
    return [report_of(home, "flights", run["dag_run_id"], "load") for run in runs]


def done(home: AirflowHome, tries: int) -> bool:
    """Whether three runs have succeeded whose loads have run this often.

    Raises:
        DemoError: a task has failed; with its log.
    """
    runs = runs_of(home, "flights")
    Runs(home).complain(Runs(home).of("flights"))
    through = [run for run in runs if run["state"] == "success" and load_tries(home, run["dag_run_id"]) == tries]
    return len(through) == len(DAYS)


def load_tries(home: AirflowHome, run: str) -> int:
    """How often a run's load has been started."""
    tries: int = home.api("GET", f"/api/v2/dags/flights/dagRuns/{run}/taskInstances/load")["try_number"]
    return tries


def late_windows_are_loaded(home: AirflowHome, project: Project) -> None:
    """Wait until runs started by the asset's events have loaded all windows, however they were bundled."""
    from deltalake import DeltaTable

    def loaded() -> bool:
        runs = runs_of(home, "late")
        assert not [run for run in runs if run["state"] == "failed"], f"logs in {home.folder}"
        reports = [report_of(home, "late", run["dag_run_id"], "pipeline") for run in runs if run["state"] == "success"]
        windows = [item for report in reports for item in (report if isinstance(report, list) else [report])]
        return {report["window"]["key"] for report in windows} == set(DAYS)

    home.wait(loaded, 600, "late has run for every window that flights loaded", every=2)
    table = DeltaTable(project.folder / "data/lake/late").to_pyarrow_table().to_pylist()
    assert [row["flights"] for row in table] == [2, 2, 2], "two of three flights a day are late"


def report_of(home: AirflowHome, dag: str, run: str, task: str) -> Any:
    """What a task returned."""
    path = f"/api/v2/dags/{dag}/dagRuns/{run}/taskInstances/{task}/xcomEntries/return_value?deserialize=true"
    return home.api("GET", path)["value"]


def runs_of(home: AirflowHome, dag: str) -> list[dict[str, Any]]:
    """The runs of a DAG."""
    runs: list[dict[str, Any]] = home.api("GET", f"/api/v2/dags/{dag}/dagRuns?limit=100")["dag_runs"]
    return runs


def dag_ids(home: AirflowHome) -> list[str]:
    """The DAGs that the UI shows."""
    return [dag["dag_id"] for dag in home.api("GET", "/api/v2/dags?limit=100")["dags"]]


def import_errors(home: AirflowHome) -> list[dict[str, Any]]:
    """The import errors that the UI shows."""
    errors: list[dict[str, Any]] = home.api("GET", "/api/v2/importErrors")["import_errors"]
    return errors
