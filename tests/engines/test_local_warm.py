"""A warm Spark serves one task after the other, and dies with a task that dies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_provider_etl.cli.run import run
from airflow_provider_etl.engines.application import Application
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.local_warm import LocalWarmEngine, close_all, root
from airflow_provider_etl.spec import Pipeline, load_file
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt
from tests.airflow.project import ENVIRONMENT, FLIGHTS, ROOT, Project
from tests.engines.test_run import still_running

pytestmark = pytest.mark.spark


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """A project whose engine stays warm, with drivers of its own that end with the test."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    made = Project.make(tmp_path / "project")
    made.write("config/environments/local.yaml", ENVIRONMENT.replace("kind: local,", "kind: local_warm,"))
    monkeypatch.chdir(made.folder)
    yield made
    left = drivers(tmp_path)
    close_all(str(tmp_path))
    assert not still_running(left), "idle drivers end when they are told"
    assert not root(str(tmp_path)).exists()


def drivers(home: Path) -> list[psutil.Process]:
    """The drivers of an Airflow home, and what they started."""
    folder = str(root(str(home)))
    found = [item for item in psutil.process_iter() if folder in " ".join(cmdline(item))]
    return found + [child for item in found for child in item.children(recursive=True)]


def cmdline(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def opened(project: Project, text: str = FLIGHTS) -> Pipeline:
    loaded = load_file(project.pipeline("flights", text))
    assert loaded.pipeline is not None, loaded.errors
    return loaded.pipeline


def test_the_second_window_finds_spark_started(project: Project, capsys: Any, tmp_path: Path) -> None:
    pipeline = opened(project)
    first = run(pipeline, pipeline.window_of("2013-01-01"))
    [driver, *_] = drivers(tmp_path)
    second = run(pipeline, pipeline.window_of("2013-01-02"))
    assert (first["state"], second["state"]) == ("loaded", "loaded")
    assert second["seconds"]["start"] < 0.2 * first["seconds"]["start"]
    assert drivers(tmp_path)[0].pid == driver.pid
    assert [row["flight"] for row in project.rows()] == [11, 12, 13, 21, 22, 23]
    assert "[etl] load lake: loaded, 3 rows" in capsys.readouterr().out


def test_two_tasks_at_once_have_two_drivers(project: Project, tmp_path: Path) -> None:
    pipeline = opened(project)
    reports: list[dict[str, Any]] = []
    work = [
        threading.Thread(target=lambda day=day: reports.append(run(pipeline, pipeline.window_of(f"2013-01-0{day}"))))
        for day in (1, 2)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert [report["state"] for report in reports] == ["loaded", "loaded"]
    assert len([item for item in drivers(tmp_path) if "spark_jobs.serve" in cmdline(item)]) == 2
    assert len(project.rows()) == 6


def test_a_driver_whose_job_failed_ends(project: Project, tmp_path: Path) -> None:
    pipeline = opened(project, FLIGHTS.replace("row_count: {min: 1}", "row_count: {min: 4}"))
    report = run(pipeline, pipeline.window_of("2013-01-01"))
    assert report["state"] == "failed"
    assert "row_count" in report["error"]["message"]
    assert not still_running(drivers(tmp_path))


def test_cancelled_it_takes_spark_with_it(project: Project, tmp_path: Path) -> None:
    pipeline = opened(project)
    number = attempt_number(pipeline.fingerprint)
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), Attempt(number=number, token="t", run="r"))
    application = Application(LocalWarmEngine(), Job(token="t", plan=plan.to_json()))
    seen: list[psutil.Process] = []

    def cancel(_line: str) -> None:
        seen.extend(drivers(tmp_path))
        application.cancel()

    with pytest.raises(InfrastructureError, match="ended before it had a report"):
        application.run(cancel)
    assert seen
    assert not still_running(seen)
    assert not project.lake.exists()


def test_kill_9_of_the_owner_takes_spark_with_it(project: Project, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "airflow_provider_etl.cli.main", "run", "dags/pipelines/flights.yaml"]
    owner = subprocess.Popen(
        [*command, "--window", "2013-01-01"], env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not any(item.name() == "java" for item in drivers(tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.1)
    seen = drivers(tmp_path)
    owner.kill()
    owner.wait()
    assert any("spark_jobs.serve" in cmdline(item) or item.name() == "java" for item in seen)
    assert not still_running(seen)
    assert not project.lake.exists()


def test_a_folder_of_somebody_else_is_refused(project: Project, tmp_path: Path) -> None:
    folder = root(str(tmp_path))
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    pipeline = opened(project)
    report = run(pipeline, pipeline.window_of("2013-01-01"))
    assert "not ours alone" in json.dumps(report["error"])


def test_a_plan_of_another_release_is_a_matter_of_configuration(project: Project) -> None:
    pipeline = opened(project)
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token="t", run="r")
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), attempt).to_json() | {"plan_version": 99}
    with pytest.raises(ConfigError, match="plan version 99"):
        Application(LocalWarmEngine(), Job(token="t", plan=plan)).run(print)


def test_an_idle_driver_whose_java_died_is_not_handed_out(project: Project, tmp_path: Path) -> None:
    pipeline = opened(project)
    assert run(pipeline, pipeline.window_of("2013-01-01"))["state"] == "loaded"
    [java] = [item for item in drivers(tmp_path) if item.name() == "java"][:1]
    java.kill()
    time.sleep(2.5)  # it looks once a second
    assert run(pipeline, pipeline.window_of("2013-01-02"))["state"] == "loaded"
    assert len(project.rows()) == 6


def test_the_loss_of_the_parent_ends_the_job(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = opened(project)
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token="t", run="r")
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), attempt)
    engine = LocalWarmEngine()
    monkeypatch.setattr(engine, "_parent", 1)
    with pytest.raises(InfrastructureError, match="owns this task is gone"):
        Application(engine, Job(token="t", plan=plan.to_json())).run(print)
    assert not still_running(drivers(tmp_path))
    assert not project.lake.exists()
