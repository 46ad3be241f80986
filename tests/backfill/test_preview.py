"""What is shown before anything starts: by the real ledger of a real table, and an Airflow that is a fake."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_etl.backfill import REPROCESS
from airflow_provider_etl.backfill.facts import Dag, Run
from airflow_provider_etl.backfill.look import look
from airflow_provider_etl.backfill.preview import Preview, length
from airflow_provider_etl.backfill.render import render
from airflow_provider_etl.backfill.request import Request
from spark_jobs.errors import ConfigError
from tests.airflow.project import FLIGHTS, Project
from tests.backfill.conftest import Loaded
from tests.backfill.fakes import FakeAirflow, day

OTHER = "cd" * 32


def asked(project: Project, first: str = "2013-01-01", last: str = "2013-01-03", **more: object) -> Request:
    """A request that names the pipeline's file."""
    path = str(project.dags / "pipelines/flights.yaml")
    return Request(dag=path, first=first, last=last, **more)  # type: ignore[arg-type]


def shown(preview: Preview) -> list[str]:
    """Its lines."""
    return list(render(preview))


def test_windows_tables_runs_and_fates_stand_side_by_side(project: Project, loaded: Loaded) -> None:
    loaded("2013-01-01")
    loaded("2013-01-02", fingerprint=OTHER)
    airflow = FakeAirflow(past=[30.0, 50.0, 40.0])
    airflow.there[day(1), None] = Run(run_id="r", state="success")
    preview = look(airflow, asked(project))
    assert [" ".join(line.split()) for line in shown(preview)] == [
        "flights: windows that start from 2013-01-01 00:00 to 2013-01-03 23:59, both included (America/New_York)",
        "window tables run this backfill",
        "2013-01-01 loaded success is left alone: its run succeeded: --reprocess completed runs it again",
        "2013-01-02 loaded by another configuration none runs",
        "2013-01-03 not loaded none runs",
        "3 windows: 2 to run, 1 left alone",
        "Spark jobs: 8; 2 windows at once; time: about 40 s, by the last 3 runs",
    ]
    assert [item.start for item in preview.order.slots] == [day(2), day(3)]
    assert preview.order.reprocess == "none"


def test_missing_and_outdated_take_what_the_ledger_says_whatever_runs_there_are(
    project: Project, loaded: Loaded
) -> None:
    loaded("2013-01-01")
    loaded("2013-01-02", fingerprint=OTHER)
    airflow = FakeAirflow(there={(day(number), None): Run(run_id="r", state="success") for number in (1, 2, 3)})
    for flags, days in (
        ({"missing": True}, [day(3)]),
        ({"outdated": True}, [day(2)]),
        ({"missing": True, "outdated": True}, [day(2), day(3)]),
    ):
        order = look(airflow, asked(project, **flags)).order
        assert [item.start for item in order.slots] == days
        assert order.reprocess == "completed", "their runs are cleared, so that they really run"


def test_a_reprocessed_window_without_a_run_is_told_to_load_again(project: Project, loaded: Loaded) -> None:
    loaded("2013-01-01")
    preview = look(FakeAirflow(), asked(project, reprocess="completed", conf={"a": 1}))
    assert preview.order.conf == {"a": 1, REPROCESS: True}
    assert look(FakeAirflow(), asked(project)).order.conf is None
    assert look(FakeAirflow(), asked(project, "2013-01-02", reprocess="completed")).order.conf is None


def test_a_first_run_of_a_loaded_window_costs_no_spark(project: Project, loaded: Loaded) -> None:
    loaded("2013-01-01", "2013-01-02")
    preview = look(FakeAirflow(), asked(project))
    assert (len(preview.going), preview.jobs) == (3, 4)
    assert "time: unknown, since no run has succeeded yet" in shown(preview)[-1]


def test_native_dates_say_which_window_they_leave_out(project: Project) -> None:
    preview = look(FakeAirflow(), asked(project, native=True))
    assert [item.start for item in preview.order.slots] == [day(1), day(2)]
    assert shown(preview)[:2] == [
        "flights: logical dates 2013-01-01 00:00 to 2013-01-03 00:00, both included (UTC, as Airflow reads them)",
        "not in it: 2013-01-03, which --to 2013-01-03 would mean; 2013-01-03 is an instant here",
    ]


def test_long_ranges_are_told_in_rows_of_alike(project: Project, loaded: Loaded) -> None:
    loaded("2013-01-10")
    lines = shown(look(FakeAirflow(), asked(project, last="2013-02-28")))
    assert len(lines) == 7
    assert lines[2].split()[:4] == ["2013-01-01", "..", "2013-01-09", "(9)"]
    assert lines[4].split()[:4] == ["2013-01-11", "..", "2013-02-28", "(49)"]


def test_a_paused_dag_and_its_catching_up_are_told(project: Project) -> None:
    dag = Dag(name="flights", timezone="UTC", paused=True, catchup=True, max_active=1, tasks=4)
    assert shown(look(FakeAirflow(known=dag), asked(project)))[-1] == (
        "the DAG is paused: nothing starts until it is unpaused, which also lets its schedule run and, "
        "since it catches up, makes up for every window that it has missed"
    )


def test_a_dag_that_cuts_no_windows_is_refused(project: Project) -> None:
    dag = replace(FakeAirflow().known, refused="its schedule (None) cuts no windows")
    with pytest.raises(ConfigError, match=r"^flights: its schedule"):
        look(FakeAirflow(known=dag), asked(project))


def test_a_range_without_a_window_is_refused(project: Project) -> None:
    with pytest.raises(ConfigError, match=r"no window starts in 2013-01-01T01:00"):
        look(FakeAirflow(), asked(project, "2013-01-01T01:00", "2013-01-01T02:00"))


def test_a_file_with_errors_is_refused_with_all_of_them(project: Project) -> None:
    project.pipeline("flights", FLIGHTS.replace("owner:", "ownr:"))
    with pytest.raises(ConfigError, match="unknown-key"):
        look(FakeAirflow(), asked(project))


def test_a_schedule_that_counts_real_time_is_asked_at_its_own_cuts(project: Project) -> None:
    """Airflow would begin at whatever instant it is given, and cut windows that the pipeline never cuts."""
    project.pipeline("flights", FLIGHTS.replace('"@daily"', "{every: 15m}"))
    asked_for = []

    class Noting(FakeAirflow):
        def slots(self, dag: Dag, first: datetime, last: datetime) -> list[object]:  # type: ignore[override]
            asked_for.append(first)
            return super().slots(dag, day(1), last)  # type: ignore[return-value]

    look(Noting(), asked(project, "2013-01-01T00:07", "2013-01-02"))
    assert asked_for == [datetime(2013, 1, 1, 5, 15, tzinfo=UTC)]


def test_an_append_table_refuses_a_part_of_a_window_that_it_holds(project: Project, loaded: Loaded) -> None:
    text = FLIGHTS.replace("end: 2013-01-04\n", "")
    project.pipeline("flights", text.replace("{strategy: replace_window, column: time_hour}", "{strategy: append}"))
    week = {"_pipeline": ["flights"], "_window_start": [day(1)], "_window_end": [day(1) + timedelta(days=2)]}
    loaded("2013-01-03", columns={key: list(value) for key, value in week.items()})
    preview = look(FakeAirflow(), asked(project, last="2013-01-04"))
    assert [choice.action for choice in preview.choices] == ["refused", "refused", "start", "start"]
    assert "2013-01-01T05:00:00+00:00/2013-01-03T05:00:00+00:00" in preview.choices[0].why


@pytest.mark.parametrize(("seconds", "told"), [(0.2, "1 s"), (89, "89 s"), (600, "10 min"), (7300, "2.0 h")])
def test_rough_time(seconds: float, told: str) -> None:
    assert length(seconds) == told
