"""Given a database that is stopped and started again, when windows run, then they leave it alone until it answers."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import Project
from tests.airflow.test_operators import reports, run_dag, states
from tests.engines import planted
from tests.servers.guarded import PASSWORD
from tests.servers.postgres import postgres_server

pytestmark = [pytest.mark.airflow, pytest.mark.spark]
NAME = "etl_breaker_flaky"
PIPELINE = """
schedule: "@daily"
start: 2013-01-01
timezone: America/New_York
execution: fused
retries: {attempts: 0}
extract:
  orders:
    type: jdbc
    connection: flaky
    table: orders
    window: all
    breaker: {failures: 1, within: 1m, cool_down: 1h, when_open: WHEN}
load:
  lake: {type: delta, path: "${env.lake}/flaky", write: {strategy: snapshot}}
"""


def connection_of(server: Any) -> str:
    known = asdict(server.connection("flaky"))
    return json.dumps({"conn_type": known["kind"], **{k: v for k, v in known.items() if k not in {"id", "kind"}}})


def test_a_stopped_database_is_left_alone_until_one_task_finds_that_it_answers_and_its_password_is_shown_nowhere(
    deployed: Project, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from airflow.models import Variable

    with postgres_server() as server:
        stopped = connection_of(server)
    monkeypatch.setenv("AIRFLOW_CONN_FLAKY", stopped)
    deployed.pipeline("flaky", PIPELINE.replace("WHEN", "fail"))
    deployed.pipeline("skipping", PIPELINE.replace("WHEN", "skip").replace("lake}/flaky", "lake}/skipping"))
    assert states(run_dag(deployed, "flaky", 1)) == {"pipeline": "failed"}
    said = told = capfd.readouterr().out
    assert "[etl] breaker flaky: opened, nobody asks it until" in said
    assert states(run_dag(deployed, "flaky", 1)) == {"pipeline": "failed"}
    assert states(run_dag(deployed, "skipping", 1)) == {"pipeline": "skipped"}, "another DAG: the connection's breaker"
    said = capfd.readouterr().out
    told += said
    assert re.search(
        r"AirflowException: extract\.orders: connection flaky isn't asked: its breaker is open, until", said
    )
    assert "extract, transform, check, load" not in said, "Spark isn't started"

    with postgres_server() as server:
        assert server.password == PASSWORD
        server.run("CREATE TABLE orders (id bigint)", "INSERT INTO orders VALUES (1)")
        monkeypatch.setenv("AIRFLOW_CONN_FLAKY", connection_of(server))
        Variable.set(NAME, json.dumps({**json.loads(Variable.get(NAME)), "opened": "2026-01-01T00:00:00Z"}))  # noqa: AIR311 - an hour later
        run = run_dag(deployed, "flaky", 1)
    assert states(run) == {"pipeline": "success"}
    said = capfd.readouterr().out
    assert "breaker flaky: half-open, this task tries whether it answers" in said
    assert "breaker flaky: closed again" in said
    kept, secrets = Path(os.environ["AIRFLOW_HOME"]), planted.secrets(PASSWORD)
    assert any(path.suffix == ".db" for path in kept.iterdir()), "Airflow's database is searched too"
    assert planted.left([deployed.folder, kept], secrets) == {}
    assert planted.hits(told + said, secrets) == []
    assert reports(run)["pipeline"]["breakers"] == {"flaky": {"state": "closed", "failures": 0, "until": None}}
