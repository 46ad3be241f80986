"""Conditions travel as plain JSON, and a condition that can't be asked is asked again, not for ever."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_etl.sensors.asking import Ask, ask_all
from airflow_provider_etl.sensors.condition import Answer, Asking, Condition, span
from airflow_provider_etl.sensors.coverage import gap
from airflow_provider_etl.sensors.file import File
from airflow_provider_etl.sensors.http import Expect, Http
from airflow_provider_etl.sensors.pipeline import Lookback, OtherPipeline
from airflow_provider_etl.sensors.s3 import S3Key
from airflow_provider_etl.sensors.sql import Sql
from airflow_provider_etl.sensors.table import Table
from spark_jobs.errors import ConfigError, InfrastructureError
from tests.sensors.asking import DAY, NOW

CONDITIONS = {
    "file": File(path="/data/a.csv", stable=timedelta(minutes=2), every=timedelta(seconds=90), task="drop"),
    "http": Http(url="http://a/b", expect=Expect(status=(200, 204), json={"a": {"b": [1, "x"]}}, contains="y")),
    "pipeline": OtherPipeline(name="flights", window=Lookback(lookback=timedelta(days=1)), by="airflow"),
    "s3": S3Key(key="s3://b/k", connection=None, min_size=1),
    "sql": Sql(connection="crm", query="select ${env.x}"),
    "table": Table(path="/t", newer_than=timedelta(hours=6), timeout=timedelta(hours=2), mode="poke"),
}


@pytest.mark.parametrize("kind", CONDITIONS)
def test_a_condition_comes_through_json_as_it_was(kind: str) -> None:
    asked = Ask(
        kind=kind,
        condition=CONDITIONS[kind],
        window=DAY,
        values={"env.x": "1"},
        prepared={"windows": [["a", "b"]]},
        memory={"since": "x"},
        failures=3,
    )
    assert Ask.from_json(json.loads(json.dumps(asked.to_json()))) == asked
    assert DAY.key in asked.told


def test_a_literal_stays_a_literal() -> None:
    asked = Ask(kind="table", condition=Table(path="/t", newer_than="window.start"))
    assert Ask.from_json(json.loads(json.dumps(asked.to_json()))).condition.newer_than == "window.start"  # type: ignore[attr-defined]


@dataclass(frozen=True, kw_only=True)
class Told(Condition):
    """Not a real condition: answers, or fails, as a test says."""

    error: Exception | None = None
    found: bool = False

    @property
    def told(self) -> str:
        """What it is."""
        return "a test"

    def ready(self, asking: Asking) -> Answer:
        """As told."""
        if self.error:
            raise self.error
        return Answer(found=self.found, seen=f"memory {asking.memory}", memory=(asking.memory or 0) + 1)


def test_every_window_is_asked_for_and_what_is_found_isnt_asked_again() -> None:
    asks = [Ask(kind="x", condition=Told(found=True)), Ask(kind="x", condition=Told(), window=DAY)]
    told = ask_all(asks, NOW)
    assert told.met == ("a test: memory None",)
    assert told.seen == "2013-01-01: memory None"
    assert [item.memory for item in told.open] == [1]
    assert ask_all(told.open, NOW).seen == "memory 1"


def test_what_cannot_be_asked_is_asked_again_and_given_to_airflow_s_retries_after_ten_times() -> None:
    asks = (Ask(kind="x", condition=Told(error=OSError("connection refused\nby peer"))),)
    for _ in range(9):
        told = ask_all(asks, NOW)
        assert told.seen == "it couldn't be asked (OSError: connection refused by peer)"
        asks = told.open
    with pytest.raises(InfrastructureError, match="a test: couldn't be asked 10 times in a row: OSError"):
        ask_all(asks, NOW)


@pytest.mark.parametrize("place", [280, 285, 290, 295, 299])
def test_a_secret_at_the_end_of_what_is_told_isnt_told_in_part(place: int) -> None:
    try:
        from airflow.sdk.log import mask_secret
    except ImportError:  # until Airflow 3.1
        from airflow.utils.log.secrets_masker import mask_secret  # type: ignore[import-not-found, no-redef]
    mask_secret("MARKERSECRET")
    ask = Ask(kind="x", condition=Told(error=OSError("$" * place + "MARKERSECRET")))
    said = str(ask_all([ask], NOW).seen)
    assert "M" not in said
    assert "$" * place in said


def test_an_answer_ends_the_row_of_failures() -> None:
    ask = Ask(kind="x", condition=Told(), failures=9)
    assert ask_all([ask], NOW).open[0].failures == 0


def test_what_waiting_cant_mend_ends_it() -> None:
    with pytest.raises(ConfigError, match="no such thing"):
        ask_all([Ask(kind="x", condition=Told(error=ConfigError("no such thing")))], NOW)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=-1), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(minutes=90), "1 h 30 min"),
        (timedelta(days=1, seconds=1), "1 d 1 s"),
        (timedelta(days=2, hours=3, minutes=4), "2 d 3 h"),
    ],
)
def test_lengths_of_time_in_words(length: timedelta, words: str) -> None:
    assert span(length) == words


def at(hour: int) -> datetime:
    return datetime(2013, 1, 1, tzinfo=UTC) + timedelta(hours=hour)


@given(
    wanted=st.tuples(st.integers(0, 30), st.integers(1, 10)),
    windows=st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)), max_size=12),
)
def test_a_gap_is_the_first_part_that_no_window_covers(wanted: tuple[int, int], windows: list[tuple[int, int]]) -> None:
    def spans(start: int, length: int) -> tuple[datetime, datetime]:
        return at(start), at(start + length)

    found = gap(spans(*wanted), [spans(*item) for item in windows])
    covered = {hour for start, length in windows for hour in range(start, start + length)}
    lacking = [hour for hour in range(wanted[0], sum(wanted)) if hour not in covered]
    if not lacking:
        assert found is None
    else:
        assert found is not None
        assert found[0] == at(lacking[0])
        run = next((n for n, hour in enumerate(lacking) if hour != lacking[0] + n), len(lacking))
        assert found[1] == at(lacking[0] + run)
