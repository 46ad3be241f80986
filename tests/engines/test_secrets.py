"""A password goes from Airflow to the database, and stands nowhere else: a marker is planted, and looked for."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any, Self

import psutil
import pytest

from airflow_provider_etl.cli.main import main
from spark_jobs.hiding import _forms
from tests.airflow.project import ENVIRONMENT, Project
from tests.servers.guarded import PASSWORD

pytestmark = pytest.mark.spark
MARKERS = sorted(_forms(PASSWORD), key=len)

PIPELINE = """
schedule: "@daily"
start: 2013-01-01
execution: fused
extract:
  orders:
    type: jdbc
    connection: crm
    query: QUERY
    settle: 0s
transform:
  - from: orders
load:
  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: append}}
"""
GOOD = "SELECT g AS id FROM generate_series(1, 10) g WHERE ${window.start} < ${window.end}"
BAD = "SELECT 1 / (g - 5) AS id FROM generate_series(1, 10) g WHERE ${window.start} < ${window.end}"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose Spark keeps its event log, and whose temporary files lie beside it."""
    made = Project.make(tmp_path / "project")
    (tmp_path / "events").mkdir()
    events = f'spark.eventLog.enabled: "true", spark.eventLog.dir: "file:{tmp_path}/events"'
    conf = f'conf: {{{events}, spark.eventLog.compress: "false"}}, '
    made.write("config/environments/local.yaml", ENVIRONMENT.replace("kind: local,", f"kind: local, {conf}"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.chdir(made.folder)
    return made


class Watch:
    """Looks at what every process shows of itself, again and again."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.seen.add(path.read_text(errors="replace"))
                except OSError:
                    continue
            for child in psutil.Process().children(recursive=True):
                try:
                    self.seen.add(json.dumps(child.environ(), ensure_ascii=False))
                except psutil.Error:
                    continue


def planted(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {
        "conn_type": "postgres",
        "host": server.host,
        "port": server.port,
        "login": server.user,
        "password": server.password,
        "schema": server.database,
    }
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps(about))


def refuse_marker(text: str, where: object) -> None:
    found = [marker for marker in MARKERS if marker in text]
    assert not found, f"{where} shows the password"


def test_a_run_that_fails_doesn_t_show_it(
    project: Project, postgres: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any, tmp_path: Path
) -> None:
    """Its query fails in the database while it is read."""
    planted(postgres, monkeypatch)
    path = project.pipeline("bad", PIPELINE.replace("QUERY", BAD))
    with Watch() as watch:
        assert main(["run", str(path), "--window", "2013-01-01", "--json", "bad.json"]) == 1
    assert any("spark_jobs.run" in text for text in watch.seen)
    for text in watch.seen:
        refuse_marker(text, "a process")
    said = capfd.readouterr()
    refuse_marker(said.out + said.err, "the output")
    error = json.loads((project.folder / "bad.json").read_text())["error"]
    assert (error["kind"], error["where"]) == ("data", "transform.result")
    assert "division by zero" in error["message"]
    events = [path for path in (tmp_path / "events").rglob("*") if path.is_file()]
    assert sum("JDBCRelation" in path.read_text(errors="replace") for path in events) == 1
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".jar"]
    for path in left:
        refuse_marker(path.read_bytes().decode("utf-8", errors="replace"), path)
    assert not list((tmp_path / "tmp").iterdir())


def test_a_connection_that_airflow_lacks_is_named_before_spark_starts(
    project: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow_provider_etl.engines.local import LocalEngine

    monkeypatch.delenv("AIRFLOW_CONN_CRM", raising=False)
    monkeypatch.setattr(LocalEngine, "submit", lambda *_: pytest.fail("started"))
    path = project.pipeline("good", PIPELINE.replace("QUERY", GOOD))
    assert main(["run", str(path), "--window", "2013-01-01"]) == 1
    assert (
        "error[config]: extract.orders.connection: there is no connection 'crm'; add it to Airflow's connections"
        in capsys.readouterr().out
    )


def test_a_warm_spark_gets_it_over_its_socket(
    project: Project, postgres: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any, tmp_path: Path
) -> None:
    from airflow_provider_etl.engines.local_warm import close_all

    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    planted(postgres, monkeypatch)
    project.write("config/environments/local.yaml", ENVIRONMENT.replace("kind: local,", "kind: local_warm,"))
    try:
        for name, query, code in (("good", GOOD, 0), ("bad", BAD, 1)):
            path = project.pipeline(name, PIPELINE.replace("QUERY", query))
            with Watch() as watch:
                assert main(["run", str(path), "--window", "2013-01-01", "--json", f"{name}.json"]) == code
            for text in watch.seen:
                refuse_marker(text, "a process")
    finally:
        close_all(str(tmp_path))
    said = capfd.readouterr()
    refuse_marker(said.out + said.err, "the output")
    assert "division by zero" in json.loads((project.folder / "bad.json").read_text())["error"]["message"]
