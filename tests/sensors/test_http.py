"""A probe by HTTP, of a real server on this machine."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from airflow_provider_etl.sensors.http import Expect, Http
from spark_jobs.errors import ConfigError
from tests.sensors.asking import ask


class Handler(BaseHTTPRequestHandler):
    """Answers with what a test has put under a path."""

    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        status, body = self.answers.get(self.path, (404, b""))
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("Location", body.decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the server's name for it

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server on a free port."""
    Handler.answers, Handler.asked = {}, []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_page_is_waited_for_until_it_is_there(server: str) -> None:
    condition = Http(url=f"{server}/day")
    assert (ask(condition).found, ask(condition).seen) == (False, "HTTP status 404")
    Handler.answers["/day"] = (200, b"hello")
    assert (ask(condition).found, ask(condition).seen) == (True, "HTTP status 200")
    assert ask(Http(url=f"{server}/day", method="HEAD")).found
    assert Handler.asked[-1] == "HEAD /day"


def test_the_answer_must_be_what_is_expected(server: str) -> None:
    state = {"jobs": {"load": {"state": "running", "done": False}}, "days": [1, 2]}
    expect = Expect(json={"jobs": {"load": {"state": "done", "done": True}}, "days": (1, 2)})
    condition = Http(url=f"{server}/s", expect=expect)
    Handler.answers["/s"] = (200, b"<html>")
    assert ask(condition).seen == "HTTP status 200, an answer that is no JSON"
    Handler.answers["/s"] = (200, b"[]")
    assert ask(condition).seen == "HTTP status 200, the answer is no mapping"
    Handler.answers["/s"] = (200, json.dumps(state).encode())
    assert ask(condition).seen == 'HTTP status 200, jobs.load.state is "running"'
    Handler.answers["/s"] = (200, json.dumps(state).replace("running", "done").encode())
    assert ask(condition).seen == "HTTP status 200, jobs.load.done is false"
    Handler.answers["/s"] = (200, json.dumps(state).replace("running", "done").replace("false", "true").encode())
    assert ask(condition).found


def test_one_is_not_true_and_a_missing_key_is_null(server: str) -> None:
    Handler.answers["/s"] = (200, b'{"n": 1}')
    assert not ask(Http(url=f"{server}/s", expect=Expect(json={"n": True}))).found
    assert ask(Http(url=f"{server}/s", expect=Expect(json={"m": 1}))).seen == "HTTP status 200, m is null"


def test_a_text_that_must_be_in_the_answer(server: str) -> None:
    Handler.answers["/s"] = (202, b"ready: 2013-01-01")
    for text, found in (("2013-01-01", True), ("2013-01-02", False)):
        assert ask(Http(url=f"{server}/s", expect=Expect(status=(200, 202), contains=text))).found is found


@pytest.mark.parametrize("status", [404, 408, 409, 423, 425, 429, 500, 503])
def test_a_state_that_may_pass_is_waited_for(server: str, status: int) -> None:
    Handler.answers["/s"] = (status, b"")
    assert ask(Http(url=f"{server}/s")).seen == f"HTTP status {status}"


@pytest.mark.parametrize("status", [400, 401, 403, 405, 410])
def test_a_request_that_is_refused_is_not_repeated_for_a_day(server: str, status: int) -> None:
    Handler.answers["/s"] = (status, b"")
    with pytest.raises(ConfigError, match=f"HTTP status {status}: the server refuses the request"):
        ask(Http(url=f"{server}/s"))
    assert ask(Http(url=f"{server}/s", expect=Expect(status=status))).found


def test_a_redirect_is_an_answer_and_not_followed(server: str) -> None:
    Handler.answers["/s"] = (302, f"{server}/secret".encode())
    Handler.answers["/secret"] = (200, b"")
    assert ask(Http(url=f"{server}/s")).seen == "HTTP status 302"
    assert Handler.asked == ["GET /s"]


def test_a_server_that_is_down_is_waited_for(server: str) -> None:
    down = socket.socket()
    down.bind(("127.0.0.1", 0))  # taken, and nobody listens
    answer = ask(Http(url=f"http://127.0.0.1:{down.getsockname()[1]}/s"))
    down.close()
    assert not answer.found
    assert answer.seen.startswith("no answer (URLError: ")
    assert "refused" in answer.seen


@pytest.mark.parametrize("url", ["http://127.0.0.1:no/x", "http://[::1/x", "http://127.0.0.1 /x"])
def test_an_address_that_no_client_can_read_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigError, match=r"the address can't be asked.*; mend host and port"):
        ask(Http(url=url))


PLACES = {
    "/straße": "/stra%C3%9Fe",
    "/?q=ü&r=a b": "/?q=%C3%BC&r=a%20b",
    "/a b/": "/a%20b/",
    "/stra%C3%9Fe?q=a+b%20c&d='1'&e=f/g:h,i": "/stra%C3%9Fe?q=a+b%20c&d='1'&e=f/g:h,i",
}


@pytest.mark.parametrize("place", PLACES)
def test_path_and_query_are_written_as_people_write_them_or_percent_encoded(server: str, place: str) -> None:
    Handler.answers[PLACES[place]] = (200, b"")
    assert ask(Http(url=f" {server}{place}\n")).found


@pytest.mark.airflow
@pytest.mark.parametrize("place", [*PLACES][:3])
def test_path_and_query_behind_a_connection_are_too(server: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Handler.answers[PLACES[place]] = (200, b"")
    monkeypatch.setenv("AIRFLOW_CONN_ORDERS", json.dumps({"conn_type": "http", "host": server}))
    assert ask(Http(connection="orders", path=place)).found


@pytest.mark.parametrize("host", ["a..b", "日本.invalid", "x" * 64])
def test_a_host_that_cant_be_sent_is_told_as_that(host: str) -> None:
    with pytest.raises(ConfigError, match=r"the host can't be sent as it is written.*xn--"):
        ask(Http(url=f"http://{host}/s"))


@pytest.mark.airflow
@pytest.mark.parametrize(
    "known",
    [{"login": "me", "password": "MARKER€SECRET"}, {"login": "€", "password": "x"}, {"extra": {"x-key": "MARKER€"}}],
)
def test_what_a_connection_holds_and_http_cant_carry_is_told_without_it(
    server: str, known: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ORDERS", json.dumps({"conn_type": "http", "host": server} | known))
    with pytest.raises(ConfigError, match=r"'orders'.*Latin-1 in its login, password and headers") as error:
        ask(Http(connection="orders", path="/s"))
    assert not any(secret in str(error.value) + caplog.text for secret in ("MARKER", "SECRET", "€"))


@pytest.mark.airflow
@pytest.mark.parametrize("known", [{"host": "http://127.0.0.1:no"}, {"host": "127.0.0.1", "extra": {"x-key": "a\nb"}}])
def test_a_connection_that_no_client_can_use_is_told_as_that(
    known: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ORDERS", json.dumps({"conn_type": "http"} | known))
    with pytest.raises(ConfigError, match=r"be asked.*; mend host, port and headers of the connection"):
        ask(Http(connection="orders", path="/s"))


@pytest.mark.airflow
@pytest.mark.parametrize("host", ["http://127.0.0.1:{port}/MARKERSECRET", "http://u:MARKERSECRET@127.0.0.1:{port}"])
def test_the_host_of_a_connection_may_hold_a_secret_which_nobody_hears(
    host: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    down = socket.socket()
    down.bind(("127.0.0.1", 0))  # taken, and nobody listens
    known = {"conn_type": "http", "host": host.format(port=down.getsockname()[1])}
    monkeypatch.setenv("AIRFLOW_CONN_ORDERS", json.dumps(known))
    seen = ask(Http(connection="orders", path="/s")).seen
    down.close()
    assert seen == "no answer (ConnectionError: Connection refused)"
    assert "MARKERSECRET" not in caplog.text


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "http://host/a/../b"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is no address"):
        ask(Http(url=url))


@pytest.mark.parametrize(
    "options",
    [{}, {"url": "http://a/b", "connection": "x"}, {"url": "http://a/b", "path": "/c"}, {"url": "http://me:pw@a/b"}],
)
def test_addresses_that_contradict_each_other_or_hold_a_login_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        Http(**options)  # type: ignore[arg-type]
