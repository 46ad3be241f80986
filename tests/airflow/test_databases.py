"""Databases under Airflow: connections come from its metadata database, and a task waits until a window has settled."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_provider_etl.hooks.connections import resolved
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window, iso
from tests.airflow.project import Project

pytestmark = pytest.mark.airflow
PIPELINE = """
schedule: "@daily"
start: 2013-01-01
execution: fused
extract:
  orders: {type: jdbc, connection: crm, table: orders, window: {column: at}, settle: 10m}
transform:
  - from: orders
load:
  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: append}}
"""
# Not `airflow connections add`: it calls a connection generic whose provider isn't installed here.
ADD = """
from airflow.models import Connection
from airflow.utils.session import create_session
about = {"host": "db", "password": "pw'd", "schema": "s", "extra": {"sslmode": "require"}}
with create_session() as session:
    session.add(Connection(conn_id="of_the_database", conn_type="postgres", **about))
"""
SHOW = """
import json
from airflow_provider_etl.hooks.connections import resolved
found = resolved({"of_the_database": "extract.orders.connection"})["of_the_database"]
print(json.dumps([found.kind, found.host, found.port, found.schema, found.password, dict(found.extra)]))
"""


def test_a_connection_of_the_metadata_database_is_found_by_a_command(
    deployed: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run([sys.executable, "-c", ADD], check=True, capture_output=True)
    # A process of its own, as a command is: this one's Airflow may know another database since it was imported.
    told = subprocess.run([sys.executable, "-c", SHOW], check=True, capture_output=True, text=True).stdout
    assert json.loads(told.splitlines()[-1]) == ["postgres", "db", None, "s", "pw'd", {"sslmode": "require"}]
    monkeypatch.setenv("AIRFLOW_CONN_OF_A_VARIABLE", "mysql://me:p%40ss@h:3307/d?charset=utf8mb4")
    found = resolved({"of_a_variable": "load.x"})["of_a_variable"]
    assert (found.kind, found.port, found.login, found.password) == ("mysql", 3307, "me", "p@ss")
    with pytest.raises(ConfigError, match=r"load\.x\.connection: there is no connection 'nobody'; add it"):
        resolved({"nobody": "load.x.connection"})


def test_a_task_frees_its_worker_until_the_window_has_settled(project: Project) -> None:
    from airflow_provider_etl.compat import DAG, AirflowRescheduleException
    from airflow_provider_etl.operators.pipeline import PipelineOperator

    path = project.pipeline("orders", PIPELINE)
    with DAG("orders", start_date=datetime(2013, 1, 1, tzinfo=UTC)):
        operator: Any = PipelineOperator(task_id="run", pipeline=str(path))
    end = datetime.now(UTC) - timedelta(minutes=5)
    window = Window(start=end - timedelta(days=1), end=end)
    with pytest.raises(AirflowRescheduleException) as caught:
        operator._window({}, operator.read(), window, None)
    assert iso(caught.value.reschedule_date) == iso(end + timedelta(minutes=10))
