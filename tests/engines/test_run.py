"""`airflow-etl run`: one window, here and now, by the engine that tasks use; and what a killed owner leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress

import psutil
import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.cli.summary import summary
from tests.airflow.project import FLIGHTS, ROOT, Project


@pytest.mark.spark
def test_a_window_is_loaded_and_again_it_really_runs(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    numbers = []
    for _ in range(2):
        command = ["run", "dags/pipelines/flights.yaml", "--window", "2013-01-01", "--json", "report.json"]
        assert main(command) == 0
        report = json.loads((project.folder / "report.json").read_text())
        assert report["state"] == "loaded"
        assert report["loads"]["lake"]["state"] == "loaded"
        assert report["verbs"] == ["extract", "transform", "check", "load"]
        numbers.append(report["attempt"]["number"])
    assert numbers[1] > numbers[0]
    assert [row["flight"] for row in project.rows()] == [11, 12, 13]
    said = capsys.readouterr().out
    assert re.search(r"^\[etl\] load lake: loaded", said, re.MULTILINE)
    assert re.search(r"load lake: loaded by replace_window, 3 rows in, 3 out, version 2", said)
    assert re.search(r"checks: 3 of 3 passed", said)
    assert re.search(r"the start of Spark is \d+ % of it", said)
    left = {path.name for path in project.folder.iterdir()}
    assert left == {"config", "dags", "data", "report.json"}, "nothing of Spark's stays where the command was run"


@pytest.mark.spark
def test_a_failed_check_is_1_and_the_report_says_why(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = project.pipeline("flights", FLIGHTS.replace("row_count: {min: 1}", "row_count: {min: 4}"))
    assert main(["run", str(path), "--window", "2013-01-01", "--json", "report.json"]) == 1
    report = json.loads((project.folder / "report.json").read_text())
    assert report["state"] == "failed"
    assert report["error"]["kind"] == "data"
    assert not project.lake.exists()
    assert re.search(r"error\[data\]: check.result: 1 of 3 checks failed: row_count", capsys.readouterr().out)


def test_a_bad_file_and_a_bad_window_are_2_and_start_nothing(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl.engines.local import LocalEngine

    monkeypatch.setattr(LocalEngine, "submit", lambda *_: pytest.fail("started"))
    bad = project.pipeline("bad", FLIGHTS.replace("owner:", "ownr:"))
    assert main(["run", str(bad), "--window", "2013-01-01"]) == 2
    assert "error[unknown-key]" in capsys.readouterr().err
    assert main(["run", "dags/pipelines/flights.yaml", "--window", "2013-01-02/2013-01-01"]) == 2
    assert "empty or inverted" in capsys.readouterr().err
    assert main(["run", "nowhere.yaml", "--window", "2013-01-01"]) == 2


def test_no_java_is_1_with_a_report_that_says_so(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("JAVA_HOME", "/nowhere")
    assert main(["run", "dags/pipelines/flights.yaml", "--window", "2013-01-01", "--json", "report.json"]) == 1
    report = json.loads((project.folder / "report.json").read_text())
    assert report["error"]["kind"] == "config"
    assert "openjdk-17-jre-headless" in capsys.readouterr().out


def started(project: Project) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
    """Start `run` in a process of its own and wait until its JVM is well under way; (it, all processes below it)."""
    command = [sys.executable, "-m", "airflow_provider_etl.cli.main", "run", "dags/pipelines/flights.yaml"]
    owner = subprocess.Popen(
        [*command, "--window", "2013-01-01"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=project.folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and owner.poll() is None:
        below = psutil.Process(owner.pid).children(recursive=True)
        if any(is_java(process, 100_000_000) for process in below):
            return owner, below
        time.sleep(0.1)
    pytest.fail(f"no JVM came: {owner.communicate()[0]}")


def is_java(process: psutil.Process, memory: int = 0) -> bool:
    """Whether it is a JVM of more than so many bytes; a process that is gone by now isn't."""
    with suppress(psutil.NoSuchProcess):
        return process.name() == "java" and process.memory_info().rss > memory
    return False


def still_running(processes: list[psutil.Process], seconds: float = 10) -> list[psutil.Process]:
    """Which of the processes run on; one that is dead, but that nobody has asked for its exit code, doesn't."""
    deadline = time.monotonic() + seconds
    while (left := [process for process in processes if running(process)]) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.spark
def test_kill_9_of_the_owner_takes_spark_with_it(project: Project) -> None:
    owner, below = started(project)
    owner.kill()
    owner.communicate()
    left = still_running(below)
    for process in left:
        process.kill()
    assert not left
    time.sleep(1)
    assert not project.lake.exists(), "nothing was published by a process that nobody owned"


@pytest.mark.spark
def test_ctrl_c_takes_spark_with_it_and_is_told(project: Project) -> None:
    owner, below = started(project)
    owner.send_signal(signal.SIGINT)
    said, _ = owner.communicate(timeout=30)
    assert owner.returncode == 1
    assert "interrupted" in said
    assert "Traceback" not in said
    left = still_running(below)
    for process in left:
        process.kill()
    assert not left


def test_the_summary_tells_reasons_and_failed_checks() -> None:
    check = {"dataset": "orders", "column": "id"}
    report = {
        "pipeline": "p",
        "window": {"start": "a", "end": "b"},
        "state": "failed",
        "datasets": {"orders": {"read": 1200, "rows": 1000, "filtered": 0, "deduplicated": 150, "quarantined": 50}},
        "quarantined": {f"rule {number}: why": 60 - number for number in range(12)},
        "checks": [
            check | {"success": True, "name": "not_null", "message": "", "on_fail": "stop"},
            check | {"success": False, "name": "unique", "message": "3 rows twice", "on_fail": "warn"},
        ],
        "loads": {},
        "seconds": {"start": 3.0, "extract": 1.0, "total": 6.0},
        "error": {"kind": "data", "message": "it broke", "where": "check.orders"},
    }
    said = summary(report).splitlines()
    assert said[0] == "p a/b: failed"
    assert said[2].split() == ["orders", "1,200", "1,000", "0", "150", "50"]
    assert "  set aside 60: rule 0: why" in said
    assert "  set aside 99: for 2 more reasons" in said
    assert "  checks: 1 of 2 passed" in said
    assert "    unique(orders.id): 3 rows twice (warn)" in said
    assert "  seconds: 6.0 (start 3.0, extract 1.0); the start of Spark is 50 % of it" in said
    assert said[-1] == "  error[data]: check.orders: it broke"
