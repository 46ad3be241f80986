"""Pipelines on S3, on a real server that checks signatures: whole runs, and two writers of one table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.engines.application import Application, failure
from airflow_provider_etl.engines.base import Job
from airflow_provider_etl.engines.local import LocalEngine
from airflow_provider_etl.engines.local_warm import LocalWarmEngine, close_all
from airflow_provider_etl.hooks.connections import connections_of
from airflow_provider_etl.hooks.ledger import LedgerHook, already_done
from airflow_provider_etl.hooks.stores import storage_options
from airflow_provider_etl.spec import Pipeline, load_file
from spark_jobs.connections import Connection, Connections
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from tests.airflow.project import FLIGHTS, HEADER, ROOT, Project
from tests.engines.test_secrets import Watch, refuse_marker
from tests.servers.s3 import BUCKET, Server

pytestmark = pytest.mark.spark

ENVIRONMENT = f"""
variables: {{raw: s3a://lake/raw, lake: s3a://lake/lake, staging: s3a://lake/staging, quarantine: s3a://lake/set_aside}}
roots: ["s3a://lake"]
engines:
  local: {{kind: local, cores: 1, memory: 1g, small: true, jars: {ROOT / "jars"}, conf: CONF}}
stores: {{"s3a://lake": STORE}}
"""
WINDOWS = 10
COUNTS = """
schedule: "@daily"
start: 2013-01-01
extract:
  rows:
    type: files
    path: ${env.raw}/NAME/${window.key}.csv
    format: csv
    columns: {n: {type: int, required: true}}
load:
  lake: {type: delta, path: "${env.lake}/counts", write: {strategy: append}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Server) -> Iterator[Project]:
    """A project all of whose data is on S3; its Spark keeps an event log, its temporary files lie beside it."""
    made = Project(tmp_path / "project")
    for name in ("events", "tmp", "airflow"):
        (tmp_path / name).mkdir()
    conf = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file:{tmp_path}/events"}
    conf["spark.eventLog.compress"] = "false"
    text = ENVIRONMENT.replace("CONF", json.dumps(conf)).replace("STORE", json.dumps(s3.settings()))
    made.write("config/environments/local.yaml", text)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    connect(s3, monkeypatch)
    monkeypatch.chdir(made.folder)
    yield made
    close_all(str(tmp_path / "airflow"))


def connect(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"conn_type": "aws", "login": server.key, "password": server.secret}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_STORE", json.dumps(about))


def read(path: Path) -> Pipeline:
    loaded = load_file(path)
    assert loaded.pipeline is not None, loaded.errors
    return loaded.pipeline


def planned(pipeline: Pipeline, window: str) -> Plan:
    number = attempt_number(pipeline.fingerprint)
    return pipeline.plan(pipeline.window_of(window), Attempt(number=number, token=f"{pipeline.name}{window}", run="r"))


def rows(server: Server, path: str) -> list[dict[str, Any]]:
    from deltalake import DeltaTable

    options = {
        "aws_access_key_id": server.key,
        "aws_secret_access_key": server.secret,
        "aws_endpoint_url": server.endpoint,
        "aws_region": "us-east-1",
        "aws_allow_http": "true",
    }
    found: list[dict[str, Any]] = DeltaTable(path, storage_options=options).to_pyarrow_table().to_pylist()
    return sorted(found, key=str)


def test_a_window_is_read_from_s3_and_loaded_there_and_what_is_wrong_is_set_aside_there(
    project: Project, s3: Server, monkeypatch: pytest.MonkeyPatch, capfd: Any, tmp_path: Path
) -> None:
    """By a driver that stays warm: the first to come has a wrong secret, the next the right one."""
    lines = [HEADER, "11,UA,2013-01-01T01:30:00-05:00,20", "12,UÄ,2013-01-01T02:30:00-05:00,", "x,UA,2013-01-01,1", ""]
    s3.client().put_object(Bucket=BUCKET, Key="raw/flights/2013-01-01.csv", Body="\n".join(lines).encode())
    pipeline = read(project.pipeline("flights", FLIGHTS))
    plan = planned(pipeline, "2013-01-01")
    wrong = Connections(replace(s3, secret=s3.secret + "?").connection())
    reports = []
    engine = LocalWarmEngine()
    with Watch() as watch:
        for known in (wrong, connections_of([plan])):
            job = Job(token=str(len(reports)), plan=plan.to_json(), connections=known)
            reports.append(Application(engine, job).run(print))
    assert str(failure(reports[0])).startswith("extract.flights: S3 refuses access to s3a://lake")
    assert (failure(reports[1]), reports[1]["state"]) == (None, "loaded")
    assert reports[1]["datasets"]["flights"]["quarantined"] == 1
    assert [(row["flight"], row["carrier"], row["late"]) for row in rows(s3, "s3a://lake/lake/flights")] == [
        (11, "UA", True),
        (12, "UÄ", None),
    ]
    assert [row["raw"] for row in rows(s3, "s3a://lake/set_aside/flights")] == ["x,UA,2013-01-01,1"]
    asked = Attempt(number=1, token="t", run="r")
    found = already_done(pipeline, pipeline.window_of("2013-01-01"), asked)
    assert found is not None, "the ledger is read without Spark, with the same connection"
    assert not list(s3.bucket.rglob("*.probe"))
    said = capfd.readouterr()
    for text in [*watch.seen, said.out + said.err, json.dumps([plan.to_json(), reports])]:
        refuse_marker(text, "what is said")
    close_all(str(tmp_path / "airflow"))
    for path in [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".jar"]:
        refuse_marker(path.read_bytes().decode("utf-8", errors="replace"), path)
    connect(replace(s3, secret="another one"), monkeypatch)
    assert main(["run", "dags/pipelines/flights.yaml", "--window", "2013-01-01"]) != 0
    said = capfd.readouterr()
    assert "S3 refuses access to s3a://lake/lake/flights" in said.out + said.err
    assert "another one" not in said.out + said.err


def test_two_processes_commit_to_one_table_and_no_commit_is_lost(project: Project, s3: Server) -> None:
    plans: dict[str, list[Plan]] = {}
    for name in ("east", "west"):
        pipeline = read(project.pipeline(name, COUNTS.replace("NAME", name)))
        days = [f"2013-01-{day:02}" for day in range(1, WINDOWS + 1)]
        for place, day in enumerate(days):
            s3.client().put_object(Bucket=BUCKET, Key=f"raw/{name}/{day}.csv", Body=f"n\n{place}\n".encode())
        plans[name] = [planned(pipeline, day) for day in days]
    with ThreadPoolExecutor() as pool:
        reports = list(pool.map(lambda mine: ran(s3.connection(), mine), plans.values()))
    assert [report["state"] for told in reports for report in told] == ["loaded"] * WINDOWS * 2
    assert sorted((row["_pipeline"], row["n"]) for row in rows(s3, "s3a://lake/lake/counts")) == [
        (name, place) for name in ("east", "west") for place in range(WINDOWS)
    ]
    versions = sorted(report["loads"]["lake"]["version"] for told in reports for report in told)
    assert len(set(versions)) == WINDOWS * 2, "each commit has a version of its own"
    log = s3.bucket / "lake/counts/_delta_log"
    assert {int(path.stem) for path in log.glob("*.json")} == set(range(versions[-1] + 1))
    hook = LedgerHook("s3a://lake/lake/counts", plans["east"][0].spark["s3"]["s3a://lake"])
    held = [
        hook.number(kind.unit("lake", plan))
        for told in plans.values()
        for plan in told
        for _, kind in plan.load.values()
    ]
    assert None not in held


def ran(connection: Connection, plans: list[Plan]) -> list[dict[str, Any]]:
    job = Job(token=plans[0].pipeline, plan=[plan.to_json() for plan in plans], connections=Connections(connection))
    told: list[dict[str, Any]] = Application(LocalEngine(), job).run(print)
    return told


def test_other_paths_need_no_options() -> None:
    assert storage_options("/data/lake/flights", None) is None
    assert storage_options("s3a://lake/flights", None) is None, "AWS's own chain"
