"""Given Airflow's connection of type google_cloud_platform, when a job is submitted, then its key says who we are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.engines import engine_of
from airflow_provider_etl.engines.base import Job
from spark_jobs.errors import ConfigError, InfrastructureError
from tests.servers.dataproc import Server, dataproc_server
from tests.servers.dataproc_stores import BUCKET, PROJECT, REGION

pytestmark = pytest.mark.airflow
JOB = Job(token="a" * 64, plan={"spark": {"provided": True}}, owner="e" * 64)
OPTIONS = {"connection": "cloud", "region": REGION, "bucket": f"gs://{BUCKET}/jobs"}


@pytest.fixture(autouse=True)
def client() -> None:
    pytest.importorskip("google.auth")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with dataproc_server() as server:
        yield server


@pytest.fixture(scope="module")
def secret() -> str:
    """A key that nobody knows elsewhere."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.fixture
def key(server: Server, secret: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A service account's key as Google gives it, whose tokens the fake gives."""
    server.reset()
    monkeypatch.setattr("airflow_provider_etl.hooks.google._ADDRESS", server.address("{}"))
    account = {"client_email": f"etl@{PROJECT}.iam.gserviceaccount.com", "token_uri": server.address("token")}
    return {"type": "service_account", "project_id": PROJECT, "private_key_id": "1", "private_key": secret, **account}


def connected(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    told = {"conn_type": "google_cloud_platform", "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD", json.dumps(told))


@pytest.mark.parametrize("how", ["keyfile_dict", "extra__google_cloud_platform__keyfile_dict", "key_path"])
def test_the_connection_says_who_and_its_key_which_project(
    server: Server, key: dict[str, str], how: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key.json").write_text(json.dumps(key))
    connected(monkeypatch, **{how: str(tmp_path / "key.json") if how == "key_path" else json.dumps(key)})
    engine = engine_of("dataproc", OPTIONS)
    handle = engine.submit(JOB)
    assert [run.name for run in server.runs] == [handle.id]
    assert server.tokens == 1, "a token is kept while it holds"
    assert server.wrong == []


@pytest.mark.parametrize(
    ("extra", "text"),
    [
        ({"key_path": "/no/such.json"}, "its key can't be read: FileNotFoundError"),
        ({"keyfile_dict": "{"}, "its key can't be read: JSONDecodeError"),
        ({"keyfile_dict": {"type": "service_account", "private_key": "MARKER"}}, "credentials|can't be read"),
        ({"keyfile_dict": "{}", "key_path": "x"}, "it has both key_path and keyfile_dict"),
        ({"key_secret_name": "x"}, "its key_secret_name is not read here"),
    ],
)
def test_a_connection_that_says_too_little_is_a_config_error(
    key: dict[str, str], extra: dict[str, Any], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(monkeypatch, **extra)
    with pytest.raises(ConfigError, match=text) as raised:
        engine_of("dataproc", OPTIONS).submit(JOB)
    assert "MARKER" not in str(raised.value)


def test_a_connection_that_is_none_is_a_config_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_CLOUD", raising=False)
    with pytest.raises(ConfigError, match="there is no connection 'cloud'"):
        engine_of("dataproc", OPTIONS).submit(JOB)


def test_without_a_connection_googles_own_chain_answers(
    server: Server, key: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "key.json"
    place.write_text(json.dumps(key))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(place))
    options = {name: value for name, value in OPTIONS.items() if name != "connection"}
    engine_of("dataproc", options).submit(JOB)
    assert len(server.runs) == 1
    place.unlink()
    with pytest.raises(ConfigError, match="there are no credentials for Google"):
        engine_of("dataproc", options).submit(JOB)


def test_a_key_that_was_revoked_fails_at_once_and_a_silent_identity_service_is_asked_again_later(
    key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connected(monkeypatch, keyfile_dict=key | {"token_uri": key["token_uri"].replace("/token", "/nothing")})
    with pytest.raises(ConfigError, match="no token: RefreshError") as raised:
        engine_of("dataproc", OPTIONS).submit(JOB)
    assert key["private_key"][40:60] not in str(raised.value)
    connected(monkeypatch, keyfile_dict=key | {"token_uri": "http://127.0.0.1:9/token"})
    with pytest.raises(InfrastructureError, match="no token: TransportError"):
        engine_of("dataproc", OPTIONS).submit(JOB)


@pytest.mark.parametrize(("option", "moves"), [("runtime", False), ("subnetwork", False), ("region", True)])
def test_other_machines_of_later_jobs_end_none_that_runs(option: str, moves: bool) -> None:
    from airflow_provider_etl.operators.memory import _place

    before, after = ({"kind": "dataproc", "options": said} for said in (OPTIONS, OPTIONS | {option: "other"}))
    assert (_place(before) != _place(after)) is moves
