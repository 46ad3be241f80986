"""Partitions: their windows are those of the pipeline's own schedule, which Airflow doesn't tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_etl.backfill import REPROCESS, choice, look
from airflow_provider_etl.backfill.facts import Dag, Run, Slot
from airflow_provider_etl.backfill.preview import window_of
from airflow_provider_etl.backfill.render import render
from tests.airflow.project import FLIGHTS, Project
from tests.backfill.conftest import Loaded, pipeline_of
from tests.backfill.fakes import FakeAirflow, day
from tests.backfill.test_preview import asked


@dataclass
class Partitions(FakeAirflow):
    """An Airflow that tells of a slot its key and its start alone."""

    def slots(self, dag: Dag, first: datetime, last: datetime) -> list[Slot]:
        return [
            Slot(logical=None, partition=f"{slot.start:%Y-%m-%d}", start=slot.start, end=slot.start)
            for slot in super().slots(dag, first, last)
        ]


@pytest.fixture
def partitioned(project: Project) -> Project:
    """The project, whose pipeline runs in partitions."""
    text = FLIGHTS.replace("end: 2013-01-04\n", "").replace('"@daily"', '{partition: "@daily"}')
    project.pipeline("flights", text)
    return project


def test_the_tables_tell_which_partitions_are_missing(partitioned: Project, loaded: Loaded) -> None:
    loaded("2013-01-02")
    preview = look.look(Partitions(), asked(partitioned, missing=True))
    assert [item.partition for item in preview.order.slots] == ["2013-01-01", "2013-01-03"]
    assert [line.split()[:2] for line in list(render(preview))[2:5]] == [
        ["2013-01-01", "not"],
        ["2013-01-02", "loaded"],
        ["2013-01-03", "not"],
    ]


def test_a_batch_computes_the_windows_that_the_schedule_cuts(partitioned: Project) -> None:
    preview = look.look(Partitions(), replace(asked(partitioned), batch=timedelta(days=30)))
    windows = [window_of(item.slot, "America/New_York") for item in preview.going]
    assert windows == list(pipeline_of(partitioned).windows(day(1), day(4)))


def test_a_partition_whose_window_is_not_over_does_not_run(
    partitioned: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Noon of the third: its partition has begun, and half of its rows are there."""

    class Noon(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            assert tz is UTC
            return day(3) + timedelta(hours=12)

    monkeypatch.setattr(look, "datetime", Noon)
    preview = look.look(Partitions(), asked(partitioned))
    assert [item.action for item in preview.choices] == ["start", "start", "not yet"]
    assert isinstance(preview.choices[0], choice.Choice)


def test_a_partition_that_has_a_run_gets_another_one_which_is_told_to_load_again(
    partitioned: Project, loaded: Loaded
) -> None:
    loaded("2013-01-01")
    airflow = Partitions(there={(None, "2013-01-01"): Run(run_id="r", state="success")})
    preview = look.look(airflow, asked(partitioned, last="2013-01-01", reprocess="completed"))
    assert [item.action for item in preview.choices] == ["again"]
    assert preview.order.conf == {REPROCESS: True}
