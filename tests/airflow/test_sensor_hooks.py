"""Conditions that ask by Airflow's own hooks and connections: real SQLite, real HTTP, an S3 that says it is a fake."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from airflow_provider_etl.sensors.asking import Ask, ask_all
from airflow_provider_etl.sensors.file import File
from airflow_provider_etl.sensors.http import Expect, Http
from airflow_provider_etl.sensors.s3 import S3Key
from airflow_provider_etl.sensors.sql import Sql
from spark_jobs.errors import ConfigError
from tests.sensors.asking import DAY, NOW, ask
from tests.sensors.test_http import Handler, server  # noqa: F401 - a fixture

pytestmark = pytest.mark.airflow

MARKER = "PLANTED-9f31"  # a secret that must be in no place but the connection


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A SQLite database behind an Airflow connection."""
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table loads (day text, note text, at text)")
    monkeypatch.setenv("AIRFLOW_CONN_CRM", json.dumps({"conn_type": "sqlite", "host": str(path)}))
    return path


def test_a_query_is_asked_until_it_is_true(database: Path) -> None:
    condition = Sql(
        connection="crm", query="select count(*) from loads where day = ${window.key} and note like '%done%'"
    )
    assert (ask(condition).found, ask(condition).seen) == (False, "the query says '0'")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("insert into loads values ('2013-01-01', 'all done', null)")
    assert ask(condition).found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("select 1", True),
        ("select 'yes'", True),
        ("select 'FALSE'", False),
        ("select ' f '", False),
        ("select '0'", False),
        ("select 0.0", False),
        ("select null", False),
        ("select ''", False),
        ("select 1 where 1 = 0", False),
        ("select ${window.start} < ${window.end}", True),
        ("select ${env.who} = 'o''neil'", True),
    ],
)
def test_what_is_true(database: Path, query: str, found: bool) -> None:
    assert ask(Sql(connection="crm", query=query), values={"env.who": "o'neil"}).found is found


def test_a_table_that_isnt_there_yet_is_asked_for_again(database: Path) -> None:
    told = ask_all([Ask(kind="sql", condition=Sql(connection="crm", query="select 1 from later"))], NOW)
    assert "no such table: later" in told.seen
    assert told.open[0].failures == 1


def test_a_query_that_writes_is_refused_before_it_is_asked(database: Path) -> None:
    with pytest.raises(ConfigError, match="is no SELECT"):
        ask(Sql(connection="crm", query="insert into loads values (1, 2, 3)"))


def test_a_connection_that_isnt_there_and_a_type_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="there is no connection 'nowhere'; add it to Airflow's connections"):
        ask(Sql(connection="nowhere", query="select 1"))
    monkeypatch.setenv("AIRFLOW_CONN_ODD", json.dumps({"conn_type": "teradata", "password": MARKER}))
    with pytest.raises(ConfigError, match="install apache-airflow-providers-teradata where tasks run") as error:
        ask(Sql(connection="odd", query="select 1"))
    assert MARKER not in str(error.value)
    monkeypatch.setenv("AIRFLOW_CONN_MAIL", json.dumps({"conn_type": "smtp"}))
    with pytest.raises(ConfigError, match="a connection of type 'smtp' answers no SQL"):
        ask(Sql(connection="mail", query="select 1"))


def test_a_probe_by_connection_sends_its_credentials_and_says_nothing_of_them(
    server: str,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen: list[str] = []
    monkeypatch.setattr(Handler, "do_GET", _authorised(seen))
    port = int(server.rpartition(":")[2])
    about = {"conn_type": "http", "host": "127.0.0.1", "port": port, "login": "me", "password": MARKER}
    monkeypatch.setenv("AIRFLOW_CONN_API", json.dumps(about))
    asked = Ask(kind="http", condition=Http(connection="api", path="/s", expect=Expect(json={"ok": True})), window=DAY)
    told = ask_all([asked], NOW)
    assert told.met == (
        "http GET /s of connection 'api', for window 2013-01-01: HTTP status 200, the JSON that is expected",
    )
    assert seen[0].startswith("Basic ")
    assert MARKER not in json.dumps(asked.to_json()) + repr(told) + caplog.text
    monkeypatch.setenv("AIRFLOW_CONN_API", json.dumps(about | {"password": "other"}))
    with pytest.raises(ConfigError, match="HTTP status 401: the server refuses the request"):
        ask_all([asked], NOW)


def _authorised(seen: list[str]) -> Any:
    import base64

    wanted = "Basic " + base64.b64encode(f"me:{MARKER}".encode()).decode()

    def do_get(self: Handler) -> None:
        seen.append(str(self.headers["Authorization"]))
        body = b'{"ok": true}'
        self.send_response(200 if seen[-1] == wanted else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    return do_get


@pytest.mark.parametrize(
    ("condition", "module", "package"),
    [
        (Http(connection="api", path="/x"), "airflow.providers.http.hooks.http", "apache-airflow-providers-http"),
        (S3Key(key="s3://b/k"), "airflow.providers.amazon.aws.hooks.s3", "apache-airflow-providers-amazon"),
        (File(path="s3://b/k"), "s3fs", "apache-airflow-providers-amazon"),
    ],
)
def test_where_a_package_cant_be_imported_the_message_names_it(
    condition: Any, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)  # Python's own way to make an import fail
    with pytest.raises(ConfigError, match=f"install {package}"):
        ask(condition)


# -- S3: moto's server answers in AWS' place ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def fake_s3() -> Iterator[str]:
    """Address of moto's server: a fake of S3, which is asked by HTTP as the real one is."""
    fake = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    fake.start()
    host, port = fake.get_host_and_port()
    yield f"http://{host}:{port}"
    fake.stop()


@pytest.fixture
def bucket(fake_s3: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty bucket in it, and the connection that leads there."""
    import boto3

    extra = {"region_name": "us-east-1", "endpoint_url": fake_s3}
    about = {"conn_type": "aws", "login": "x", "password": MARKER, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", json.dumps(about))
    credentials = {"aws_access_key_id": "x", "aws_secret_access_key": MARKER}
    made = boto3.resource("s3", **extra, **credentials).Bucket("drops")
    made.create()
    yield made
    made.objects.delete()
    made.delete()


def test_an_object_is_waited_for(bucket: Any) -> None:
    condition = S3Key(key="s3://drops/in/a.csv", min_size=3)
    assert (ask(condition).found, ask(condition).seen) == (False, "no such object")
    bucket.put_object(Key="in/a.csv", Body=b"12")
    assert (ask(condition).found, ask(condition).seen) == (False, "1 object, 2 bytes")
    bucket.put_object(Key="in/a.csv", Body=b"123")
    assert ask(condition).found


def test_a_pattern_of_objects_is_waited_for(bucket: Any) -> None:
    bucket.put_object(Key="in/a.txt", Body=b"1")
    assert not ask(S3Key(key="s3a://drops/in/*.csv")).found
    for name in "ab":
        bucket.put_object(Key=f"in/{name}.csv", Body=b"12")
    assert ask(S3Key(key="s3a://drops/in/[ab].csv")).seen == "2 objects, 4 bytes"
    with pytest.raises(ConfigError, match="names no object"):
        ask(S3Key(key="s3://drops"))


# -- files behind a URI ------------------------------------------------------------------------------------------


def test_files_behind_a_uri_are_looked_at_anew_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In fsspec's memory: a store like any other to us, with a listing that may be remembered."""
    import fsspec

    from airflow_provider_etl import compat

    store = fsspec.filesystem("memory")
    monkeypatch.setattr(compat, "object_store", lambda *_: store)
    condition = File(path="memory://drops/day", success="_SUCCESS", manifest="list")
    assert ask(condition).seen == "nothing is there"
    store.pipe("/drops/day/a.csv", b"123")
    assert ask(condition).seen == "_SUCCESS is missing"
    store.pipe("/drops/day/_SUCCESS", b"")
    store.pipe("/drops/day/list", b"a.csv\t4\n")
    assert ask(condition).seen == "a.csv has 3 of 4 bytes"
    store.pipe("/drops/day/a.csv", b"1234")
    assert ask(condition).found
    assert ask(File(path="memory://drops/*/?.csv")).seen == "1 file, 4 bytes"
    created = datetime.now(UTC)
    assert not ask(File(path="memory://drops/day/a.csv", stable=condition.every), now=created).found
