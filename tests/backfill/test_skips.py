"""Windows that `skip_if` leaves out aren't missing, and no Spark runs for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from airflow_provider_etl.backfill.facts import Run
from airflow_provider_etl.backfill.look import look
from tests.airflow.project import FLIGHTS, Project
from tests.backfill.conftest import Loaded
from tests.backfill.fakes import FakeAirflow, day
from tests.backfill.test_preview import asked, shown

WEEKEND = "skip_if: {weekdays: [saturday, sunday]}\n"  # the fifth and the sixth of January 2013
MISSING = 'skip_if: {missing: "${env.raw}/flights/${window.start:%Y-%m-%d}.csv"}\n'


@pytest.fixture
def weekend(project: Project) -> Project:
    """The project, whose pipeline leaves weekends out."""
    project.pipeline("flights", FLIGHTS.replace("end: 2013-01-04\n", WEEKEND))
    return project


def test_what_is_left_out_is_not_missing(weekend: Project, loaded: Loaded) -> None:
    loaded("2013-01-04")
    preview = look(FakeAirflow(), asked(weekend, "2013-01-04", "2013-01-07", missing=True))
    assert [item.start for item in preview.order.slots] == [day(7)]
    assert [" ".join(line.split()) for line in shown(preview)[2:6]] == [
        "2013-01-04 loaded none is left alone",
        "2013-01-05 not loaded none is left alone: skip_if leaves it out",
        "2013-01-06 not loaded none is left alone: skip_if leaves it out",
        "2013-01-07 not loaded none runs",
    ]
    loaded("2013-01-07")
    assert not look(FakeAirflow(), asked(weekend, "2013-01-04", "2013-01-07", missing=True)).going


def test_a_batch_has_no_spark_for_what_is_left_out_and_its_first_run_says_so(weekend: Project) -> None:
    airflow = FakeAirflow()
    airflow.there[day(6), None] = Run(run_id="r", state="success")
    request = replace(asked(weekend, "2013-01-04", "2013-01-07", reprocess="completed"), batch=timedelta(days=30))
    preview = look(airflow, request)
    assert [choice.slot.start for choice in preview.going if choice.spark] == [day(4), day(7)]
    assert [item.start for item in preview.order.slots] == [day(4), day(5), day(7)]


def test_a_backfill_of_runs_counts_no_spark_jobs_for_what_is_left_out(weekend: Project) -> None:
    preview = look(FakeAirflow(), asked(weekend, "2013-01-04", "2013-01-07"))
    assert (len(preview.going), preview.jobs) == (4, 8)


def test_a_window_whose_file_is_not_there_is_left_out_until_it_comes(project: Project) -> None:
    project.pipeline("flights", FLIGHTS.replace("end: 2013-01-04\n", MISSING))
    flags = {"first": "2013-01-03", "last": "2013-01-05", "missing": True}
    assert [item.start for item in look(FakeAirflow(), asked(project, **flags)).order.slots] == [day(3)]
    assert len(look(FakeAirflow(), asked(project, "2013-01-03", "2013-01-05")).going) == 3, "a run asks when it begins"
    project.drop(4, [])
    assert len(look(FakeAirflow(), asked(project, **flags)).going) == 2
