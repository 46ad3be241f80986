"""A pipeline all of whose data is on S3, on a real server that checks signatures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.hooks.ledger import LedgerHook, already_done
from airflow_provider_etl.hooks.stores import storage_options
from airflow_provider_etl.spec import load_file
from spark_jobs.errors import InfrastructureError
from spark_jobs.ledger import LoadUnit
from spark_jobs.plan import Attempt
from tests.airflow.project import FLIGHTS, HEADER, ROOT, Project
from tests.engines.planted import Watch, hits, left
from tests.servers.guarded import PASSWORD
from tests.servers.s3 import BUCKET, Server
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

ENVIRONMENT = f"""
variables: {{raw: s3a://lake/raw, lake: s3a://lake/lake, staging: s3a://lake/staging, quarantine: s3a://lake/set_aside}}
roots: ["s3a://lake"]
engines:
  local: {{kind: local, cores: 1, memory: 1g, small: true, jars: {ROOT / "jars"}, conf: CONF}}
stores: {{"s3a://lake": STORE}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Server) -> Project:
    """A project all of whose data is on S3; its Spark keeps an event log, its temporary files lie beside it."""
    made = Project(tmp_path / "project")
    for name in ("events", "tmp"):
        (tmp_path / name).mkdir()
    conf = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": f"file:{tmp_path}/events"}
    conf["spark.eventLog.compress"] = "false"
    text = ENVIRONMENT.replace("CONF", json.dumps(conf)).replace("STORE", json.dumps(s3.settings()))
    made.write("config/environments/local.yaml", text)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    connect(s3, monkeypatch)
    monkeypatch.chdir(made.folder)
    return made


def connect(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"conn_type": "aws", "login": server.key, "password": server.secret}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_STORE", json.dumps(about))


def rows(server: Server, path: str) -> list[dict[str, Any]]:
    from deltalake import DeltaTable

    found: list[dict[str, Any]] = DeltaTable(path, storage_options=server.options()).to_pyarrow_table().to_pylist()
    return sorted(found, key=str)


def test_a_window_is_read_from_s3_and_loaded_there_and_what_is_wrong_is_set_aside_there(
    project: Project, s3: Server, monkeypatch: pytest.MonkeyPatch, capfd: Any, tmp_path: Path
) -> None:
    lines = [HEADER, "11,UA,2013-01-01T01:30:00-05:00,20", "12,UÄ,2013-01-01T02:30:00-05:00,", "x,UA,2013-01-01,1", ""]
    s3.client().put_object(Bucket=BUCKET, Key="raw/flights/2013-01-01.csv", Body="\n".join(lines).encode())
    path = project.pipeline("flights", FLIGHTS)
    with Watch() as watch:
        code = main(["run", str(path), "--window", "2013-01-01", "--json", "report.json"])
    said = capfd.readouterr()
    assert code == 0, said.out + said.err
    assert not watch.shown([PASSWORD])
    assert not hits(said.out + said.err, [PASSWORD])
    report = json.loads((project.folder / "report.json").read_text())
    assert report["datasets"]["flights"]["quarantined"] == 1
    assert [(row["flight"], row["carrier"], row["late"]) for row in rows(s3, "s3a://lake/lake/flights")] == [
        (11, "UA", True),
        (12, "UÄ", None),
    ]
    assert [row["raw"] for row in rows(s3, "s3a://lake/set_aside/flights")] == ["x,UA,2013-01-01,1"]
    kept = json.loads(s3.client().get_object(Bucket=BUCKET, Key="set_aside/-usage/flights/run.json")["Body"].read())
    assert [entry["heap_peak"] for entry in kept] == [report["usage"]["run"]["heap_peak"]]
    assert "isn't kept" not in said.out
    assert not left([tmp_path], [PASSWORD])
    assert not list((tmp_path / "tmp").iterdir())
    pipeline = load_file(path).pipeline
    assert pipeline is not None
    asked = Attempt(number=1, token="t", run="r")
    assert already_done(pipeline, pipeline.window_of("2013-01-01"), asked), "the ledger is read without Spark"
    connect(replace(s3, secret="another one"), monkeypatch)
    assert main(["run", str(path), "--window", "2013-01-01"]) != 0
    said = capfd.readouterr()
    assert "S3 refuses access to s3a://lake/lake/flights" in said.out + said.err
    assert "another one" not in said.out + said.err


def test_a_service_that_does_not_answer_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    about = {"conn_type": "aws", "login": "key", "password": "secret"}
    monkeypatch.setenv("AIRFLOW_CONN_LAKE_STORE", json.dumps(about))
    access = {"connection": "lake_store", "endpoint": "http://127.0.0.1:9", "region": "us-east-1", "path_style": True}
    unit = LoadUnit(pipeline="p", destination="lake", window=day(1))
    with pytest.raises(InfrastructureError, match=r"^s3a://lake/t: the ledger can't be read: [ -~]+ http://127"):
        LedgerHook("s3a://lake/t", access).number(unit)


def test_other_paths_need_no_options() -> None:
    assert storage_options("/data/lake/flights", None) is None
    assert storage_options("s3a://lake/flights", None) is None, "AWS's own chain"
