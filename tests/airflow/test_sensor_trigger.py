"""The trigger: what it carries is plain JSON, what it finds is one event, and another triggerer may take it over."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.sensors.asking import Ask
from airflow_provider_etl.sensors.condition import Answer
from airflow_provider_etl.sensors.file import File
from airflow_provider_etl.sensors.sql import Sql
from spark_jobs.errors import ConfigError
from tests.sensors.asking import DAY

pytestmark = pytest.mark.airflow

MARKER = "PLANTED-77a0"  # a secret that must be in no place but the connection


def trigger_of(*asks: Ask, seconds: float = 30, every: float = 0.05) -> Any:
    """A trigger as a sensor makes it."""
    from airflow_provider_etl.triggers.wait import WaitTrigger

    end = datetime.now(UTC) + timedelta(seconds=seconds)
    return WaitTrigger(asks=[ask.to_json() for ask in asks], every=every, end=end.isoformat(), met=["before"])


def again(trigger: Any) -> Any:
    """The trigger as another process makes it of what the database holds, by Airflow's own way there and back."""
    from airflow.models.trigger import Trigger

    path, given = trigger.serialize()
    assert json.loads(json.dumps(given)) == given, "plain JSON"
    stored = Trigger(classpath=path, kwargs=given)
    assert MARKER not in json.dumps(given)
    module, _, name = stored.classpath.rpartition(".")
    return getattr(import_module(module), name)(**stored.kwargs)


async def _first(trigger: Any) -> dict[str, Any]:
    async for event in trigger.run():
        payload: dict[str, Any] = event.payload
        return payload
    raise AssertionError("no event")


def event_of(trigger: Any) -> dict[str, Any]:
    """The one event that a trigger ends with."""
    return asyncio.run(_first(trigger))


def file(path: Path, **more: Any) -> Ask:
    return Ask(kind="file", condition=File(path=str(path), **more), window=DAY)


def test_it_comes_through_airflow_s_own_storage_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, airflow_home: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_CRM", f"sqlite://me:{MARKER}@host/x")
    trigger = trigger_of(
        file(tmp_path, stable=timedelta(minutes=2)),
        Ask(kind="sql", condition=Sql(connection="crm", query="select ${env.x}"), values={"env.x": "y"}, window=DAY),
    )
    assert again(trigger).serialize() == trigger.serialize()


def test_it_waits_until_the_file_is_there(tmp_path: Path) -> None:
    async def wait() -> dict[str, Any]:
        waiting = asyncio.create_task(_first(again(trigger_of(file(tmp_path / "a"), file(tmp_path / "b")))))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        (tmp_path / "a").write_text("x")
        await asyncio.sleep(0.2)
        assert not waiting.done()
        (tmp_path / "b").write_text("x")
        return await asyncio.wait_for(waiting, 5)

    event = asyncio.run(wait())
    assert event["asks"] == []
    assert event["met"] == [
        "before",
        f"file {tmp_path}/a, for window 2013-01-01: 1 file, 1 bytes",
        f"file {tmp_path}/b, for window 2013-01-01: 1 file, 1 bytes",
    ]


def test_the_end_of_the_time_stays_when_another_triggerer_takes_over(tmp_path: Path) -> None:
    trigger = trigger_of(file(tmp_path / "a"), seconds=2.0)
    time.sleep(1.5)
    begin = time.monotonic()
    event = event_of(again(trigger))
    assert time.monotonic() - begin < 1.8, "what was left of it, not all of it again"
    assert event["seen"] == "nothing is there"
    assert Ask.from_json(event["asks"][0]).condition == File(path=f"{tmp_path}/a")


def test_what_was_seen_is_remembered_from_asking_to_asking(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    begin = time.monotonic()
    event = event_of(trigger_of(file(tmp_path / "a", stable=timedelta(seconds=1))))
    assert event["asks"] == []
    assert time.monotonic() - begin >= 1


def test_what_waiting_cant_mend_is_an_event_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    event = event_of(trigger_of(Ask(kind="sql", condition=Sql(connection="nowhere", query="select 1"))))
    assert event["error"]["kind"] == "config"
    assert "there is no connection 'nowhere'" in event["error"]["message"]


def test_a_question_that_hangs_is_left_behind_and_asked_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_etl.triggers import wait

    monkeypatch.setattr(wait, "_LONGEST", 0.2)
    calls: list[int] = []

    def ready(_self: File, _asking: Any) -> Answer:
        calls.append(1)
        if len(calls) == 1:
            time.sleep(1)
        return Answer(found=len(calls) > 1, seen="x")

    monkeypatch.setattr(File, "ready", ready)
    assert event_of(trigger_of(file(tmp_path)))["asks"] == []
    assert len(calls) == 2


def test_the_event_loop_goes_on_while_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits whose questions take half a second each don't hold each other up, nor the triggerer's heart."""

    def ready(_self: File, _asking: Any) -> Answer:
        time.sleep(0.5)
        return Answer(found=True, seen="x")

    monkeypatch.setattr(File, "ready", ready)

    async def race() -> float:
        waits = [asyncio.create_task(_first(trigger_of(file(tmp_path)))) for _ in range(4)]
        longest, last = 0.0, time.monotonic()
        while not all(wait.done() for wait in waits):
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        return longest

    assert asyncio.run(race()) < 0.4


def test_those_that_share_a_schedule_dont_all_ask_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await real(0)
        if len(slept) == 20:
            (tmp_path / "a").write_text("x")

    monkeypatch.setattr("airflow_provider_etl.triggers.wait.asyncio.sleep", sleep)
    event_of(trigger_of(file(tmp_path / "a"), seconds=3600, every=60))
    assert len(set(slept)) > 10
    assert all(54 <= seconds <= 66 for seconds in slept)


def test_a_sensor_tells_the_trigger_s_error_as_its_own() -> None:
    from airflow_provider_etl import WaitForFileSensor
    from airflow_provider_etl.compat import AirflowFailException

    sensor = WaitForFileSensor(task_id="wait", path="/x")
    with pytest.raises(AirflowFailException, match="no such key"):
        sensor.execute_complete({}, {"error": {"kind": ConfigError.kind, "message": "no such key"}})
