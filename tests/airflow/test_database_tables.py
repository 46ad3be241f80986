"""A pipeline whose table is in a real database: run by the command line, and asked for without Spark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, ROOT, Project

pytestmark = [pytest.mark.airflow, pytest.mark.spark]

MART = FLIGHTS.replace(
    "type: delta\n    path: ${env.lake}/flights", "type: jdbc\n    connection: mart\n    table: flights"
).replace("  lake:\n", "  mart:\n")


def variable(server: Any) -> dict[str, str]:
    """The connection as Airflow takes it from the environment."""
    known = asdict(server.connection("mart"))
    told = {key: value for key, value in known.items() if key not in {"id", "kind"}}
    return {"AIRFLOW_CONN_MART": json.dumps({"conn_type": known["kind"], **told})}


def etl(project: Project, server: Any, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "airflow_provider_etl.cli.main", *arguments]
    environment = {**os.environ, **variable(server), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False)


def files_with(folder: Path, secret: str) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("kind", ["postgres", pytest.param("mariadb", marks=pytest.mark.prove)])
def test_a_window_is_run_twice_and_the_ledger_tells_without_spark(
    project: Project, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from airflow_provider_etl.backfill.held import held, overlaps
    from airflow_provider_etl.hooks.ledger import already_done, newest_attempt
    from airflow_provider_etl.hooks.tables import ledger_of
    from airflow_provider_etl.spec import load_file
    from spark_jobs.ledger import attempt_number
    from spark_jobs.plan import Attempt

    server: Any = request.getfixturevalue(kind)
    server.run(*[f"DROP TABLE IF EXISTS {name}" for name in ("flights", "_etl_loads", "_etl_owners")])
    conf = "conf: {spark.eventLog.enabled: 'true', spark.eventLog.dir: EVENTS}".replace("EVENTS", str(project.folder))
    environment = project.folder / "config/environments/local.yaml"
    environment.write_text(environment.read_text().replace("small: true", f"small: true, {conf}"))
    project.pipeline("flights", MART)
    file = project.folder / "dags/pipelines/flights.yaml"
    for name, value in variable(server).items():
        monkeypatch.setenv(name, value)
    pipeline = load_file(file).pipeline
    assert pipeline is not None
    window, other = pipeline.window_of("2013-01-01"), pipeline.window_of("2013-01-02")
    assert newest_attempt(pipeline, window) is None
    assert held([pipeline], [window]) == {window: "missing"}

    ran = etl(project, server, "run", str(file), "--window", "2013-01-01", "--json", "report.json")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    report = json.loads((project.folder / "report.json").read_text())
    receipt = report["loads"]["mart"]
    assert (receipt["state"], receipt["table"], receipt["version"]) == ("loaded", "mart:flights", None)
    rows = server.rows("SELECT count(*) FROM flights")[0][0]
    assert rows == receipt["rows_inserted"] > 0
    assert server.password not in ran.stdout + ran.stderr
    assert files_with(project.folder, server.password) == []

    number = newest_attempt(pipeline, window)
    assert number == report["attempt"]["number"]
    attempt = Attempt(number=attempt_number(pipeline.fingerprint, number), token="t", run="r")
    done = already_done(pipeline, window, attempt)
    assert done is not None
    assert done.loads["mart"].table == "mart:flights"
    assert already_done(pipeline, other, attempt) is None
    assert held([pipeline], [window, other]) == {window: "loaded", other: "missing"}
    assert overlaps([pipeline], [window]) == {}
    unit, options = pipeline.units(window)["mart"]
    ledger = ledger_of(options)
    assert ledger.windows(unit.pipeline, unit.destination) == [(window.start, window.end)]
    assert ledger.newest_attempt(unit.pipeline, unit.destination) == number
    assert ledger.appended(unit.pipeline) == {(window.start, window.end)}

    if kind == "mariadb":
        return  # what follows asks no database
    twice = etl(project, server, "test", str(file), "--window", "2013-01-01")
    assert twice.returncode == 0, twice.stdout + twice.stderr
    assert server.rows("SELECT count(*) FROM flights")[0][0] == rows
    refused = etl(project, server, "purge", str(file), "--column", "flight", "--dry-run")
    assert refused.returncode == 2
