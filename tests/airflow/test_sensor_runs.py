"""Given a wait, when its condition comes true, never or can't, then the task ends so; in Airflow's own `dag.test()`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, Project

pytestmark = pytest.mark.airflow

WHERE = [{}, {"deferrable": False, "mode": "reschedule"}, {"deferrable": False, "mode": "poke"}]
HAND = """
from datetime import UTC, datetime, timedelta

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

from airflow_provider_etl import *

DAILY = CronDataIntervalTimetable("@daily", timezone="UTC")
with DAG("hand", schedule=DAILY, start_date=datetime(2013, 1, 1, tzinfo=UTC)):
    wait = SENSOR(task_id="wait", poke_interval=1, retries=1, retry_delay=timedelta(seconds=1), ARGUMENTS)
    wait >> EmptyOperator(task_id="after")
"""


def run(project: Project, file: str, dag: str, **more: Any) -> Any:
    """Run a DAG for the first of January 2013."""
    import pendulum
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(dag_folder=str(project.dags / file), bundle_path=project.dags, bundle_name="dags-folder")
    assert not bag.import_errors, bag.import_errors
    return bag.dags[dag].test(logical_date=pendulum.datetime(2013, 1, 2, 5 if dag != "hand" else 0), **more)


def by_hand(project: Project, sensor: str, **arguments: Any) -> tuple[dict[str, str], Any]:
    """Run a DAG of one sensor: task -> state, and what the sensor returned."""
    given = {"timeout": 30} | arguments
    text = ", ".join(f"{name}={value!r}" for name, value in given.items())
    project.write("dags/hand.py", HAND.replace("SENSOR", sensor).replace("ARGUMENTS", text))
    instances = {ti.task_id: ti for ti in run(project, "hand.py", "hand").get_task_instances()}
    states = {name: str(ti.state) for name, ti in instances.items()}
    return states, instances["wait"].xcom_pull(task_ids="wait")


def arrives_after_the_first_asking(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a file as soon as a worker has asked, so that it is found by the second asking."""
    from airflow_provider_etl.sensors import base

    real = base.ask_all

    def asked(*arguments: Any, **more: Any) -> Any:
        told = real(*arguments, **more)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        return told

    monkeypatch.setattr(base, "ask_all", asked)


@pytest.mark.parametrize("where", WHERE)
def test_a_file_that_comes_later_is_found(
    deployed: Project,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: dict[str, Any],
) -> None:
    path = tmp_path / "late/2013-01-01.csv"
    arrives_after_the_first_asking(path, monkeypatch)
    states, found = by_hand(deployed, "WaitForFileSensor", path=f"{path.parent}/${{window.key}}.csv", **where)
    said = capfd.readouterr().out
    assert states == {"wait": "success", "after": "success"}
    assert found == [f"file {path}, for window 2013-01-01: 1 file, 1 bytes"]
    assert f"[etl] waiting for file {path}, for window 2013-01-01" in said
    place = {"poke": "", "reschedule": ", rescheduled"}.get(where.get("mode", ""), ", deferred to the triggerer")
    assert re.search(rf"\[etl\] not yet: nothing is there; asked again every 1 s, \d+ s left{place}", said)
    assert f"[etl] found file {path}" in said


def test_jinja_is_for_dags_written_by_hand(deployed: Project, tmp_path: Path) -> None:
    (tmp_path / "20130101.csv").write_text("x")
    path = f"{tmp_path}/{{{{ data_interval_start.strftime('%Y%m%d') }}}}.csv"
    assert by_hand(deployed, "WaitForFileSensor", path=path)[0]["after"] == "success"


@pytest.mark.parametrize("where", WHERE)
def test_when_the_time_is_up_the_task_fails_once_and_says_what_was_seen_last(
    deployed: Project, capfd: pytest.CaptureFixture[str], tmp_path: Path, where: dict[str, Any]
) -> None:
    states, _ = by_hand(deployed, "WaitForFileSensor", path=f"{tmp_path}/never", timeout=2, **where)
    said = capfd.readouterr().out
    assert states["wait"] == "failed", "three retries are configured: none is taken"
    assert (
        f"waited 2 s for file {tmp_path}/never, for window 2013-01-01. Seen last: nothing is there. Look after" in said
    )
    assert "raise timeout" in said


def test_on_timeout_skip_skips_what_comes_after(deployed: Project, tmp_path: Path) -> None:
    states, _ = by_hand(deployed, "WaitForFileSensor", path=f"{tmp_path}/never", timeout=1, on_timeout="skip")
    assert states == {"wait": "skipped", "after": "skipped"}


def test_what_waiting_cant_mend_fails_at_once_with_on_timeout_skip_too(
    deployed: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    states, _ = by_hand(deployed, "WaitForFileSensor", path="data/x", on_timeout="skip")
    assert states["wait"] == "failed"
    assert re.search(r"AirflowFailException: wait: path: 'data/x' begins nowhere", capfd.readouterr().out)


def test_the_trigger_brings_back_what_it_cant_ask(deployed: Project, capfd: pytest.CaptureFixture[str]) -> None:
    """The first asking is the worker's, the second the trigger's; the connection is in neither's rendered fields."""
    states, _ = by_hand(deployed, "WaitForSqlSensor", connection="nowhere", query="select 1")
    said = capfd.readouterr().out
    assert states["wait"] == "failed"
    assert "there is no connection 'nowhere'" in said


# -- of a pipeline file ------------------------------------------------------------------------------------------

WAITING = (
    FLIGHTS.replace("attempts: 3", "attempts: 0")
    + """
wait_for:
  - file: {path: "${env.raw}/marks/${window.key}", every: 1s, timeout: 30s, task: mark}
  - pipeline: {name: carriers, every: 1s, timeout: 30s}
"""
)
CARRIERS = FLIGHTS.replace("${env.lake}/flights", "${env.lake}/carriers")


def loaded_by_carriers(project: Project) -> None:
    """Commit what a load of `carriers` commits for the first of January: the unit in its table's log."""
    from airflow_provider_etl.spec import load_file
    from tests.sensors.test_pipeline import load

    other = load_file(project.dags / "pipelines/carriers.yaml").pipeline
    assert other is not None
    load(other, other.window_of("2013-01-01"), "lake")


def test_a_pipeline_waits_for_a_file_and_for_another_pipelines_window(
    deployed: Project, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes after the waits is only marked: no Spark is needed to see that it isn't begun too early."""
    waiting = WAITING.replace("${env.lake}/flights", "${env.lake}/waiting").replace("staged", "fused")
    deployed.pipeline(
        "waiting", waiting.replace("name: carriers, every: 1s, timeout: 30s", "name: carriers, timeout: 2s, every: 1s")
    )
    deployed.pipeline("carriers", CARRIERS)
    arrives_after_the_first_asking(deployed.folder / "data/raw/marks/2013-01-01", monkeypatch)
    states = states_of(deployed, "waiting")
    assert states == {"wait_mark": "success", "wait_2": "failed", "pipeline": "upstream_failed"}
    assert "Seen last: load lake lacks 2013-01-01T05:00:00Z/2013-01-02T05:00:00Z" in capfd.readouterr().out

    loaded_by_carriers(deployed)
    states = states_of(deployed, "waiting")
    assert states == dict.fromkeys(["wait_mark", "wait_2", "pipeline"], "success")


def states_of(project: Project, dag: str) -> dict[str, str]:
    """Task -> state, after a run for the first of January whose other tasks are marked."""
    done = run(project, "etl.py", dag, mark_success_pattern="pipeline")
    return {ti.task_id: str(ti.state) for ti in done.get_task_instances()}


# -- what is asked for ---------------------------------------------------------------------------------------------


def test_every_window_of_the_asset_events_is_asked_for(project: Project) -> None:
    """The context is a made-up one: of Airflow's there is only what names the windows."""
    from types import SimpleNamespace

    from airflow.sdk import DAG, Asset

    from airflow_provider_etl import WaitSensor

    mapping = {
        "schedule": {"assets": ["carriers.lake"]},
        "extract": {"a": {"type": "files", "path": "data/${window.key}", "format": "csv"}},
        "load": {"lake": {"type": "delta", "path": "data/lake/a", "write": {"strategy": "append"}}},
        "wait_for": [{"file": "data/${window.key}.done"}],
    }
    with DAG("hand", schedule=None) as dag:
        sensor = WaitSensor(task_id="wait", pipeline=mapping, wait=1)
    dag.fileloc = str(project.dags / "hand.py")
    days = [{"start": f"2013-01-0{n}T00:00:00Z", "end": f"2013-01-0{n + 1}T00:00:00Z"} for n in (2, 1)]
    events = [SimpleNamespace(timestamp=n, extra={"window": day}) for n, day in enumerate(days)]
    context = {"triggering_asset_events": {Asset(name="carriers.lake"): events}, "dag_run": None, "params": {}}
    asks = sensor.asks(context)
    assert [ask.told for ask in asks] == [
        f"file {project.folder}/data/2013-01-01.done, for window 2013-01-01",
        f"file {project.folder}/data/2013-01-02.done, for window 2013-01-02",
    ]


def test_a_wait_that_the_file_has_no_more_is_named(project: Project) -> None:
    from airflow.sdk import DAG

    from airflow_provider_etl import WaitSensor
    from airflow_provider_etl.compat import AirflowFailException

    project.pipeline("flights", WAITING)
    with DAG("hand", schedule=None) as dag:
        sensor = WaitSensor(task_id="wait", pipeline="pipelines/flights.yaml", wait="drop")
    dag.fileloc = str(project.dags / "hand.py")
    with pytest.raises(AirflowFailException, match="flights has no wait 'drop'; expected mark, 2"):
        sensor.execute({"params": {}})
