"""A password goes from Airflow to the database, and stands nowhere else: markers are planted, and looked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.main import main
from demo.standalone import Standalone
from tests.airflow.project import ENVIRONMENT, FLIGHTS, ROOT, Project
from tests.engines.planted import LOOPBACK, Watch, environment, hits, left, secrets
from tests.servers.guarded import PASSWORD, free_port

pytestmark = pytest.mark.spark
PLANTED = secrets(PASSWORD)

PIPELINE = """
schedule: "@daily"
start: 2013-01-01
execution: fused
results: true
extract:
  orders:
    type: jdbc
    connection: crm
    query: QUERY
    settle: 0s
transform:
  - from: orders
check:
  - in_range: {column: id, max: 8, on_fail: quarantine}
load:
  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: append}}
"""
GOOD = "SELECT g AS id, NOT g < 0 AS s FROM generate_series(1, 10) g, pg_sleep(2) WHERE ${window.start} < ${window.end}"
BAD = "SELECT 1 / (g - 5) AS id FROM generate_series(1, 10) g, pg_sleep(2) WHERE ${window.start} < ${window.end}"
CLUSTER = """
variables: {{raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}}
roots: [data]
engines:
  local: {{kind: spark_submit, master: '{master}', {conf}memory: 600m, executors: 1, executor_memory: 600m, small: true,
    jars: {jars}}}
defaults: {{retries: {{attempts: 0}}}}
"""


class Place:
    """A project whose Spark keeps its event log and shows its pages, and whose temporary files lie beside it.

    Args:
        folder: for all of it.
        engine: writes the environment file, given the settings of Spark.
    """

    def __init__(self, folder: Path, engine: Callable[[str], str]) -> None:
        self.folder, self.pages, self.told = folder, free_port(), dict[str, str]()
        self.project = Project.make(folder / "project")
        for name in ("events", "tmp"):
            (folder / name).mkdir()
        events = f'spark.eventLog.enabled: "true", spark.eventLog.dir: "file:{folder}/events"'
        pages = f'spark.ui.enabled: "true", spark.ui.port: "{self.pages}"'
        conf = f'conf: {{{events}, spark.eventLog.compress: "false", {pages}}}, '
        self.project.write("config/environments/local.yaml", engine(conf))

    def run(self, name: str, query: str, code: int) -> dict[str, Any]:
        """Run the day; processes, pages and ports are looked at meanwhile. The report."""
        path = self.project.pipeline(name, PIPELINE.replace("QUERY", query))
        with Watch(pages=self.pages) as watch:
            assert main(["run", str(path), "--window", "2013-01-01", "--json", f"{name}.json"]) == code
        assert any("spark_jobs" in text or "SparkSubmit" in text for text in watch.seen), "Spark was seen"
        assert not watch.shown(PLANTED)
        assert watch.listening, "Spark's ports were seen"
        assert {(who, ip) for who, ip in watch.listening if ip not in LOOPBACK} == set()
        self.watch, self.told = watch, self.told | watch.told
        found: dict[str, Any] = json.loads((self.project.folder / f"{name}.json").read_text())
        return found

    def refuse(self, said: Any, *more: Path) -> None:
        """See that nothing that is left shows a secret, and that all of it was looked at."""
        assert not hits(said.out + said.err, PLANTED)
        assert not left([self.folder, *more], PLANTED)
        assert any("JDBCRelation" in path.read_text(errors="replace") for path in _files(self.folder / "events"))
        assert any("/api/" in address for address in self.told), "Spark's answers were seen"
        assert any("JDBC" in text for text in self.told.values()), "its pages told of the query"


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Any) -> Callable[[Callable[[str], str]], Place]:
    """Gives a place in whose folder commands are run; the database's connection and many others are planted."""
    about = {"conn_type": "postgres", "host": postgres.host, "port": postgres.port, "login": postgres.user}
    about |= {"password": postgres.password, "schema": postgres.database}
    for name, text in {"AIRFLOW_CONN_CRM": json.dumps(about), **environment()}.items():
        monkeypatch.setenv(name, text)

    def made(engine: Callable[[str], str]) -> Place:
        found = Place(tmp_path, engine)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
        monkeypatch.chdir(found.project.folder)
        return found

    return made


def test_a_run_that_fails_doesn_t_show_it(place: Any, capfd: Any) -> None:
    """Its query fails in the database while it is read."""
    found = place(lambda conf: ENVIRONMENT.replace("kind: local,", f"kind: local, {conf}"))
    error = found.run("bad", BAD, 1)["error"]
    assert error["kind"] == "data"
    assert "division by zero" in error["message"]
    found.refuse(capfd.readouterr())
    assert not list((found.folder / "tmp").iterdir())


def test_a_connection_that_airflow_lacks_is_named_before_spark_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow_provider_etl.engines.local import LocalEngine

    project = Project.make(tmp_path)
    monkeypatch.chdir(project.folder)
    monkeypatch.delenv("AIRFLOW_CONN_CRM", raising=False)
    monkeypatch.setattr(LocalEngine, "submit", lambda *_: pytest.fail("started"))
    path = project.pipeline("good", PIPELINE.replace("QUERY", GOOD))
    assert main(["run", str(path), "--window", "2013-01-01"]) == 1
    assert (
        "error[config]: extract.orders.connection: there is no connection 'crm'; add it to Airflow's connections"
        in capsys.readouterr().out
    )


def test_a_warm_spark_gets_it_over_its_socket(place: Any, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    from airflow_provider_etl.engines.local_warm import close_all

    found = place(lambda conf: ENVIRONMENT.replace("kind: local,", f"kind: local_warm, {conf}"))
    monkeypatch.setenv("AIRFLOW_HOME", str(found.folder))
    try:
        assert found.run("good", GOOD, 0)["datasets"]["result"]["quarantined"] == 2
        assert "division by zero" in found.run("bad", BAD, 1)["error"]["message"]
    finally:
        close_all(str(found.folder))
    found.refuse(capfd.readouterr())
    quarantine = _files(found.project.folder / "data/quarantine")
    assert any(path.suffix == ".parquet" for path in quarantine), "what was set aside was looked at"


def test_a_server_of_spark_connect_shows_neither_a_key_nor_its_own_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any
) -> None:
    """A mask's key is the one secret that thin clients hand on; theirs is the server's token."""
    from airflow_provider_etl.engines.local_connect import close_all, root

    key = "m4rker of a mask's key"
    pepper = json.dumps({"conn_type": "generic", "password": key})
    for name, text in {"AIRFLOW_CONN_PEPPER": pepper, **environment()}.items():
        monkeypatch.setenv(name, text)
    found = Place(tmp_path, lambda conf: ENVIRONMENT.replace("kind: local,", f"kind: local_connect, {conf}"))
    monkeypatch.chdir(found.project.folder)
    monkeypatch.setenv("AIRFLOW_HOME", str(found.folder))
    mask = "transform:\n  - from: flights\n  - mask: {columns: {carrier: hash}, key: pepper}\n"
    text = FLIGHTS.replace("transform:\n  - from: flights\n", mask)
    path = found.project.pipeline("flights", text.replace("execution: staged", "execution: fused"))
    try:
        with Watch(pages=found.pages) as watch:
            assert main(["run", str(path), "--window", "2013-01-01", "--json", "report.json"]) == 0
        (folder,) = root(str(found.folder)).glob("*/secret")
        token = folder.read_text()
    finally:
        close_all(str(found.folder))
    assert all(len(str(row["carrier"])) == 64 for row in found.project.rows())
    said, planted = capfd.readouterr(), [*PLANTED, key]
    assert not watch.shown(planted)
    assert not hits("".join(text for text in watch.seen if not text.startswith("{")), [token])
    assert not hits("".join(watch.told.values()) + said.out + said.err, [*planted, token])
    assert not left([found.folder], [*planted, token])
    assert {(who, ip) for who, ip in watch.listening if ip not in LOOPBACK} == set()
    assert any("spark_jobs.connect.serve" in text for text in watch.seen), "the server was seen"
    assert any("LocalTableScan" in text for text in watch.told.values()), "its pages told of the key's place"
    assert _files(found.folder / "events"), "its event log was looked at"


@pytest.mark.prove
def test_neither_driver_nor_executors_of_a_cluster_show_it(place: Any, standalone: Standalone, capfd: Any) -> None:
    """The executors read from the database: they get its password from the driver."""
    found = place(lambda conf: CLUSTER.format(master=standalone.master, conf=conf, jars=ROOT / "jars"))
    assert found.run("good", GOOD, 0)["state"] == "loaded"
    assert any("CoarseGrainedExecutorBackend" in text for text in found.watch.seen)
    found.refuse(capfd.readouterr(), standalone.folder)
    logs = [path for path in _files(standalone.folder) if path.name == "stderr"]
    assert logs, "the executors' logs were looked at"
