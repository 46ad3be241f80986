"""Given EMR Serverless behind a bad network, when a job is submitted, lost and found again, then it runs once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_etl.engines.application import Application
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.emr_serverless import EmrServerlessEngine
from airflow_provider_etl.engines.resuming import begun
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError, InfrastructureError, ResourceError
from tests.servers.aws import ROLE, Server, aws_server
from tests.servers.guarded import PASSWORD

PLAN = {"plan": 1, "spark": {"provided": True, "memory": "3g", "conf": {"spark.executor.instances": "4"}}}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with aws_server() as server:
        yield server


class Kept:
    """What Airflow's store does: keeps the newest handle."""

    handle: Handle | None = None

    def recall(self) -> Handle | None:
        return self.handle

    def keep(self, handle: Handle) -> None:
        self.handle = handle


class Scene:
    """An application, and what a try does with it."""

    def __init__(self, server: Server) -> None:
        self.server, self.application, self.kept = server, server.application(), Kept()
        self.said: list[str] = []

    @property
    def engine(self) -> EmrServerlessEngine:
        """As another process makes it."""
        bucket = "s3://company-etl/jobs"
        options = {"application": self.application, "role": ROLE, "bucket": bucket, "poll": 0.01}
        return EmrServerlessEngine(options, self.server.clients)

    def job(self, token: str = "a" * 64, **more: Any) -> Job:
        return Job(token=token, plan=PLAN, owner="e" * 64, **more)

    def begin(self, job: Job | None = None) -> Handle:
        return begun(self.engine, job or self.job(), self.kept, self.said.append)

    def move(self, state: str, report: Any = None, why: str = "") -> None:
        """Let the newest job come to a state, as the service and Spark would."""
        run = self.server.runs(self.application)[-1]
        run.state, run.state_details = state, why
        if report is not None:
            key = f"jobs/_jobs/{run.name}/report.json"
            self.server.clients("s3").put_object(Bucket="company-etl", Key=key, Body=json.dumps(report).encode())

    @property
    def runs(self) -> list[Any]:
        return self.server.runs(self.application)


@pytest.fixture
def scene(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("airflow_provider_etl.engines.service._FIRST", 0.01)
    monkeypatch.setattr("moto.emrserverless.models.JOB_STATUS", "SUBMITTED")
    yield Scene(server)
    server.rules.clear()
    store = server.clients("s3")
    for item in store.list_objects_v2(Bucket="company-etl", Prefix="jobs/_").get("Contents", ()):
        if "_code" not in item["Key"]:  # it is the same for all
            store.delete_object(Bucket="company-etl", Key=item["Key"])


def test_a_job_goes_with_its_plan_and_code_and_comes_with_its_report(scene: Scene) -> None:
    scene.begin()
    [run] = scene.runs
    assert run.name == f"etl-{'e' * 24}-{'a' * 24}-1"
    driver = run.job_driver["sparkSubmit"]
    assert driver["entryPointArguments"] == ["--folder", f"s3://company-etl/jobs/_jobs/{run.name}"]
    [defaults] = run.configuration_overrides["applicationConfiguration"]
    conf = defaults["properties"]
    assert conf["spark.executor.instances"] == "4"
    assert conf["spark.driver.memory"] == "3g"
    assert conf["spark.sql.session.timeZone"] == "UTC"
    assert not {"spark.master", "spark.driver.host", "spark.driver.extraClassPath"} & set(conf)
    store = scene.server.clients("s3")
    for uri in (driver["entryPoint"], conf["spark.submit.pyFiles"], conf["spark.jars"]):
        assert store.head_object(Bucket="company-etl", Key=uri.removeprefix("s3://company-etl/"))["ContentLength"]
    handle = Handle.from_json(json.loads(json.dumps(scene.kept.recall().to_json())))  # type: ignore[union-attr]
    assert scene.engine.status(handle) == "running"
    assert scene.engine.plan(handle) == PLAN
    scene.move("SUCCESS", {"state": "loaded"})
    assert list(scene.engine.output(handle)) == [f"[etl] job {handle.id}: SUCCESS"]
    assert scene.engine.report(handle) == {"state": "loaded"}
    assert scene.engine.report(handle) == {"state": "loaded"}, "a try that died after the first finds it again"


@pytest.mark.parametrize("fault", ["503", "throttled", "lost", "cut"])
def test_whatever_happens_to_the_answer_there_is_one_job(scene: Scene, fault: Any) -> None:
    scene.server.fail(fault, "POST /applications")
    handle = scene.begin()
    assert [run.id for run in scene.runs] == [handle.id]
    assert scene.engine.find("a" * 64) == handle


def test_a_service_that_is_away_is_an_error_that_a_retry_helps(scene: Scene) -> None:
    scene.server.fail("503", "POST /applications", times=9)
    with pytest.raises(InfrastructureError, match="emr_serverless"):
        scene.begin()
    assert scene.runs == []


def test_a_service_that_hangs_up_is_an_error_that_a_retry_helps(scene: Scene) -> None:
    engine = scene.engine
    engine._clients = lambda service, *, once=False: scene.server.clients(service, once=True)  # noqa: ARG005
    scene.server.fail("lost", "GET /applications", times=9)
    with pytest.raises(InfrastructureError, match="ConnectionClosedError"):
        engine.jobs(scene.job())


def test_a_refused_job_says_why_at_once(scene: Scene) -> None:
    scene.application = "00nosuchapplication"
    with pytest.raises(ConfigError, match="ResourceNotFoundException"):
        scene.begin()


@pytest.mark.parametrize("remembers", [True, False])
def test_a_retry_goes_on_with_the_job_whether_or_not_its_handle_was_kept(scene: Scene, remembers: bool) -> None:
    first = scene.begin()
    if not remembers:
        scene.kept = Kept()
    assert scene.begin() == first
    scene.move("SUCCESS", {"state": "loaded"})
    assert scene.begin() == first, "it ended while nobody looked"
    assert len(scene.runs) == 1
    assert "goes on with job" in scene.said[-1]


def test_a_job_that_failed_or_was_cancelled_is_never_gone_on_with(scene: Scene) -> None:
    first = scene.begin()
    scene.move("FAILED", {"state": "failed", "error": {"kind": "infrastructure"}})
    second = scene.begin()
    scene.engine.cancel(second)
    third = scene.begin()
    assert [handle.ordinal for handle in (first, second, third)] == [1, 2, 3]
    assert [run.state for run in scene.runs] == ["FAILED", "CANCELLED", "SUBMITTED"]
    scene.move("SUCCESS", {"state": "failed"})
    assert scene.begin().ordinal == 4
    scene.move("SUCCESS")
    assert scene.begin().ordinal == 5, "it left no report"


def test_a_cleared_task_ends_the_older_job_and_runs_anew(scene: Scene) -> None:
    first = scene.begin()
    second = scene.begin(scene.job("b" * 64))
    assert first.id != second.id
    assert [run.state for run in scene.runs] == ["CANCELLED", "SUBMITTED"]
    assert any("which this run replaces" in line for line in scene.said)
    scene.move("SUCCESS", {"state": "loaded"})
    assert scene.begin(scene.job("c" * 64)).id not in (first.id, second.id)


def test_a_job_of_days_ago_never_answers_for_a_new_one(scene: Scene) -> None:
    scene.begin()
    scene.move("FAILED", why="a machine went away")
    scene.runs[0].created_at -= timedelta(days=4)  # it isn't listed any more, and its client token is still known
    scene.kept = Kept()
    second = scene.begin()
    assert (second.ordinal, [run.state for run in scene.runs]) == (2, ["FAILED", "SUBMITTED"])
    assert scene.begin() == second


def test_an_older_job_that_the_service_lists_no_more_is_known_by_its_handle(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = scene.begin()
    monkeypatch.setattr(EmrServerlessEngine, "_listed", lambda *_: iter(()))
    assert scene.begin() == first


@pytest.mark.parametrize("how", ["fetched", "cancelled"])
def test_secrets_go_by_secrets_manager_and_stand_nowhere_else(scene: Scene, how: str) -> None:
    known = Connections(Connection(id="crm", kind="postgres", password=PASSWORD))
    handle = scene.begin(scene.job(connections=known))
    [run] = scene.runs
    assert run.job_driver["sparkSubmit"]["entryPointArguments"][2:4] == ["--secret", f"etl/{handle.name}"]
    assert PASSWORD not in json.dumps([run.job_driver, run.configuration_overrides, run.tags])
    store = scene.server.clients("s3")
    for item in store.list_objects_v2(Bucket="company-etl").get("Contents", ()):
        assert PASSWORD.encode() not in store.get_object(Bucket="company-etl", Key=item["Key"])["Body"].read()
    secrets = scene.server.clients("secretsmanager")
    assert (
        json.loads(secrets.get_secret_value(SecretId=f"etl/{handle.name}")["SecretString"])[0]["password"] == PASSWORD
    )
    if how == "fetched":
        scene.move("SUCCESS", {"state": "loaded"})
        scene.engine.report(handle)
    else:
        scene.engine.cancel(handle)
    assert not [item for item in secrets.list_secrets()["SecretList"] if handle.name in item["Name"]]


def test_a_job_without_connections_needs_no_secrets_manager(scene: Scene) -> None:
    scene.server.asked.clear()
    handle = scene.begin()
    scene.move("SUCCESS", {"state": "loaded"})
    scene.engine.report(handle)
    assert scene.begin(scene.job("b" * 64)) != handle
    assert not [line for line in scene.server.asked if "secretsmanager" in line]


def test_a_secret_of_a_job_that_was_never_submitted_goes_with_the_next_try(scene: Scene) -> None:
    known = Connections(Connection(id="crm", kind="postgres", password=PASSWORD))
    name = f"{scene.job().family}{'d' * 24}-1"
    scene.engine._shelf.hand_over(name, known)  # its worker died before it could submit
    scene.begin()
    assert not [
        item for item in scene.server.clients("secretsmanager").list_secrets()["SecretList"] if name in item["Name"]
    ]


@pytest.mark.parametrize(
    ("state", "why", "error", "text"),
    [
        ("CANCELLED", "", InfrastructureError, "was cancelled"),
        ("FAILED", "java.lang.OutOfMemoryError: Java heap space", ResourceError, "raise the engine's `memory`"),
        ("FAILED", "Access Denied for s3://x", ConfigError, "what the job may do"),
        ("FAILED", "Job failed", InfrastructureError, "left no report"),
    ],
)
def test_a_job_without_a_report_says_what_the_service_knows(
    scene: Scene, state: str, why: str, error: type[Exception], text: str
) -> None:
    handle = scene.begin()
    scene.move(state, why=why)
    with pytest.raises(error, match=text):
        scene.engine.report(handle)


def test_a_plan_that_the_job_cant_read_is_a_config_error(scene: Scene) -> None:
    handle = scene.begin()
    scene.move("FAILED", {"refused": "plan version 99"})
    with pytest.raises(ConfigError, match="plan version 99"):
        scene.engine.report(handle)


def test_a_job_that_couldnt_ask_for_its_secret_is_an_error_that_a_retry_helps(scene: Scene) -> None:
    first = scene.begin()
    scene.move("FAILED", {"refused": "secret etl/x: ThrottlingException", "kind": "infrastructure"})
    with pytest.raises(InfrastructureError, match="ThrottlingException"):
        scene.engine.report(first)
    assert scene.begin().ordinal == 2


def test_no_link_lets_in_whoever_has_it(scene: Scene) -> None:
    scene.server.asked.clear()
    links = scene.engine.links(scene.begin())
    assert links["Logs"].endswith("/logs/")
    assert not [line for line in scene.server.asked if "dashboard" in line]


def test_losing_sight_of_a_job_doesnt_end_it_and_an_interrupt_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airflow_provider_etl.engines.service.BLIND", 0.0)

    def blind(line: str) -> None:
        scene.server.fail("503", "GET /applications", times=100)

    with pytest.raises(InfrastructureError):
        Application(scene.engine, scene.job()).run(blind)
    scene.server.rules.clear()
    assert [run.state for run in scene.runs] == ["SUBMITTED"]

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Application(scene.engine, scene.job()).run(interrupt)
    assert [run.state for run in scene.runs] == ["CANCELLED"]
