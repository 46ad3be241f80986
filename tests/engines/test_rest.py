"""What a driver does is told by the master that leads, or by none: a driver that runs is never taken for a dead one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from airflow_provider_etl.engines.rest import UNKNOWN, Rest
from airflow_provider_etl.engines.target import Target
from spark_jobs.errors import InfrastructureError

Masters = Callable[..., Rest]
RUNNING = (200, {"action": "SubmissionStatusResponse", "success": True, "driverState": "RUNNING"})
UNHEARD = (200, {"action": "SubmissionStatusResponse", "success": False, "submissionId": "d"})  # as Spark 4.1 answers
RECOVERS = (
    200,
    {
        "action": "SubmissionStatusResponse",
        "success": False,
        "message": "Exception from the cluster:\njava.lang.Exception: Current state is not alive: RECOVERING. "
        "Can only request driver status in ALIVE state.",
    },
)
BROKEN = (500, {"action": "ErrorResponse", "message": "Futures timed out after [120 seconds]"})


@pytest.fixture
def masters() -> Iterator[Masters]:
    """Starts masters at 127.0.0.1, 127.0.0.2, …, of one port, each with one answer; None is one that isn't there."""
    with ExitStack() as stack:

        def start(*answers: tuple[int, dict[str, Any]] | None) -> Rest:
            port = 0
            for number, answer in reversed(list(enumerate(answers, 1))):
                if answer is not None:
                    server = stack.enter_context(HTTPServer((f"127.0.0.{number}", port), _answering(*answer)))
                    port = server.server_port
                    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
                    stack.callback(server.shutdown)
            hosts = ",".join(f"127.0.0.{number}:7077" for number in range(1, len(answers) + 1))
            return Rest(Target(master=f"spark://{hosts}", rest_port=port))

        yield start


def _answering(code: int, said: dict[str, Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            content = json.dumps(said).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the server asks for it by this name

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def test_a_master_that_leads_knows(masters: Masters) -> None:
    assert masters(RUNNING).state("d") == "RUNNING"
    assert masters(UNHEARD).state("d") == UNKNOWN
    assert masters(RECOVERS, RUNNING).state("d") == "RUNNING"
    assert masters(None, RUNNING).state("d") == "RUNNING"
    assert masters(BROKEN, RUNNING).state("d") == "RUNNING"


@pytest.mark.parametrize("others", [[], [None], [BROKEN]])
def test_one_that_recovers_or_stands_by_is_no_answer(masters: Masters, others: list[Any]) -> None:
    rest = masters(*others, RECOVERS)
    with pytest.raises(InfrastructureError, match="no Spark master leads at this moment"):
        rest.state("d")
    with pytest.raises(InfrastructureError, match="no Spark master leads"):
        rest.kill("d")
    with pytest.raises(InfrastructureError, match="no Spark master leads"):
        rest.create([], {})


def test_an_error_of_the_server_is_no_answer(masters: Masters) -> None:
    with pytest.raises(InfrastructureError, match=r"HTTP 500: .*Futures timed out"):
        masters(BROKEN).state("d")
    refused = (400, {"action": "ErrorResponse", "message": "Submission ID is missing in status request."})
    with pytest.raises(InfrastructureError, match=r"can't say what d does: .*Submission ID is missing"):
        masters(refused).state("d")


def test_settings_that_a_server_repeats_hold_no_secret_not_even_where_they_are_cut(masters: Masters) -> None:
    for place in range(440, 500):
        refused = (400, {"message": "$" * place + "MARKERSECRET"})
        with pytest.raises(InfrastructureError) as raised:
            masters(refused).create([], {"spark.ssl.keyPassword": "MARKERSECRET"})
        assert "MA" not in str(raised.value)
        assert "$" * 400 in str(raised.value)


def test_a_proxy_of_the_environment_is_not_asked(masters: Masters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    assert masters(RUNNING).state("d") == "RUNNING"
