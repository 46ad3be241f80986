"""What Airflow 2.11 is asked to do: its own command, a row of neighbouring windows at a time."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow_provider_etl.backfill.airflow2 import arguments, neighbours
from airflow_provider_etl.backfill.facts import Order
from tests.backfill.fakes import day, slot


def test_windows_without_a_gap_go_together() -> None:
    slots = [slot(day(number)) for number in (1, 2, 4, 5, 6, 9)]
    assert [[item.start.day for item in row] for row in neighbours(slots)] == [[1, 2], [4, 5, 6], [9]]
    assert neighbours([]) == []


def test_the_command_names_the_logical_dates_of_both_ends() -> None:
    slots = [slot(day(1)), slot(day(2))]
    told = arguments(Order(dag="flights", slots=slots, reprocess="none", max_active=2), slots)
    ends = ["-s", "2013-01-01T05:00:00+00:00", "-e", "2013-01-02T05:00:00+00:00"]
    assert told == ["dags", "backfill", "flights", *ends, "-y", "--continue-on-failures"]
    again = Order(dag="flights", slots=slots, reprocess="failed", max_active=2, backwards=True, conf={"a": 1})
    more = arguments(again, slots)[len(told) :]
    assert more == ["--reset-dagruns", "--run-backwards", "--conf", '{"a": 1}']
    assert datetime.fromisoformat(ends[1]).tzinfo == UTC
