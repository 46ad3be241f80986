"""Given a job that a service runs, when its task is deferred, retried, cleared, killed or late, then one job is right.

No Spark: a test says how a job ends, with a report as Spark would leave it.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.airflow.project import Project
from tests.airflow.test_windows import FUSED, NotingEngine, context_of, task_of
from tests.servers.aws import ROLE, Server, aws_server

pytestmark = pytest.mark.airflow


class Store(dict[str, Any]):
    """What a task remembers over its tries: as Airflow's store, JSON."""

    def set(self, key: str, value: Any) -> None:
        """Keep a value."""
        self[key] = json.loads(json.dumps(value))


class Scene:
    """A project whose engine is an application of the service."""

    def __init__(self, project: Project, server: Server, text: str = FUSED) -> None:
        self.project, self.server, self.application, self.text = project, server, server.application(), text
        self.store: Store | None = Store()
        self.left: dict[str, Any] = {}
        engine = f"""{{kind: emr_serverless, connection: cloud, application: {self.application}, role: "{ROLE}",
            bucket: "s3://company-etl/jobs", poll: 1s}}"""
        project.write(
            "config/environments/local.yaml",
            f"""
            variables: {{raw: data/raw, lake: data/lake, staging: "s3a://x-etl/staging", quarantine: "s3a://x-etl/aside"}}
            roots: [data]
            engines: {{far: {engine}}}
            defaults: {{engine: far}}
            """,
        )

    def task(self, *, deferrable: bool = True) -> Any:
        """The task, as a process that runs it anew has it."""
        task = task_of(self.project, self.text)
        task.deferrable = deferrable
        return task

    def context(self, task: Any, **ti: Any) -> dict[str, Any]:
        pushed = {"xcom_push": lambda key, value: self.left.update({key: value})}
        return context_of(task, ti=ti | pushed) | {"task_state_store": self.store}

    def deferred(self, task: Any, **ti: Any) -> Any:
        """What a try leaves when it is deferred."""
        from airflow_provider_etl.compat import TaskDeferred

        with pytest.raises(TaskDeferred) as raised:
            task.execute(self.context(task, **ti))
        return raised.value

    @property
    def runs(self) -> list[Any]:
        return self.server.runs(self.application)

    @property
    def states(self) -> list[str]:
        return [run.state for run in self.runs]

    def end(self, error: dict[str, str] | None = None) -> None:
        """Let the newest job end as Spark would."""
        run, store, engine = self.runs[-1], self.server.clients("s3"), NotingEngine(error=error)
        where = {"Bucket": "company-etl", "Key": f"jobs/_jobs/{run.name}/plan.json"}
        report = engine._report(json.loads(store.get_object(**where)["Body"].read()))
        where["Key"] = where["Key"].replace("plan.json", "report.json")
        store.put_object(**where, Body=json.dumps(report).encode())
        run.state = "FAILED" if error else "SUCCESS"

    def resumed(self, left: Any) -> Any:
        """What the task returns after its trigger's event, in another process."""
        event = triggered(left.trigger)
        task = self.task()
        return task.execute_complete(self.context(task), event=event, **json.loads(json.dumps(left.kwargs)))


def triggered(trigger: Any) -> dict[str, Any]:
    """The event of a trigger, as the triggerer has it: from its serialised form."""
    from airflow_provider_etl.triggers.job import JobTrigger

    path, arguments = trigger.serialize()
    assert path == "airflow_provider_etl.triggers.job.JobTrigger"
    made = JobTrigger(**json.loads(json.dumps(arguments)))

    async def first() -> Any:
        return await anext(aiter(made.run()))

    event: dict[str, Any] = json.loads(json.dumps(asyncio.run(first()).payload))
    return event


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with aws_server() as server:
        yield server


@pytest.fixture
def scene(project: Project, server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("moto.emrserverless.models.JOB_STATUS", "SUBMITTED")
    monkeypatch.setenv("AIRFLOW_CONN_CLOUD", server.connection())
    yield Scene(project, server)
    server.rules.clear()


def test_the_report_is_the_same_whoever_waited(scene: Scene) -> None:
    left = scene.deferred(scene.task())
    assert left.method_name == "execute_complete"
    assert scene.left["etl_report"].endswith(f"{scene.runs[0].name}/report.json"), "a link while the task waits"
    scene.end()
    deferred = scene.resumed(left)
    assert deferred["state"] == "loaded"
    waiting = scene.task(deferrable=False)
    assert waiting.execute(scene.context(waiting)) == deferred, "found again by a try that waits itself"
    assert len(scene.runs) == 1


def test_a_failed_report_fails_the_task_as_it_would_have_in_the_worker(scene: Scene) -> None:
    from airflow_provider_etl.compat import AirflowFailException

    left = scene.deferred(scene.task())
    scene.end(error={"kind": "data", "message": "1 of 2 checks failed", "where": "check.result"})
    with pytest.raises(AirflowFailException, match=r"check\.result: 1 of 2 checks failed"):
        scene.resumed(left)


@pytest.mark.parametrize("remembers", [True, False])
def test_a_retry_goes_on_and_a_cleared_task_runs_anew(scene: Scene, *, remembers: bool) -> None:
    scene.store = Store() if remembers else None  # before Airflow 3.3 there is none
    scene.deferred(scene.task())
    scene.deferred(scene.task(), try_number=2)
    assert scene.states == ["SUBMITTED"]
    scene.deferred(scene.task(), try_number=3, max_tries=9)
    assert scene.states == ["CANCELLED", "SUBMITTED"]
    scene.end()
    scene.deferred(scene.task(), try_number=4, max_tries=10)
    assert scene.states == ["CANCELLED", "SUCCESS", "SUBMITTED"], "what had succeeded before is run again"


def test_a_changed_file_ends_the_job_of_the_old_one(scene: Scene) -> None:
    scene.deferred(scene.task())
    scene.text = FUSED.replace("dep_delay > 15", "dep_delay > 25")
    scene.deferred(scene.task(), try_number=2)
    assert scene.states == ["CANCELLED", "SUBMITTED"]


def test_another_application_ends_the_job_on_the_one_before(scene: Scene) -> None:
    scene.deferred(scene.task())
    [before], again = scene.runs, Scene(scene.project, scene.server)
    again.store = scene.store
    again.deferred(again.task(), try_number=2)
    assert (before.state, again.states) == ("CANCELLED", ["SUBMITTED"])


def test_asking_less_often_ends_no_job(scene: Scene) -> None:
    scene.deferred(scene.task())
    path = scene.project.folder / "config/environments/local.yaml"
    path.write_text(path.read_text().replace("poll: 1s", "poll: 2s"))
    scene.deferred(scene.task(), try_number=2)
    assert scene.states == ["SUBMITTED"]


def test_a_job_is_cancelled_from_the_worker(scene: Scene) -> None:
    task, raised = scene.task(deferrable=False), list[BaseException]()

    def work() -> None:
        try:
            task.execute(scene.context(task))
        except BaseException as error:  # noqa: BLE001 - looked at below
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    deadline = time.monotonic() + 30
    while not scene.runs and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.2)
    task.on_kill()
    thread.join(30)
    assert scene.states == ["CANCELLED"]
    assert "was cancelled" in str(raised[0])


def test_a_job_is_cancelled_from_the_trigger(scene: Scene) -> None:
    left = scene.deferred(scene.task())
    asyncio.run(left.trigger.on_kill())
    assert scene.states == ["CANCELLED"]


@pytest.mark.parametrize("waits", [True, False, None])
def test_before_airflow_33_a_trigger_that_is_stopped_ends_its_job_where_nobody_waits(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, waits: bool | None
) -> None:
    from airflow_provider_etl.triggers import job

    def still_deferred(_ti: Any) -> bool:
        if waits is None:
            raise RuntimeError("the supervisor is gone")
        return waits

    monkeypatch.setattr(job, "TELLS_TRIGGERS", False)
    monkeypatch.setattr(job, "still_deferred", still_deferred)
    left = scene.deferred(scene.task())

    async def stopped() -> None:
        waiting = asyncio.ensure_future(anext(aiter(left.trigger.run())))
        await asyncio.sleep(0.5)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(stopped())
    assert scene.states == ["CANCELLED" if waits is False else "SUBMITTED"]


def test_a_task_that_is_late_ends_its_job(scene: Scene) -> None:
    from datetime import timedelta

    from airflow_provider_etl.compat import AirflowException

    task = scene.task()
    task.execution_timeout = timedelta(seconds=0)
    left = scene.deferred(task)
    assert left.timeout > timedelta(minutes=5), "the triggerer tells before Airflow cuts it off"
    with pytest.raises(AirflowException, match="took longer than the task's execution_timeout"):
        scene.resumed(left)
    assert scene.states == ["CANCELLED"]


def test_a_service_that_stays_away_loses_no_job(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow_provider_etl.compat import AirflowException

    left = scene.deferred(scene.task())
    monkeypatch.setattr("airflow_provider_etl.triggers.job.BLIND", 0.0)
    scene.server.fail("503", "GET /applications", times=1000)
    with pytest.raises(AirflowException, match="emr_serverless"):
        scene.resumed(left)
    assert scene.states == ["SUBMITTED"], "the retry goes on with it"


def test_a_job_that_nobody_may_ask_for_any_more_is_ended(scene: Scene) -> None:
    from airflow_provider_etl.compat import AirflowFailException

    left, task = scene.deferred(scene.task()), scene.task()
    event = {"state": "lost", "kind": "config", "message": "AccessDeniedException"}
    with pytest.raises(AirflowFailException, match="AccessDenied"):
        task.execute_complete(scene.context(task), event=event, **json.loads(json.dumps(left.kwargs)))
    assert scene.states == ["CANCELLED"]


def test_the_deployment_says_who_waits_where_the_task_doesnt(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    task = scene.task()
    task.deferrable = None
    scene.deferred(task)


def test_where_spark_runs_beside_the_task_deferrable_means_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, said = task_of(project, FUSED), list[str]()
    monkeypatch.setattr(type(task), "_say", lambda _, line: said.append(line))
    task.deferrable = True
    assert not task._defers(task.read().engine)
    assert said == ["[etl] deferrable means nothing here: a Spark of engine local ends with its task"]


def test_lineage_names_the_task_as_the_parent_where_the_deployment_wants_it(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    from airflow_provider_etl.operators import telling

    monkeypatch.setattr(telling, "injects_lineage", lambda: (False, True))
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", '{"type": "http", "url": "http://lineage.example.com"}')
    scene.deferred(scene.task())
    [defaults] = scene.runs[0].configuration_overrides["applicationConfiguration"]
    assert defaults["properties"]["spark.openlineage.transport.url"] == "http://lineage.example.com"


def test_no_job_is_told_of_a_transport_that_holds_a_key(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.providers.common.compat.openlineage.utils import spark

    from airflow_provider_etl.operators import telling

    told = {"spark.openlineage.transport.type": "http", "spark.openlineage.transport.auth.apiKey": "4hs7"}
    monkeypatch.setattr(telling, "injects_lineage", lambda: (False, True))
    monkeypatch.setattr(spark, "inject_transport_information_into_spark_properties", lambda conf, _: conf | told)
    scene.deferred(scene.task())
    assert "4hs7" not in json.dumps([scene.runs[0].configuration_overrides, scene.runs[0].job_driver])
    where = {"Bucket": "company-etl", "Key": f"jobs/_jobs/{scene.runs[0].name}/plan.json"}
    assert b"4hs7" not in scene.server.clients("s3").get_object(**where)["Body"].read()


def test_a_table_in_a_cloud_has_a_page_and_one_elsewhere_none() -> None:
    from airflow_provider_etl.operators.links import address_of

    page = "https://s3.console.aws.amazon.com/s3/buckets/lake?prefix=sales/my%20orders/"
    assert address_of("s3a://lake/sales/my orders") == page
    assert address_of("gs://lake/my orders") == "https://console.cloud.google.com/storage/browser/lake/my%20orders"
    assert not any(map(address_of, ("/data/lake/orders", "public.orders", "s3a://lake")))
