"""Given Airflow's connection of type databricks, when a run is submitted, then its own provider says who we are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from airflow_provider_etl.engines import engine_of
from airflow_provider_etl.engines.base import Job
from spark_jobs.errors import ConfigError
from tests.servers.databricks import databricks_server
from tests.servers.databricks_calls import CLUSTER, VOLUME, Server

pytestmark = pytest.mark.airflow
JOB = Job(token="a" * 64, plan={"spark": {"provided": True}}, owner="e" * 64)


@pytest.fixture(autouse=True)
def provider() -> None:
    pytest.importorskip("airflow.providers.databricks.hooks.databricks")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with databricks_server() as server:
        yield server


def test_the_connection_says_where_and_who(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_BRICKS", server.connection())
    engine = engine_of("databricks", {"connection": "bricks", "volume": VOLUME, "cluster": CLUSTER})
    handle = engine.submit(JOB)
    assert [str(run.id) for run in server.runs] == [handle.id]
    assert server.wrong == []


@pytest.mark.parametrize(
    ("connection", "text"),
    [
        (None, "there is no connection 'bricks'"),
        ('{"conn_type": "databricks", "password": "x"}', "it has no host"),
        ('{"conn_type": "databricks", "host": "https://x.invalid"}', "neither a token nor a service principal"),
        ('{"conn_type": "databricks", "host": "https://x.invalid", "password": "dapi\\n"}', "that none has"),
        ('{"conn_type": "databricks", "host": "https://x.invalid", "extra": {"proxies": 1}}', "must be a JSON object"),
    ],
)
def test_a_connection_that_says_too_little_is_a_config_error(
    monkeypatch: pytest.MonkeyPatch, connection: str | None, text: str
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_BRICKS", raising=False)
    if connection is not None:
        monkeypatch.setenv("AIRFLOW_CONN_BRICKS", connection)
    engine = engine_of("databricks", {"connection": "bricks", "volume": VOLUME, "cluster": CLUSTER})
    with pytest.raises(ConfigError, match=text):
        engine.submit(JOB)


@pytest.mark.parametrize(("option", "moves"), [("node_type", False), ("libraries", False), ("volume", True)])
def test_other_machines_of_later_jobs_end_none_that_runs(option: str, moves: bool) -> None:
    from airflow_provider_etl.operators.memory import _place

    options = {"volume": VOLUME, "runtime": "18.0.x-scala2.13", "node_type": "i3.xlarge"}
    before, after = ({"kind": "databricks", "options": said} for said in (options, options | {option: "other"}))

    assert (_place(before) != _place(after)) is moves
