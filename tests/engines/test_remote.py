"""A driver elsewhere and its folder: what it says, how it ends, and whose report is taken for whose."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.shared import laid_out
from airflow_provider_etl.spec import load_file
from spark_jobs.connections import Connection, Connections
from spark_jobs.hiding import Hiding
from spark_jobs.plan import Attempt
from spark_jobs.remote import _Lines
from tests.airflow.project import ROOT, Project

SECRET = "m4rker-of-a-driver"


def laid(folder: Path, plan: object) -> Path:
    """A job's folder; its driver waits until somebody writes its plan to the pipe that `begun` makes."""
    laid_out(folder, Job(token="t", plan=plan, connections=Connections(Connection(id="crm", password=SECRET))))  # type: ignore[arg-type]
    return folder


def begun(folder: Path) -> subprocess.Popen[str]:
    (folder / "plan.json").unlink()
    os.mkfifo(folder / "plan.json")
    driver = subprocess.Popen(
        [sys.executable, "-m", "spark_jobs.remote", "--folder", str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (folder / "output.log").exists():
        assert time.monotonic() < deadline
        assert driver.poll() is None, driver.communicate()
        time.sleep(0.02)
    return driver


def plan_of(project: Project, jars: str) -> dict[str, Any]:
    """A plan that fails before Spark is started, since there are no jars, and whose report says so."""
    pipeline = load_file(project.folder / "dags/pipelines/flights.yaml").pipeline
    assert pipeline is not None
    plan = pipeline.plan(pipeline.window_of("2013-01-01"), Attempt(number=1, token="t", run="r")).to_json()
    plan["spark"]["jars"] = jars
    return plan


def test_it_ends_with_the_jvm_that_has_started_it(tmp_path: Path) -> None:
    driver = begun(laid(tmp_path / "t", {}))
    assert driver.stdin
    driver.stdin.close()
    assert driver.wait(timeout=30) == 3


def test_one_that_was_taken_for_dead_reports_to_nobody(tmp_path: Path, project: Project) -> None:
    """Its job was submitted again, so another folder has its name now."""
    plan = plan_of(project, str(tmp_path))
    driver = begun(laid(tmp_path / "t", plan))
    aside = (tmp_path / "t").rename(tmp_path / "aside")
    laid(tmp_path / "t", plan)
    (aside / "plan.json").write_text(json.dumps(plan))
    assert driver.wait(timeout=60) == 1
    assert json.loads((aside / "report.json").read_text())["state"] == "failed"
    assert sorted(path.name for path in (tmp_path / "t").iterdir()) == ["connections.json", "plan.json"]
    assert "no Delta jar" in (aside / "output.log").read_text()
    assert not (aside / "connections.json").exists()


def test_what_ends_it_is_told_where_its_submitter_reads(tmp_path: Path, project: Project) -> None:
    driver = begun(laid(tmp_path / "t", {}))
    (tmp_path / "t" / "report.json.writing").mkdir()
    (tmp_path / "t" / "plan.json").write_text(json.dumps(plan_of(project, f"/{SECRET}")))
    assert driver.wait(timeout=60) == 1
    said = (tmp_path / "t" / "output.log").read_text()
    assert "no Delta jar in /***" in said
    assert said.splitlines()[-1].startswith("IsADirectoryError: ")
    assert SECRET not in said


@pytest.mark.parametrize("parts", [["a s3cret-1 b\nc"], ["a s3c", "ret-1 b", "\n", "c"]])
def test_lines_come_whole_and_without_secrets(parts: list[str]) -> None:
    file = io.StringIO()
    lines = _Lines(file, Hiding(["s3cret-1"]))
    for part in parts:
        lines.write(part)
    assert file.getvalue() == "a *** b\n"
    lines.close()
    assert file.getvalue() == "a *** b\nc\n"
