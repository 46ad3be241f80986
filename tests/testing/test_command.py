"""`airflow-etl test`: what it says, how it ends, and that one Spark does it all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.engines.local import LocalEngine
from tests.engines.test_run import is_java, still_running
from tests.spec.conftest import ENVIRONMENT, Project
from tests.testing.conftest import CASES, PIPELINE

ROOT = Path(__file__).resolve().parents[2]

WRONG = """\
cases:
  - name: what is not as expected is told at its line
    sources: &sources
      orders:
        - {id: 1, at: 2013-01-01T01:00, note: a}
        - {id: 2, at: 2013-01-01T02:00, note: b}
        - {id: x}
        - {at: 2013-01-01T03:00}
      rates: {rows: [], columns: {rate: double}}
    expect:
      datasets:
        result:
          - {id: 1, at: 2013-01-01T01:00, note: a}
          - {id: 2, at: 2013-01-01T02:30, note: b}
          - {id: 3, note: z}
        orders:
          exact: true
          rows: [{id: 1}, {id: 2}]
        rates: []
      tables:
        lake: [{idd: 1}]
      quarantine:
        - {rule: type id, line: 5}
        - {rule: required id}
      counts:
        orders: {read: 4, quarantined: 1}
      checks: {key: fail}
  - name: an error that does not come
    sources: *sources
    expect: {error: no such thing}
  - name: a run that fails
    sources: {<<: 1}
    expect: {}
"""


@pytest.fixture
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalEngine, "submit", lambda *_: pytest.fail("started"))


@pytest.mark.usefixtures("no_spark")
class TestBadInput:
    """What is refused before anything is started."""

    def told(self, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
        assert main(["test", *arguments]) == 2
        return capsys.readouterr().err

    def test_a_file_without_tests_has_nothing_to_test(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = str(project.write(PIPELINE))
        assert f"nothing to test: {path} has no test file" in self.told(capsys, path)
        assert "write FILE.test.yaml, or give --window" in self.told(capsys, str(project.folder / "dags"))

    def test_a_test_file_without_its_pipeline_is_told(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        project.write(PIPELINE)
        path = project.write(CASES, "renamed.test.yaml")
        wanted = f"{path}:1:1: error[test-orphaned]: there is no renamed.yaml beside it; rename the test file"
        assert wanted in self.told(capsys, str(path))
        assert wanted in self.told(capsys, str(project.folder / "dags"))
        assert main(["lint", str(path)]) == 1

    def test_errors_of_all_files_are_told_before_anything_runs(
        self, project: Project, capsys: pytest.CaptureFixture[str], tmp_path: Path
    ) -> None:
        project.write(PIPELINE)
        project.write(CASES.replace("name: first", "nam: first"), "orders.test.yaml")
        project.write(PIPELINE.replace("format: csv", "format: cvs"), "broken.yaml")
        told = self.told(capsys, str(project.folder / "dags"), "--json", str(tmp_path / "out.json"))
        assert "orders.test.yaml:4:5: error[unknown-key]" in told
        assert "broken.yaml:8:13: error[unknown-value]" in told
        found = json.loads((tmp_path / "out.json").read_text())
        assert {item["code"] for item in found["diagnostics"]} >= {"unknown-key", "unknown-value"}
        assert (found["tests"], found["passed"]) == ([], 0)

    def test_a_case_that_is_not_there_says_what_was_meant(
        self, project: Project, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = str(project.write(PIPELINE))
        project.write(CASES, "orders.test.yaml")
        assert "no case's name holds 'frist'; did you mean 'first'?" in self.told(capsys, path, "--case", "frist")

    def test_a_bad_window_is_told(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        path = str(project.write(PIPELINE))
        assert "no window of the schedule starts at" in self.told(capsys, path, "--window", "2013-01-01T07:00")

    def test_lint_reads_a_test_file_that_is_named(self, project: Project, capsys: pytest.CaptureFixture[str]) -> None:
        project.write(PIPELINE)
        path = project.write(CASES.replace("name: first", "nam: first"), "orders.test.yaml")
        assert main(["lint", str(path)]) == 1
        assert "orders.test.yaml:4:5: error[unknown-key]" in capsys.readouterr().out


def projects(tmp_path: Path) -> Path:
    """A project beside the repository's: new files of each source kind, and one whose tests fail."""
    home = Project(tmp_path / "home")
    home.environment(ENVIRONMENT.replace("jars: jars", f"jars: {ROOT / 'jars'}"))
    home.write(PIPELINE, "orders.yaml")
    home.write(WRONG.replace("{<<: 1}", "*sources"), "orders.test.yaml")
    for kind in ("files", "table"):
        folder = str(home.folder / "dags")
        assert main(["new", f"new_{kind}", "--from", kind, "--to", "delta", "--folder", folder]) == 0
    return home.folder / "dags"


@pytest.mark.spark
def test_the_examples_and_new_files_pass_and_a_wrong_file_says_how(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    folder = projects(tmp_path)
    before = set(ROOT.rglob("data/**"))
    examples = [str(ROOT / "dags/pipelines"), str(ROOT / "examples")]
    code = main(["test", *examples, str(folder), "--json", str(tmp_path / "out.json")])
    said = capsys.readouterr().out
    assert code == 1, said
    found = json.loads((tmp_path / "out.json").read_text())
    states = {(test["pipeline"], test["name"]): test for test in found["tests"]}
    failed = {key for key, test in states.items() if test["state"] != "passed"}
    assert {name for name, _ in failed} == {"orders"}, said
    shipped = {path.name.partition(".")[0] for item in examples for path in Path(item).glob("*.test.yaml")}
    assert {name for name, _ in states} == shipped | {"orders", "new_files", "new_table"}
    assert set(ROOT.rglob("data/**")) == before
    assert not (folder.parent / "data").exists()
    _as_expected(states, said, folder / "orders.test.yaml")


def _as_expected(states: dict[tuple[str, str], Any], said: str, path: Path) -> None:
    told = states["orders", "what is not as expected is told at its line"]["problems"]
    assert [(item["line"], item["kind"], item["what"]) for item in told] == [
        (14, "differs", "dataset result"),
        (15, "missing", "dataset result"),
        (16, "column", "dataset orders"),
        (21, "column", "table lake"),
        (23, "missing", "quarantine"),
        (22, "surplus", "quarantine"),
        (26, "count", "counts orders"),
        (27, "check", "check key"),
    ], told
    assert told[0]["message"] == ("at: expected 2013-01-01T02:30, found 2013-01-01T07:00:00Z  in {id: 2, note: b}")
    assert f"  {path}:15: - dataset result: {{id: 3, note: z}}\n" in said
    (never,) = states["orders", "an error that does not come"]["problems"]
    assert never["message"] == "the run succeeded, it was to fail with 'no such thing'"
    assert [item["what"] for item in states["orders", "a run that fails"]["problems"]] == ["quarantine"] * 2


@pytest.mark.spark
def test_ctrl_c_takes_spark_and_the_scratch_folder_with_it(tmp_path: Path) -> None:
    import psutil

    command = [sys.executable, "-m", "airflow_provider_etl.cli.main", "test", "dags/pipelines/weather.yaml"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    owner = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    deadline = time.monotonic() + 120
    below: list[psutil.Process] = []
    while time.monotonic() < deadline and not any(map(is_java, below)):
        time.sleep(0.1)
        below = psutil.Process(owner.pid).children(recursive=True)
    owner.send_signal(signal.SIGINT)
    said, _ = owner.communicate(timeout=60)
    assert owner.returncode != 0
    assert b"Traceback" not in said
    left = still_running(below)
    for process in left:
        process.kill()
    assert not left
    deadline = time.monotonic() + 20
    while list(tmp_path.glob("etl-*")) and time.monotonic() < deadline:
        time.sleep(0.1)  # what Spark can't write to any more is removed by a process of its own
    assert not list(tmp_path.glob("etl-*"))
