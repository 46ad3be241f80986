"""Thin clients of a Spark Connect server: a window by them is a window, and whoever is killed doubles nothing."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_provider_etl.cli.run import run, submit
from airflow_provider_etl.engines.application import Application
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.connect import ConnectEngine
from airflow_provider_etl.engines.local_connect import LocalConnectEngine, close_all, root
from airflow_provider_etl.spec import Pipeline, load_file
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import VERBS, Attempt
from tests.airflow.project import ENVIRONMENT, FLIGHTS, Project

pytestmark = pytest.mark.spark

FUSED = FLIGHTS.replace("execution: staged", "execution: fused")
APPEND = FUSED.replace("{strategy: replace_window, column: time_hour}", "{strategy: append}")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An Airflow home, whose one server serves all tests of this file."""
    made = tmp_path_factory.mktemp("home")
    yield made
    close_all(str(made))
    assert not list(root(str(made)).glob("*/server.json")), "it ends when it is told"


@pytest.fixture
def project(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose engine is a warm server."""
    monkeypatch.setenv("AIRFLOW_HOME", str(home))
    made = Project.make(tmp_path / "project")
    made.write("config/environments/local.yaml", ENVIRONMENT.replace("kind: local,", "kind: local_connect,"))
    made.pipeline("flights", FUSED)
    monkeypatch.chdir(made.folder)
    return made


def opened(project: Project, text: str = FUSED) -> Pipeline:
    loaded = load_file(project.pipeline("flights", text))
    assert loaded.pipeline is not None, loaded.errors
    return loaded.pipeline


def server_of(home: Path) -> tuple[dict[str, int], Path]:
    [told] = root(str(home)).glob("*/server.json")
    return json.loads(told.read_text()), told.parent


def loaded_rows(project: Project) -> list[object]:
    return [row["flight"] for row in project.rows()]


def test_windows_are_loaded_and_loaded_again(project: Project, home: Path) -> None:
    pipeline = opened(project)
    project.drop(
        1, [*(f"1{n},UA,2013-01-01T0{n}:30:00-05:00,{10 * n}" for n in (1, 2)), "x,UA,2013-01-01T03:30:00-05:00,5"]
    )
    first = run(pipeline, pipeline.window_of("2013-01-01"))
    assert first["error"] is None
    assert first["datasets"]["flights"]["quarantined"] == 1
    server, _ = server_of(home)
    second = run(pipeline, pipeline.window_of("2013-01-02"))
    assert (first["state"], second["state"]) == ("loaded", "loaded")
    assert server_of(home)[0] == server, "one server for both"
    assert loaded_rows(project) == [11, 12, 21, 22, 23]
    again = run(pipeline, pipeline.window_of("2013-01-02"))
    assert (again["loads"]["lake"]["rows_inserted"], again["loads"]["lake"]["rows_deleted"]) == (3, 3)
    project.drop(1, ["14,UA,2013-01-01T01:30:00-05:00,10"])
    changed = run(pipeline, pipeline.window_of("2013-01-01"))
    assert changed["datasets"]["flights"]["quarantined"] == 0
    assert loaded_rows(project) == [14, 21, 22, 23]


def test_append_replaces_its_own_rows_and_cuts_through_none(project: Project) -> None:
    pipeline = opened(project, APPEND)
    for day in ("2013-01-01", "2013-01-02", "2013-01-01"):
        assert run(pipeline, pipeline.window_of(day))["error"] is None
    assert loaded_rows(project) == [11, 12, 13, 21, 22, 23]


def by_verbs(pipeline: Pipeline, day: str, token: str) -> list[dict[str, Any]]:
    """A window as Airflow runs it: a task per verb, each with a client of its own; their reports."""
    reports: list[dict[str, Any]] = []
    for verb in VERBS:
        number = reports[-1]["attempt"]["number"] if reports else attempt_number(pipeline.fingerprint)
        attempt = Attempt(number=number, token=f"{token}-{verb}", run=token, since=number if reports else 0)
        previous = reports[-1] if reports else None
        reports.append(
            submit(pipeline, pipeline.plan(pipeline.window_of(day), attempt, verbs=(verb,), previous=previous))
        )
        if reports[-1]["error"]:
            break
    return reports


def test_a_task_per_verb_hands_on_its_rows(project: Project) -> None:
    checked = "check:\n  - in_range: {column: dep_delay, max: 15, on_fail: quarantine}\n"
    pipeline = opened(project, FLIGHTS.replace("check:\n", checked, 1))
    project.drop(1, [*(f"1{n},UA,2013-01-01T0{n}:30:00-05:00,{10 * n}" for n in (1, 2)), "x,UA,2013-01-01,5"])
    for token in ("first", "second"):
        reports = by_verbs(pipeline, "2013-01-01", token)
        assert [report["error"] for report in reports] == [None] * 4
        assert reports[-1]["quarantined"] == {"flights.extract type flight": 1, "result.check in_range": 1}
        assert reports[-1]["loads"]["lake"]["rows_inserted"] == 1
        assert loaded_rows(project) == [11]
    staged = project.folder / "data/staging"
    assert len(list(staged.glob("*/*/*/_done"))) == 2
    assert not list(staged.glob("**/*.writing"))


def test_rows_of_a_table_that_another_window_has_loaded(project: Project) -> None:
    upstream = opened(project)
    from deltalake import DeltaTable

    for day in ("2013-01-01", "2013-01-02"):
        assert run(upstream, upstream.window_of(day))["error"] is None
    start, end = FUSED.index("  flights:\n"), FUSED.index("transform:")
    source = "  flights: {type: table, path: '${env.lake}/flights', window: {column: time_hour}}\n"
    text = (FUSED[:start] + source + FUSED[end:]).replace("path: ${env.lake}/flights", "path: ${env.lake}/copy")
    loaded = load_file(project.pipeline("copy", text))
    assert loaded.pipeline is not None, loaded.errors
    report = run(loaded.pipeline, loaded.pipeline.window_of("2013-01-02"))
    assert (report["error"], report["sources"]["flights"]["version"]) == (None, DeltaTable(project.lake).version())
    assert report["loads"]["lake"]["rows_inserted"] == 3


def without_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    monkeypatch.setenv("PATH", "/nowhere")


def by_url(project: Project, home: Path) -> None:
    """The same server, as an endpoint that somebody else owns."""
    server, folder = server_of(home)
    engine = f"url: 'sc://localhost:{server['port']}', token_file: {folder / 'secret'}, small: true"
    project.write(
        "config/environments/local.yaml",
        f"""
        variables: {{raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}}
        roots: [data]
        engines: {{far: {{kind: connect, {engine}}}}}
        defaults: {{engine: far, retries: {{attempts: 1, delay: 1s, backoff: fixed}}}}
        """,
    )


def test_an_endpoint_needs_no_java_here(project: Project, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(opened(project), opened(project).window_of("2013-01-01"))
    by_url(project, home)
    without_java(monkeypatch)
    pipeline = opened(project)
    report = run(pipeline, pipeline.window_of("2013-01-02"))
    assert report["error"] is None
    assert loaded_rows(project) == [11, 12, 13, 21, 22, 23]


def job_of(pipeline: Pipeline, token: str, number: int | None = None, day: str = "2013-01-01") -> Job:
    made = Attempt(number=number or attempt_number(pipeline.fingerprint), token=token, run="r")
    return Job(token=token, plan=pipeline.plan(pipeline.window_of(day), made).to_json())


LONG = [pytest.param(point, marks=pytest.mark.prove) for point in ("before staging", "audited", "before report")]


@pytest.mark.parametrize("point", ["before commit", "after commit", *LONG])
def test_killed_at_a_point_the_retry_ends_right(project: Project, point: str) -> None:
    pipeline = opened(project)
    job = job_of(pipeline, f"token of {point}")
    dying = LocalConnectEngine((sys.executable, "-c", _DIES % point))
    handle = dying.submit(job)
    list(dying.output(handle))
    with pytest.raises(Exception, match="killed"):
        dying.report(handle)
    engine = LocalConnectEngine()
    report = Application(engine, job).run(print)
    assert report["error"] is None
    assert report["loads"]["lake"]["state"] == (
        "already_done" if point in {"after commit", "before report"} else "loaded"
    )
    assert loaded_rows(project) == [11, 12, 13]


_DIES = """
import os, signal, sys
from spark_jobs import points, run
points.HOOK.reached = lambda point: os.kill(os.getpid(), signal.SIGKILL) if point == %r else None
sys.exit(run.main(sys.argv[1:]))
"""


def test_an_order_for_a_whole_table_is_refused() -> None:
    with pytest.raises(ConfigError, match="don't run over Spark Connect"):
        LocalConnectEngine().submit(Job(token="t", plan={"order": "audit", "plan": {}}))


def test_two_clients_of_one_window_leave_one_of_them(project: Project) -> None:
    pipeline = opened(project)
    reports: list[Mapping[str, Any]] = []
    jobs = [job_of(pipeline, f"racer {place}") for place in (1, 2)]
    work = [
        threading.Thread(target=lambda job=job: reports.append(Application(LocalConnectEngine(), job).run(print)))
        for job in jobs
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert [report["error"] for report in reports] == [None, None]
    assert "loaded" in [report["loads"]["lake"]["state"] for report in reports]
    assert loaded_rows(project) == [11, 12, 13]


def test_cancelled_the_server_stops_what_it_runs(project: Project, home: Path) -> None:
    run(opened(project), opened(project).window_of("2013-01-02"))
    by_url(project, home)
    java = psutil.Process(server_of(home)[0]["java"])
    engine = ConnectEngine((sys.executable, "-c", _SLOW))
    handle = engine.submit(job_of(opened(project), "slow"))
    lines = engine.output(handle)
    assert next(lines) == "running"
    assert java.cpu_percent(2) > 20
    engine.cancel(handle)
    list(lines)
    with pytest.raises(InfrastructureError, match="cancelled"):
        engine.report(handle)
    deadline = time.monotonic() + 60
    while (used := java.cpu_percent(1)) > 10 and time.monotonic() < deadline:
        pass
    assert used <= 10, "nothing of it runs on the server any more"


_SLOW = """
import json, sys, threading
from spark_jobs.connect import client
remote = json.load(open(sys.argv[sys.argv.index("--plan") + 1]))["spark"]["remote"]
spark = client.start(remote)
threading.Timer(1, lambda: print("running", flush=True)).start()
spark.range(0, 10**12, 1, 2).selectExpr("sum(sqrt(id))").collect()
"""
