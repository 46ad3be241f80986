"""Given an event, when a message is delivered, then whoever wants it has it, and nobody else hears a secret."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from airflow_provider_etl.notify.email import Email
from airflow_provider_etl.notify.message import Message
from airflow_provider_etl.notify.slack import Slack
from airflow_provider_etl.notify.webhook import Webhook
from spark_jobs.errors import ConfigError, InfrastructureError
from tests.servers.listening import Listening, listening

MESSAGE = Message(
    event="failure",
    pipeline="flights",
    run="run 1",
    windows=("2013-01-01T05:00:00Z/2013-01-02T05:00:00Z",),
    text="task load, try 3: <no space left>",
    link="http://airflow/x",
)


@dataclass
class Known:
    """An Airflow connection; in its hook's place a fake that only listens: no mail server and no Slack run here."""

    host: str | None = None
    schema: str | None = None
    port: int | None = None
    login: str | None = None
    password: str | None = None
    extra_dejson: dict[str, Any] = field(default_factory=dict)
    heard: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def get_hook(self) -> Known:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.heard.append(("closed", {}))

    def call(self, method: str, **options: Any) -> None:
        self.heard.append((method, options))

    def send_email_smtp(self, **options: Any) -> None:
        self.heard.append(("mail", options))


class Records(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def server() -> Iterator[Listening]:
    with listening() as made:
        yield made


def test_a_webhook_gets_the_message_as_json_with_all_of_it_as_text(server: Listening) -> None:
    known = Known(
        host="127.0.0.1",
        port=server.port,
        login="me",
        password="hunter2",
        extra_dejson={"endpoint": "/services/SECRET", "headers": {"X-Team": "data"}},
    )
    Webhook(type="webhook", connection="ops").deliver(MESSAGE, known)
    [(path, headers, body)] = server.heard
    assert path == "/services/SECRET"
    assert (headers["X-Team"], headers["Authorization"].split()[0]) == ("data", "Basic")
    assert body["text"].startswith("[failure] flights 2013-01-01T05:00:00Z/2013-01-02T05:00:00Z\ntask load, try 3")
    assert (body["event"], body["pipeline"], body["run"], body["link"]) == ("failure", "flights", "run 1", MESSAGE.link)


@pytest.mark.parametrize(
    ("endpoint", "port", "why"),
    [("no", None, "answered: 403"), ("SECRET", 9, "can't be reached: Connection refused")],
)
def test_a_webhook_that_fails_says_why_without_its_address(
    server: Listening, endpoint: str, port: int | None, why: str
) -> None:
    known = Known(host="127.0.0.1", port=port or server.port, extra_dejson={"endpoint": endpoint})
    with pytest.raises(InfrastructureError, match=rf"^ops: 127\.0\.0\.1 {why}$") as told:
        Webhook(type="webhook", connection="ops").deliver(MESSAGE, known)
    assert "SECRET" not in str(told.value)


@pytest.mark.parametrize(
    "host",
    [
        "http://127.0.0.1:9/services/T0/MARKERSECRET",
        "127.0.0.1:9/services/T0/MARKERSECRET",
        "http://user:MARKERSECRET@127.0.0.1",
        "http://127.0.0.1:MARKERSECRET",
        "http://127.0.0.1/a b/MARKERSECRET",
        "http://[127.0.0.1/MARKERSECRET",
    ],
)
def test_whatever_part_of_a_host_is_a_secret_is_not_told(host: str) -> None:
    with pytest.raises(
        InfrastructureError, match=r"^ops: (127\.0\.0\.1|the address) can't be reached: [\w ]+$"
    ) as told:
        Webhook(type="webhook", connection="ops").deliver(MESSAGE, Known(host=host))
    assert told.value.__suppress_context__, "a traceback would show it"


@pytest.mark.parametrize(("host", "said"), [(None, "it has no host"), ("file:///etc/passwd", "neither http nor https")])
def test_a_connection_that_is_no_address_is_refused(host: str | None, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Webhook(type="webhook", connection="ops").deliver(MESSAGE, Known(host=host))


def test_slack_and_mail_go_by_the_hooks_of_their_connections() -> None:
    known = Known()
    Slack(type="slack", connection="s", channel="#etl").deliver(MESSAGE, known)
    Email(type="email", to=("a@example.com",)).deliver(MESSAGE, known)
    (method, post), (_, mail), (last, _) = known.heard
    assert (method, post["json"]["channel"], post["json"]["text"]) == ("chat.postMessage", "#etl", MESSAGE.body)
    assert (mail["to"], mail["subject"]) == (["a@example.com"], MESSAGE.subject)
    assert "&lt;no space left&gt;" in mail["html_content"], "what a source says is text, not a page"
    assert last == "closed"


@pytest.mark.airflow
class TestAlarms:
    """What the factory hangs on tasks."""

    def test_each_event_goes_to_those_who_want_it_and_one_that_is_deaf_keeps_nobody_from_hearing(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from airflow_provider_etl.operators import alarms

        known = {"deaf": Known(host=None), "s": Known()}
        monkeypatch.setattr(alarms, "connection_of", known.__getitem__)
        notify = (
            Webhook(type="webhook", connection="deaf", on=("failure", "success")),
            Slack(type="slack", connection="s", channel="#etl", on=("failure",)),
        )
        counted: list[str] = []
        monkeypatch.setattr(alarms.Stats, "incr", counted.append)
        logged = Records()
        alarms._log.addHandler(logged)
        alarms.tell(notify, MESSAGE)
        alarms._log.removeHandler(logged)
        assert len(known["s"].heard) == 1
        assert counted == ["etl.flights.notify.failed"]
        [said] = [record.getMessage() for record in logged.records]
        assert said.startswith("connection deaf: the message '[failure] flights")
        assert "it has no host" in said

    def test_what_is_late_is_told_from_what_was_in_the_database(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from airflow_provider_etl.operators import alarms
        from spark_jobs import kinds

        known = Known()
        monkeypatch.setattr(alarms, "connection_of", lambda _: known)
        told = [json.loads(json.dumps(kinds.dump(Slack(type="slack", connection="s", channel="#etl", on=("late",)))))]
        alarms.late("flights", "4:00:00", told, {"dag_run": {"dag_run_id": "scheduled__2013"}})
        [(_, post)] = known.heard
        assert "run scheduled__2013 hasn't loaded within 4:00:00" in post["json"]["text"]
