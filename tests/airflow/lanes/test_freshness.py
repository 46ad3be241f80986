"""Given a file with `freshness`, when its load isn't there in time, then those who want to know are told, once.

3.x has deadlines: one is missed in test_freshness_e2e.py on 3.1, and in tests/airflow/test_e2e.py on later versions.
2.11 has none: there a task of the run watches.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.airflow.lanes.observe import WATCH, WATCHED
from tests.airflow.lanes.versions import AIRFLOW_3, AIRFLOW_VERSION, from_json, to_json
from tests.servers.listening import Listening, listening

pytestmark = pytest.mark.airflow

ON_2_11 = pytest.mark.skipif(AIRFLOW_3, reason="3.x has no such task: its deadlines are Airflow's own")
ON_3_1 = pytest.mark.skipif(AIRFLOW_VERSION != (3, 1), reason="3.1 alone awaits the callback in its triggerer")
LATE = timedelta(hours=5)  # after 4h


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listening]:
    """Where the messages go."""
    with listening() as made:
        monkeypatch.setenv("AIRFLOW_CONN_OPS", f"http://127.0.0.1:{made.port}")
        yield made


class Run:
    """A run of a DAG in the database of 2.11, whose tasks are put into states as a scheduler and workers would.

    Args:
        dag: the DAG.
        queued: how long ago it was queued; None where nobody queued it.
        more: what else `create_dagrun` takes.
    """

    days = 0

    def __init__(self, dag: Any, queued: timedelta | None, **more: Any) -> None:
        import pendulum
        from airflow.utils.session import create_session

        dag.sync_to_db()
        Run.days += 1
        start = pendulum.datetime(2020, 1, 1).add(days=Run.days)
        with create_session() as session:
            self.run = dag.create_dagrun(
                **({"run_type": "manual", "start_date": start} | more), state="running", execution_date=start,
                data_interval=(start, start), run_id=f"run-{Run.days}", session=session,
            )  # fmt: skip
            self.run.queued_at = None if queued is None else datetime.now(UTC) - queued
            session.merge(self.run)
        self.dag, self.run_id = dag, self.run.run_id

    def put(self, **states: str | None) -> None:
        """Put tasks into states."""
        from airflow.models import TaskInstance
        from airflow.utils.session import create_session

        for task_id, state in states.items():
            with create_session() as session:
                one = {"dag_id": self.dag.dag_id, "run_id": self.run_id, "task_id": task_id}
                session.query(TaskInstance).filter_by(**one).update({"state": state})

    def of(self, task_id: str) -> Any:
        """A task's instance, as it is now."""
        from airflow.models import DagRun

        [run] = DagRun.find(dag_id=self.dag.dag_id, run_id=self.run_id)
        ti = run.get_task_instance(task_id)
        ti.task = self.dag.get_task(task_id)
        return ti

    def work(self) -> str:
        """Let a worker do what the watch has to do now; the state that it is in afterwards."""
        ti = self.of(WATCH)
        ti.run(ignore_all_deps=True, ignore_ti_state=True, test_mode=False)
        return str(self.of(WATCH).state)

    def trigger(self, seconds: float = 3) -> bool:
        """Let the triggerer do what the watch is deferred to, so long; whether it came to an end."""
        from airflow.models.trigger import Trigger
        from airflow.utils.module_loading import import_string
        from airflow.utils.session import create_session

        with create_session() as session:
            row = session.get(Trigger, self.of(WATCH).trigger_id)
            waiting = import_string(row.classpath)(**json.loads(json.dumps(row.kwargs)))

        async def first() -> Any:
            return await anext(waiting.run())

        waiting.every = 0.2
        try:
            event = asyncio.run(asyncio.wait_for(first(), seconds))
        except TimeoutError:
            return False
        Trigger.submit_event(row.id, event)
        return True

    def end(self) -> str:
        """Let the scheduler decide about the run; the state that it is in afterwards."""
        from airflow.models import DagRun

        [run] = DagRun.find(dag_id=self.dag.dag_id, run_id=self.run_id)
        run.dag = self.dag
        run.update_state()
        return str(run.state)


@pytest.fixture
def triggerer(database: None) -> Iterator[None]:
    """A triggerer that has just given a sign of life."""
    from airflow.jobs.job import Job
    from airflow.utils.session import create_session

    now = datetime.now(UTC)
    with create_session() as session:
        session.add(Job(job_type="TriggererJob", state="running", start_date=now, latest_heartbeat=now))
    yield
    with create_session() as session:
        session.query(Job).filter_by(job_type="TriggererJob").delete()


@pytest.fixture(params=WATCHED)
def dag(request: pytest.FixtureRequest, dags: dict[str, Any], database: None) -> Any:
    """A DAG with `freshness`: one staged, one fused."""
    return dags[request.param]


def loads(dag: Any, state: str | None) -> dict[str, str | None]:
    """Every task but the watch, in a state."""
    return {task.task_id: state for task in dag.tasks if task.task_id != WATCH}


def test_a_deadline_where_airflow_has_them_else_a_task_beside_the_verbs(dags: dict[str, Any]) -> None:
    assert {name for name, dag in dags.items() if WATCH in dag.task_ids} == (set() if AIRFLOW_3 else set(WATCHED))
    if AIRFLOW_3:
        assert {name for name, dag in dags.items() if dag.deadline} == set(WATCHED)


@ON_3_1
def test_what_the_scheduler_of_3_1_hands_the_triggerer_for_a_missed_deadline_tells(dag: Any, server: Listening) -> None:
    states = asyncio.run(awaited(missed(dag)))
    assert states == ["running", "success"]
    [(_, _, told)] = server.heard
    assert (told["event"], told["pipeline"], told["run"]) == ("late", dag.dag_id, "run")
    assert "hasn't loaded within 4:00:00 of its start: its data is late" in told["text"]


def missed(dag: Any) -> tuple[str, dict[str, Any]]:
    """Let the scheduler of 3.1 queue a run of a stored DAG and miss its deadline; the trigger that it writes down."""
    from airflow.models import DagModel, Deadline
    from airflow.models.dagbundle import DagBundleModel
    from airflow.models.serialized_dag import SerializedDagModel
    from airflow.serialization.serialized_objects import LazyDeserializedDAG
    from airflow.utils.session import create_session
    from airflow.utils.types import DagRunTriggeredByType

    now = datetime.now(UTC)
    with create_session() as session:
        session.merge(DagBundleModel(name="dags-folder"))
        session.flush()
        session.merge(DagModel(dag_id=dag.dag_id, bundle_name="dags-folder"))
        session.flush()
        stored = to_json(dag)
        SerializedDagModel.write_dag(LazyDeserializedDAG(data=stored), bundle_name="dags-folder", session=session)
        session.flush()
        run = from_json(stored).create_dagrun(
            run_id="run", run_type="manual", state="queued", logical_date=now, data_interval=(now, now), run_after=now,
            triggered_by=DagRunTriggeredByType.TEST, session=session,
            conf={"window_start": "2013-03-09T00:00", "window_end": "2013-03-10T00:00"},
        )  # fmt: skip
        session.flush()
        [deadline] = session.query(Deadline).filter_by(dagrun_id=run.id)
        assert deadline.deadline_time == run.queued_at + timedelta(hours=4)
        deadline.handle_miss(session)
        trigger = deadline.trigger.classpath, deadline.trigger.kwargs
        session.rollback()  # other tests find none of it
    return trigger


async def awaited(trigger: tuple[str, dict[str, Any]]) -> list[str]:
    """Await a trigger as the triggerer does, to its end; the states that its events tell."""
    from airflow.utils.module_loading import import_string

    path, arguments = trigger
    return [event.payload["state"].value async for event in import_string(path)(**arguments).run()]


@ON_2_11
def test_the_watch_hangs_on_nothing_takes_nothing_and_decides_nothing(dag: Any) -> None:
    task = dag.get_task(WATCH)
    assert (task.upstream_task_ids, task.downstream_task_ids) == (set(), set())
    assert (task.is_teardown, task.on_failure_fail_dagrun) == (True, False)
    assert (task.retries, task.pool, task.depends_on_past, task.execution_timeout) == (0, "default_pool", False, None)


@ON_2_11
def test_a_run_in_time_is_watched_by_the_triggerer_until_its_load_has_ended(
    dag: Any, server: Listening, triggerer: None
) -> None:
    run = Run(dag, timedelta())
    assert run.work() == "deferred"
    run.put(**loads(dag, "running"))
    assert not run.trigger()
    run.put(**loads(dag, "success"))
    assert run.trigger()
    assert run.work() == "success"
    assert run.end() == "success"
    assert server.heard == []


@ON_2_11
def test_a_late_run_is_told_of_once_however_often_the_watch_is_cleared(dag: Any, server: Listening) -> None:
    run = Run(dag, LATE)
    run.put(**loads(dag, "running"))
    assert run.work() == "success"
    [(_, _, told)] = server.heard
    assert (told["event"], told["pipeline"], told["run"]) == ("late", dag.dag_id, run.run_id)
    assert "hasn't loaded within 4:00:00 of its start: its data is late" in told["text"]
    run.put(**{WATCH: None})
    assert run.work() == "success"
    assert len(server.heard) == 1
    assert run.end() == "running", "it goes on"
    run.put(**loads(dag, "success"))
    assert run.end() == "success"


@ON_2_11
def test_a_run_that_becomes_late_while_it_is_watched_is_told_of(dag: Any, server: Listening, triggerer: None) -> None:
    run = Run(dag, timedelta(hours=4, seconds=-10))
    run.put(**loads(dag, "running"))
    assert run.work() == "deferred"
    assert run.trigger(60)
    assert run.work() == "success"
    assert len(server.heard) == 1


@ON_2_11
@pytest.mark.parametrize("state", ["failed", "skipped", "upstream_failed"])
def test_a_run_that_has_ended_otherwise_is_no_late_one_and_stays_what_it_is(
    dag: Any, state: str, server: Listening
) -> None:
    run = Run(dag, LATE)
    run.put(**loads(dag, state))
    assert run.work() == "success"
    assert run.end() == ("success" if state == "skipped" else "failed")
    assert server.heard == []


@ON_2_11
def test_a_load_that_will_be_tried_again_has_not_ended(dag: Any, server: Listening, triggerer: None) -> None:
    run = Run(dag, timedelta())
    assert run.work() == "deferred"
    run.put(**loads(dag, "up_for_retry"))
    assert not run.trigger()


@ON_2_11
@pytest.mark.parametrize("state", ["failed", "skipped"])
def test_what_becomes_of_the_watch_decides_nothing(dag: Any, state: str) -> None:
    for of_the_loads in ("success", "failed"):
        run = Run(dag, timedelta())
        run.put(**loads(dag, of_the_loads), **{WATCH: state})
        assert run.end() == of_the_loads


@ON_2_11
def test_a_run_that_nobody_queued_is_not_watched(dag: Any, server: Listening) -> None:
    assert Run(dag, None).work() == "success"
    assert server.heard == []


@ON_2_11
def test_a_backfill_of_2_11_counts_from_its_own_start(dag: Any, server: Listening, triggerer: None) -> None:
    now = datetime.now(UTC)
    assert Run(dag, LATE, run_type="backfill", start_date=now).work() == "deferred"
    assert Run(dag, timedelta(), run_type="backfill", start_date=now - LATE).work() == "success"
    assert len(server.heard) == 1


@ON_2_11
def test_where_no_triggerer_runs_the_watch_is_rescheduled(dag: Any, server: Listening) -> None:
    run = Run(dag, timedelta())
    assert run.work() == "up_for_reschedule"
    run.put(**loads(dag, "success"))
    assert run.work() == "success"
    assert server.heard == []


@ON_2_11
def test_where_nobody_wants_to_wait_in_the_triggerer_the_watch_holds_no_worker_either(
    dag: Any, triggerer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__ETL__WAIT_MODE", "poke")
    assert Run(dag, timedelta()).work() == "up_for_reschedule"


@ON_2_11
def test_where_the_triggerer_dies_the_watch_goes_on_without_it(dag: Any, triggerer: None) -> None:
    from airflow.models import TaskInstance
    from airflow.utils.session import create_session

    run = Run(dag, timedelta())
    assert run.work() == "deferred"
    with create_session() as session:  # as the scheduler does after the timeout
        session.query(TaskInstance).filter_by(dag_id=dag.dag_id, run_id=run.run_id, task_id=WATCH).update(
            {"next_method": "__fail__", "next_kwargs": {"error": "Trigger/execution timeout"}}
        )
    assert run.work() == "up_for_reschedule"
