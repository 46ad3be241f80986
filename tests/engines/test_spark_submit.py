"""Jobs on a real standalone cluster: the driver beside the task, or on the cluster."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.engines.application import Application
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.spark_submit import SparkSubmitEngine
from airflow_provider_etl.engines.target import target_of
from airflow_provider_etl.spec import load_file
from demo.standalone import Standalone
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt
from tests.airflow.project import ROOT, Project
from tests.engines.planted import Watch
from tests.engines.test_run import started, still_running

pytestmark = pytest.mark.spark
TOKEN = "a" * 64
MARKER = "m4rker-of-a-cluster"
ENVIRONMENT = """
variables: {{raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}}
roots: [data]
engines:
  local: {{kind: spark_submit, {more}, memory: 600m, executors: 1, executor_memory: 600m, small: true, jars: {jars}}}
defaults: {{retries: {{attempts: 0}}}}
"""
RUN = ["run", "dags/pipelines/flights.yaml", "--window", "2013-01-01", "--json", "report.json"]
Clustered = Callable[[str], None]


def texts(folder: Path) -> list[str]:
    """What the files of a cluster say; its processes end meanwhile, and take their own folders away."""
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found += [(Path(parent) / name).read_text(errors="replace")] if not name.endswith(".jar") else []
    return found


@pytest.fixture
def clustered(project: Project) -> Clustered:
    """Gives the project an environment whose engine is a cluster."""

    def write(more: str) -> None:
        project.write("config/environments/local.yaml", ENVIRONMENT.format(more=more, jars=ROOT / "jars"))

    return write


def on_cluster(standalone: Standalone) -> str:
    return f"master: '{standalone.master}', deploy_mode: cluster, rest_port: {standalone.rest_port}"


def job_of(project: Project) -> Job:
    """The first day of flights, with a connection that nothing needs."""
    pipeline = load_file(project.folder / "dags/pipelines/flights.yaml").pipeline
    assert pipeline is not None
    window = pipeline.window_of("2013-01-01")
    plan = pipeline.plan(window, Attempt(number=attempt_number(pipeline.fingerprint), token=TOKEN, run="r"))
    return Job(token=TOKEN, plan=plan.to_json(), connections=Connections(Connection(id="crm", password=MARKER)))


def until(true: Callable[[], Any], seconds: float = 60) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def reported(project: Project) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((project.folder / "report.json").read_text())
    return found


def applications(standalone: Standalone) -> list[str]:
    state = standalone.state
    return [item["name"] for item in (*state["activeapps"], *state["completedapps"])]


def test_with_the_driver_beside_the_task(
    project: Project,
    clustered: Clustered,
    standalone: Standalone,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The connection says where the cluster is; nothing of it is told to anybody who only looks."""
    host, port = standalone.master.removeprefix("spark://").split(":")
    about = {"conn_type": "spark", "host": f"spark://{host}", "port": int(port), "password": MARKER}
    monkeypatch.setenv("AIRFLOW_CONN_CLUSTER", json.dumps(about | {"extra": {"keytab": MARKER}}))
    clustered("connection: cluster")
    with Watch() as watch:
        assert main(RUN) == 0
    report, said = reported(project), capfd.readouterr()
    assert [row["flight"] for row in project.rows()] == [11, 12, 13]
    name = next(name for name in applications(standalone) if name.startswith("flights "))
    assert name == f"flights etl-{report['attempt']['token'][:16]}"
    submitted = [text for text in watch.seen if "SparkSubmit" in text and "--master" in text]
    assert submitted
    assert any("CoarseGrainedExecutorBackend" in text for text in watch.seen), "an executor of the cluster worked"
    logs = texts(standalone.folder)
    assert logs
    told = [said.out, said.err, *watch.seen, *logs]
    assert not [text for text in told if MARKER in text]
    assert standalone.state["activeapps"] == []
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob("etl-*/spark.conf"))  # noqa: S108


def test_a_killed_task_takes_its_driver_along_and_the_cluster_its_executors_back(
    project: Project, clustered: Clustered, standalone: Standalone
) -> None:
    clustered(f"master: '{standalone.master}'")
    owner, below = started(project)
    try:
        assert until(lambda: standalone.state["activeapps"]), "the cluster works for it"
        below = psutil.Process(owner.pid).children(recursive=True)
    finally:
        owner.kill()
        owner.communicate()
    assert not still_running(below)
    assert until(lambda: not standalone.state["activeapps"]), "the master has seen its end"
    assert until(lambda: all(worker["coresused"] == 0 for worker in standalone.state["workers"]))
    assert not project.lake.exists()


def test_with_the_driver_on_the_cluster(
    project: Project, clustered: Clustered, standalone: Standalone, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its connections pass through a folder that both sides see, and are gone from it when they were read."""
    clustered(on_cluster(standalone))
    engine, job = SparkSubmitEngine(), job_of(project)
    with Watch() as watch:
        lines: list[str] = []
        report = Application(engine, job).run(lines.append)
    assert report["state"] == "loaded", report
    assert [row["flight"] for row in project.rows()] == [11, 12, 13]
    assert any(line.endswith(" is RUNNING") for line in lines)
    assert any(line.startswith("[etl] load lake: loaded") for line in lines)
    assert f"flights etl-{TOKEN[:16]}" in applications(standalone)
    jobs = project.folder / "data/staging/_jobs"
    assert [path.name for path in jobs.iterdir()] == ["_parcels"]
    logs = texts(standalone.folder)
    assert logs
    told = ["\n".join(lines), *capfd.readouterr(), *watch.seen, *logs]
    assert not [text for text in told if MARKER in text]


def test_a_driver_on_the_cluster_is_found_and_cancelled_by_another_process(
    project: Project, clustered: Clustered, standalone: Standalone
) -> None:
    clustered(on_cluster(standalone))
    job = job_of(project)
    handle = SparkSubmitEngine().submit(job)
    assert SparkSubmitEngine().submit(job) == handle, "it isn't started twice"
    target = target_of(job.plans[0]["spark"]["submit"], None)
    assert SparkSubmitEngine(target).find(TOKEN) == handle
    assert SparkSubmitEngine(target).find("b" * 64) is None
    assert SparkSubmitEngine().status(handle) == "running"
    SparkSubmitEngine().cancel(handle)
    SparkSubmitEngine().cancel(handle)
    other = SparkSubmitEngine()
    assert next(iter(list(other.output(handle))[-1:]), "").endswith(" is KILLED")
    assert other.status(handle) == "ended"
    with pytest.raises(InfrastructureError, match="Spark was cancelled"):
        other.report(handle)
    assert [path.name for path in (project.folder / "data/staging/_jobs").iterdir()] == ["_parcels"]
    assert SparkSubmitEngine(target).find(TOKEN) is None
    assert not project.lake.exists()


def test_a_master_that_is_not_there_is_one_error_that_a_retry_may_heal(
    project: Project, clustered: Clustered, capsys: pytest.CaptureFixture[str]
) -> None:
    clustered("master: 'spark://127.0.0.1:9'")
    assert main(RUN) == 1
    assert reported(project)["error"]["kind"] == "infrastructure"
    errors = [line for line in capsys.readouterr().out.splitlines() if "error" in line]
    assert len(errors) == 1
    assert "the Spark master spark://127.0.0.1:9 doesn't answer; start it, or mend the address" in errors[0]
