"""Connections reach Spark beside the plan, once, and their secrets are said by nobody."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from spark_jobs.connections import HANDED, Connection, Connections, hand_over, misnamed, received
from spark_jobs.errors import ConfigError
from spark_jobs.hiding import Hiding, secrets_of
from spark_jobs.orders import Order

PASSWORD = "p4 'w\"@:/?#&;=%41+\\ü-long"
CRM = Connection(
    id="crm", kind="postgres", host="db", port=5432, login="me", password=PASSWORD, extra={"token": "t0k3n"}
)


def test_what_is_handed_over_is_received_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "connections.json"
    hand_over(Connections(CRM), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.setenv(HANDED, str(path))
    assert received() == Connections(CRM)
    assert not path.exists()
    assert received() == Connections()


def test_a_file_that_is_there_already_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "c").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        hand_over(Connections(CRM), tmp_path / "c")


@pytest.mark.parametrize("content", [None, "{", '[{"id": "x", "secret": "marker"}]'])
def test_what_can_not_be_read_is_told_without_its_content(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if content is not None:
        (tmp_path / "c").write_text(content)
    monkeypatch.setenv(HANDED, str(tmp_path / "c"))
    with pytest.raises(ConfigError, match="the connections can't be read") as caught:
        received()
    assert "marker" not in str(caught.value)


def test_a_missing_one_is_an_error_that_names_it_and_what_to_do() -> None:
    known = Connections(CRM)
    with pytest.raises(ConfigError, match=r"no connection 'shop'; known here: crm; add it to Airflow's connections"):
        _ = known["shop"]
    assert "shop" not in known
    assert list(known) == ["crm"]


def test_neither_a_connection_nor_several_show_their_secrets() -> None:
    told = f"{CRM} {Connections(CRM)} {Connections(CRM)!r} {Order(name='x', plans=(), connections=Connections(CRM))}"
    assert PASSWORD not in told
    assert "t0k3n" not in told


@pytest.mark.parametrize(
    "written",
    [PASSWORD, quote(PASSWORD), quote(PASSWORD, safe=""), quote_plus(PASSWORD), json.dumps(PASSWORD), repr(PASSWORD)],
)
def test_a_secret_is_hidden_however_it_is_written(written: str) -> None:
    hiding = Connections(CRM).hiding
    told = hiding.text(f"login me:{written}@db failed, token=t0k3n")
    assert "long" not in told
    assert told.startswith("login me:")
    assert told.endswith("@db failed, token=***")
    assert hiding.json({"error": {"message": [written]}})["error"]["message"][0].strip("'\"") == "***"


def test_the_secrets_of_extra_are_those_below_a_key_that_smells() -> None:
    keyfile = json.dumps(
        {"type": "service_account", "private_key": "-----BEGIN KEY-----\nabcdefghij\nxyz\n-----END KEY-----\n"}
    )
    extra = {
        "sslmode": "require",
        "Access_Token": "a-token",
        "nested": [{"client_secret": "s3cret", "port": 99999}],
        "credentials": {"user": "hidden-user", "pin": 12345},
        "keyfile_dict": keyfile,
        "use_auth": True,
    }
    found = set(secrets_of(extra))
    assert {"a-token", "s3cret", "hidden-user", "12345", keyfile} <= found
    assert not found & {"require", "99999", "True"}
    hide = Hiding(found).text
    assert hide("line abcdefghij of a key") == "line *** of a key"
    assert hide("sslmode require, port 99999") == "sslmode require, port 99999"


def test_short_and_empty_secrets_leave_texts_whole() -> None:
    assert Hiding(["", "a", "abc"]).text("abc alphabet") == "abc alphabet"


def test_one_secret_inside_another_leaves_nothing_of_it() -> None:
    assert Hiding(["pass", "passport"]).text("passport pass") == "*** ***"


@pytest.mark.parametrize("name", ["crm", "crm-eu.2", "a#b!(c)"])
def test_ids_as_airflow_has_them(name: str) -> None:
    assert misnamed(name) is None


@pytest.mark.parametrize("name", ["", "postgresql://u:p@h/d", "jdbc:x", "a b", "${env.crm}", "x" * 251])
def test_what_is_no_id(name: str) -> None:
    assert misnamed(name)
