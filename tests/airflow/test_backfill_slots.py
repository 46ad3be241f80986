"""The slots that the installed Airflow cuts: those of windows, and partitions, which it reads on another clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from airflow_provider_etl.backfill.dates import starts
from airflow_provider_etl.backfill.facts import Dag

pytestmark = pytest.mark.airflow

NEW_YORK = "America/New_York"


def slots(timetable: Any, first: str, last: str) -> list[Any]:
    """The slots of a DAG with a timetable, as serialised and read again."""
    from airflow.sdk import DAG
    from airflow.serialization.serialized_objects import DagSerialization

    from airflow_provider_etl.backfill.airflow3 import Airflow3

    backend = Airflow3()
    dag = DAG("d", schedule=timetable, start_date=datetime(2013, 1, 1, tzinfo=UTC))
    backend._serialized["d"] = DagSerialization.from_dict(DagSerialization.to_dict(dag))
    asked = starts(first, last, NEW_YORK)
    return backend.slots(Dag(name="d", timezone=NEW_YORK, paused=False, max_active=1, tasks=0), asked.first, asked.last)


def test_both_ends_of_a_range_are_windows_of_it() -> None:
    from airflow.sdk import CronDataIntervalTimetable

    found = slots(CronDataIntervalTimetable("@daily", timezone=NEW_YORK), "2013-03-09", "2013-03-11")
    assert [slot.start.isoformat() for slot in found] == [
        "2013-03-09T05:00:00+00:00",
        "2013-03-10T05:00:00+00:00",
        "2013-03-11T04:00:00+00:00",
    ]
    assert all(slot.logical == slot.start and slot.cuts for slot in found)


def test_the_partitions_of_both_ends_are_in_the_range_too() -> None:
    sdk = pytest.importorskip("airflow.sdk")
    if not hasattr(sdk, "CronPartitionTimetable"):
        pytest.skip("this Airflow has no partitions")
    found = slots(sdk.CronPartitionTimetable("0 2 * * *", timezone=NEW_YORK), "2013-01-01", "2013-01-03")
    assert [slot.partition for slot in found] == [f"2013-01-0{day}T02:00:00" for day in (1, 2, 3)]
    assert {slot.logical for slot in found} == {None}


@pytest.mark.parametrize("expression", ["@hourly", "*/30 * * * *"])
def test_the_hour_that_comes_twice_is_two_partitions_of_different_keys(expression: str) -> None:
    """Airflow tells partitions apart by their keys alone: of two alike a backfill would run one."""
    sdk = pytest.importorskip("airflow.sdk")
    if not hasattr(sdk, "CronPartitionTimetable"):
        pytest.skip("this Airflow has no partitions")
    from airflow_provider_etl.factory.timetables import _partitions
    from airflow_provider_etl.spec.schedule import Partition

    found = slots(_partitions(Partition(expression), NEW_YORK), "2024-11-03", "2024-11-03")
    assert len(found) == len({slot.partition for slot in found}) == (25 if expression == "@hourly" else 50)
    twice = [slot.partition for slot in found if str(slot.partition).startswith("2024-11-03T01:00:00")]
    assert twice == ["2024-11-03T01:00:00-0400", "2024-11-03T01:00:00-0500"]
