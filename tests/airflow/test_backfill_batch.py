"""A batch of windows in one Spark job: what fails, what is tried again, what goes on. Engine and Airflow are fakes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from airflow_provider_etl.engines.base import Handle
from spark_jobs.errors import ResourceError
from tests.airflow.project import FLIGHTS, Project
from tests.airflow.test_windows import FUSED, LAKE, NotingEngine, context_of, hold, keys, task_of, use
from tests.backfill.fakes import FakeAirflow, day
from tests.backfill.test_preview import asked

pytestmark = pytest.mark.airflow

ENDLESS = FLIGHTS.replace("end: 2013-01-04\n", "").replace("attempts: 3, delay: 2m", "attempts: 1, delay: 1s")


class BatchEngine(NotingEngine):
    """Loads the windows of a job in order, up to one that is told to fail, or to take Spark down, next time.

    Args:
        fails: key of a window -> kinds of error, one for each try.
        dies: keys of windows at which Spark is killed, once each.
    """

    def __init__(self, fails: Mapping[str, list[str]] | None = None, dies: set[str] | None = None) -> None:
        super().__init__()
        self.fails, self.dies = dict(fails or {}), set(dies or ())

    def report(self, _handle: Handle) -> Any:
        reports = []
        for plan in self.jobs[-1].plans:
            key = plan["window"]["key"]
            if key in self.dies:
                self.dies.remove(key)
                raise ResourceError("Spark was killed")
            reports.append(self._report(plan))
            if self.fails.get(key):
                kind = self.fails[key].pop(0)
                reports[-1] |= {"state": "failed", "loads": {}, "error": {"kind": kind, "message": "no", "where": ""}}
                break
        return reports


@pytest.fixture
def run(project: Project, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a batch: (exit code, the fake Airflow)."""
    from airflow_provider_etl.backfill import batch
    from airflow_provider_etl.backfill import jobs as jobs_
    from airflow_provider_etl.backfill.look import look

    project.pipeline("flights", ENDLESS)
    monkeypatch.setattr(jobs_.time, "sleep", lambda _seconds: None)

    def run(
        engine: BatchEngine, last: str = "2013-01-04", span: int = 30, *, missing: bool = False, **known: Any
    ) -> tuple[int, FakeAirflow]:
        monkeypatch.setattr("airflow_provider_etl.engines.engine_of", lambda *_: engine)
        airflow = FakeAirflow(**known)
        request = asked(project, last=last, batch=timedelta(days=span), wait=False, missing=missing)
        return batch.batch(airflow, look(airflow, request)), airflow

    return run


def jobs(engine: NotingEngine) -> list[list[str]]:
    """The days of each job."""
    return [[plan["window"]["key"][-2:] for plan in job.plans] for job in engine.jobs]


def test_windows_are_cut_into_jobs_and_then_run_by_airflow(run: Any) -> None:
    engine = BatchEngine()
    code, airflow = run(engine, last="2013-01-05", span=2)
    assert code == 0
    assert jobs(engine) == [["01", "02"], ["03", "04"], ["05"]]
    [order] = airflow.orders
    assert [slot.start for slot in order.slots] == [day(number) for number in range(1, 6)]
    assert (order.reprocess, order.conf) == ("none", None), "the runs are first ones, and find their work done"
    tokens = [plan["attempt"]["token"] for job in engine.jobs for plan in job.plans]
    assert len(set(tokens)) == 5


def test_pipelines_downstream_hear_of_every_job_once_with_all_its_windows(run: Any) -> None:
    _, airflow = run(BatchEngine(), last="2013-01-03", span=2)
    assert [asset for asset, _ in airflow.events] == ["flights.lake"] * 2
    first, second = (extra for _, extra in airflow.events)
    assert [window["start"] for window in first["windows"]] == ["2013-01-01T05:00:00Z", "2013-01-02T05:00:00Z"]
    assert second["window"]["start"] == "2013-01-03T05:00:00Z"


def test_a_window_that_fails_for_good_is_told_and_the_rest_goes_on(
    run: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = BatchEngine(fails={"2013-01-02": ["data"]})
    code, airflow = run(engine)
    assert code == 1
    assert jobs(engine) == [["01", "02", "03", "04"], ["03", "04"]]
    assert [slot.start for slot in airflow.orders[0].slots] == [day(1), day(3), day(4)]
    assert "2013-01-02 wasn't loaded: no" in capsys.readouterr().out


def test_what_may_heal_is_tried_again_as_often_as_the_file_says(run: Any) -> None:
    engine = BatchEngine(fails={"2013-01-02": ["infrastructure"]})
    assert run(engine)[0] == 0
    assert jobs(engine) == [["01", "02", "03", "04"], ["02", "03", "04"]]
    engine = BatchEngine(fails={"2013-01-02": ["infrastructure", "infrastructure"]})
    code, airflow = run(engine)
    assert code == 1
    assert jobs(engine) == [["01", "02", "03", "04"], ["02", "03", "04"], ["03", "04"]]
    assert len(airflow.orders[0].slots) == 3


def test_a_killed_spark_is_started_again(run: Any) -> None:
    engine = BatchEngine(dies={"2013-01-03"})
    assert run(engine)[0] == 0
    assert jobs(engine) == [["01", "02", "03", "04"]] * 2, "the fake wrote no ledger that would know of the first two"


def test_windows_that_depend_on_the_one_before_stop_at_the_first_that_fails(run: Any) -> None:
    from airflow_provider_etl.backfill.facts import Dag

    dag = Dag(name="flights", timezone="UTC", paused=False, max_active=1, tasks=4, depends_on_past=True)
    engine = BatchEngine(fails={"2013-01-02": ["data"]})
    code, airflow = run(engine, missing=True, known=dag)
    assert code == 1
    assert jobs(engine) == [["01", "02", "03", "04"]]
    [order] = airflow.orders
    assert [slot.start for slot in order.slots] == [day(1)]
    assert order.reprocess == "failed", "Airflow refuses none where windows depend on the one before"


def test_a_window_that_has_a_run_keeps_it_with_a_note(run: Any) -> None:
    from airflow_provider_etl.backfill.facts import Run

    there = {(day(2), None): Run(run_id="scheduled 2", state="failed")}
    code, airflow = run(BatchEngine(), missing=True, there=there)
    assert code == 0
    assert [slot.start for slot in airflow.orders[0].slots] == [day(1), day(3), day(4)]
    assert "by `airflow-etl backfill --batch`" in airflow.notes["scheduled 2"]


def test_ctrl_c_ends_it_and_says_how_to_go_on(run: Any, capsys: pytest.CaptureFixture[str]) -> None:
    class Interrupted(BatchEngine):
        def output(self, _handle: Handle) -> Any:
            if len(self.jobs) == 2:
                raise KeyboardInterrupt
            yield ""

    code, airflow = run(Interrupted(), last="2013-01-03", span=1)
    assert code == 130
    assert not airflow.orders
    assert len(airflow.events) == 1, "what is loaded was told"
    assert "1 windows are loaded. To go on: the same command with --missing" in capsys.readouterr().out


def test_a_first_run_that_is_told_to_reprocess_loads_what_the_tables_hold(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl.backfill import REPROCESS

    engine = use(monkeypatch, NotingEngine(load=LAKE))
    hold(project, monkeypatch)
    task = task_of(project, FUSED)
    assert task.execute(context_of(task))["state"] == "skipped"
    run = SimpleNamespace(run_type="backfill", conf={REPROCESS: True})
    assert task.execute(context_of(task, dag_run=run))["state"] == "loaded"
    assert keys(engine) == ["2013-01-01"]
