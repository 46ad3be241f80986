"""Given Kubernetes behind a bad network, when a job is submitted, lost and found again, then it runs once.

No operator runs here: its API is a fake that takes what the operator's resource definition takes, and a test moves the
states of applications.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.kubernetes import KubernetesEngine
from airflow_provider_etl.engines.resuming import Forgetful, begun
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError, InfrastructureError, ResourceError
from tests.servers import aws
from tests.servers.aws import aws_server
from tests.servers.guarded import PASSWORD
from tests.servers.kubernetes import NAMESPACE, Server, kubernetes_server

CONF = {"spark.executor.instances": "4", "spark.executor.cores": "2", "spark.executor.memory": "8g"}
PLAN = {"plan": 1, "spark": {"provided": True, "memory": "3g", "conf": CONF}}
KNOWN = Connections(Connection(id="crm", kind="postgres", password=PASSWORD))
FIRST = f"etl-{'e' * 24}-{'a' * 24}-1"


@pytest.fixture(scope="module")
def store() -> Iterator[aws.Server]:
    with aws_server() as server:
        yield server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with kubernetes_server() as server:
        yield server


class Scene:
    """A namespace, and what a try does with it."""

    def __init__(self, server: Server, store: aws.Server) -> None:
        self.server, self.store, self.more = server, store, dict[str, Any]()
        self.said: list[str] = []

    @property
    def engine(self) -> KubernetesEngine:
        """As another process makes it."""
        place = {"namespace": NAMESPACE, "image": "registry/spark:4.1", "bucket": "s3://company-etl/k8s"}
        options = place | {"spark": "4.1", "poll": 0.01} | self.more
        return KubernetesEngine(options, self.server.api, self.store.clients)

    def job(self, letter: str = "a", **more: Any) -> Job:
        return Job(token=letter * 64, plan=PLAN, owner="e" * 64, **more)

    def begin(self, job: Job | None = None) -> Handle:
        return begun(self.engine, job or self.job(), Forgetful(), self.said.append)

    def leave(self, name: str, report: Any) -> None:
        """Let a driver leave its report."""
        body = json.dumps(report).encode()
        self.store.clients("s3").put_object(Bucket="company-etl", Key=f"k8s/_jobs/{name}/report.json", Body=body)

    @property
    def names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.server.applications()]

    @property
    def spec(self) -> dict[str, Any]:
        [made] = self.server.applications()
        return dict(made["spec"])


@pytest.fixture
def scene(server: Server, store: aws.Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr("airflow_provider_etl.engines.service._FIRST", 0.01)
    monkeypatch.setattr("airflow_provider_etl.engines.kube._FIRST", 0.001)
    yield Scene(server, store)
    server.clear()
    bucket = store.clients("s3")
    for item in bucket.list_objects_v2(Bucket="company-etl", Prefix="k8s/_").get("Contents", ()):
        if "_code" not in item["Key"]:  # it is the same for all
            bucket.delete_object(Bucket="company-etl", Key=item["Key"])


def test_a_job_goes_with_its_plan_and_code_and_comes_with_its_report(scene: Scene) -> None:
    handle = scene.begin()
    assert handle == Handle(token="a" * 24, id=FIRST, name=FIRST)
    spec = scene.spec
    assert spec["restartPolicy"] == {"type": "Never"}, "the operator would run it again behind Airflow's back"
    assert spec["driver"] == {"memory": "3g"}
    assert spec["executor"] == {"instances": 4, "cores": 2, "memory": "8g"}
    assert spec["sparkConf"]["spark.sql.session.timeZone"] == "UTC"
    assert not {"spark.driver.host", "spark.driver.memory", *CONF} & set(spec["sparkConf"])
    assert spec["arguments"] == ["--folder", f"s3a://company-etl/k8s/_jobs/{FIRST}"]
    for uri in (spec["mainApplicationFile"], *spec["deps"]["pyFiles"], spec["sparkConf"]["spark.jars"]):
        key = uri.removeprefix("s3a://company-etl/")
        assert scene.store.clients("s3").head_object(Bucket="company-etl", Key=key)["ContentLength"]
    assert scene.engine.plan(handle) == PLAN
    assert scene.engine.outcome(handle) == "running"
    scene.server.move(FIRST, "RUNNING")
    lines = scene.engine.output(handle)
    assert next(lines) == f"[etl] job {FIRST}: RUNNING, driver pod {FIRST}-driver"
    page = f"http://{FIRST}-ui-svc.{NAMESPACE}.svc:4040"
    assert scene.engine.links(handle)["Cluster"] == page
    scene.server.move(FIRST, "COMPLETED")
    scene.leave(FIRST, {"state": "loaded"})
    assert list(lines) == [f"[etl] job {FIRST}: COMPLETED"]
    assert scene.engine.report(handle) == {"state": "loaded"}
    assert scene.begin() == handle, "a try that died in between finds it"
    assert scene.names == [FIRST]


@pytest.mark.parametrize("fault", ["401", "409", "429", "503", "lost", "cut", "half"])
@pytest.mark.parametrize("call", ["POST", "GET", "PATCH"])
def test_whatever_happens_to_the_answer_there_is_one_application(scene: Scene, fault: Any, call: str) -> None:
    scene.server.fail(fault, call)
    handle = scene.begin(scene.job(connections=KNOWN))
    assert scene.names == [handle.name] == [FIRST]
    assert scene.engine.find("a" * 64) == handle
    [secret] = scene.server.secrets()
    assert secret["metadata"]["ownerReferences"][0]["uid"] == scene.server.applications()[0]["metadata"]["uid"]


def test_a_secret_has_its_owner_though_the_call_that_says_so_failed_first(scene: Scene) -> None:
    scene.server.fail("503", "PATCH", times=4)  # as often as a call is repeated
    scene.begin(scene.job(connections=KNOWN))
    [secret], [made] = scene.server.secrets(), scene.server.applications()
    assert secret["metadata"]["ownerReferences"][0]["uid"] == made["metadata"]["uid"]


def test_two_tries_at_once_start_one_application(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first = scene.engine.submit(scene.job())
    monkeypatch.setattr(KubernetesEngine, "jobs", lambda *_: [])  # the other had looked before it was there
    assert scene.engine.submit(scene.job()) == first
    assert scene.names == [FIRST]


def test_an_api_server_that_is_away_is_an_error_that_a_retry_helps(scene: Scene) -> None:
    scene.server.fail("503", "POST", times=100)
    with pytest.raises(InfrastructureError, match="engine kubernetes: 503"):
        scene.begin()
    assert scene.names == []


@pytest.mark.parametrize(
    ("fault", "error", "text"),
    [("403", ConfigError, "what its connection may do"), ("quota", InfrastructureError, "raise the quota")],
)
def test_a_refused_application_says_why_at_once(scene: Scene, fault: Any, error: type[Exception], text: str) -> None:
    scene.server.fail(fault, "POST", times=100)
    with pytest.raises(error, match=text):
        scene.begin()
    assert len([line for line in scene.server.asked if line.startswith("POST")]) <= 5


def test_a_cluster_without_the_operator_is_told(scene: Scene) -> None:
    scene.more = {"namespace": "nowhere"}
    with pytest.raises(ConfigError, match="is the Spark operator installed"):
        scene.begin()


def test_what_the_operator_would_refuse_is_told(scene: Scene) -> None:
    plan = PLAN | {"spark": {"provided": True, "conf": {"spark.kubernetes.container.image": "other"}}}
    with pytest.raises(ConfigError, match=r"spark\.kubernetes\.container\.image' is not allowed"):
        scene.begin(Job(token="a" * 64, plan=plan, owner="e" * 64))


def test_secrets_are_mounted_in_the_driver_and_stand_nowhere_else(scene: Scene, caplog: Any) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("kubernetes.client.rest").setLevel(logging.INFO)  # as the hook does
    handle = scene.begin(scene.job(connections=KNOWN))
    [secret] = scene.server.secrets()
    assert json.loads(base64.b64decode(secret["data"]["connections.json"]))[0]["password"] == PASSWORD
    assert scene.spec["driver"]["secrets"] == [
        {"name": FIRST, "path": "/etc/airflow-provider-etl", "secretType": "Generic"}
    ]
    assert "secrets" not in scene.spec["executor"]
    path = "/etc/airflow-provider-etl/connections.json"
    assert scene.spec["arguments"][2:] == ["--secret", path, "--vault", "file"]
    coded = base64.b64encode(PASSWORD.encode()).decode()
    elsewhere = json.dumps([scene.server.applications(), handle.to_json(), scene.said]) + caplog.text
    bucket = scene.store.clients("s3")
    for item in bucket.list_objects_v2(Bucket="company-etl").get("Contents", ()):
        elsewhere += bucket.get_object(Bucket="company-etl", Key=item["Key"])["Body"].read().decode("latin1")
    assert PASSWORD not in elsewhere
    assert secret["data"]["connections.json"] not in elsewhere
    assert coded not in elsewhere


@pytest.mark.parametrize("how", ["fetched", "cancelled", "deleted"])
def test_a_secret_goes_with_its_job(scene: Scene, how: str) -> None:
    handle = scene.begin(scene.job(connections=KNOWN))
    if how == "fetched":
        scene.server.move(FIRST, "COMPLETED")
        scene.leave(FIRST, {"state": "loaded"})
        scene.engine.report(handle)
    elif how == "cancelled":
        scene.engine.cancel(handle)
    else:  # by somebody else, or by the operator when its time was over
        scene.server.applications()[0]["metadata"]["deletionTimestamp"] = "now"
        scene.server.settle()
    assert scene.server.secrets() == []


def test_a_secret_of_a_job_that_was_never_submitted_goes_with_the_next_try(scene: Scene) -> None:
    name = f"{scene.job().family}{'d' * 24}-1"
    scene.engine._shelf.hand_over(name, KNOWN)  # its worker died before it could submit
    scene.begin()
    assert scene.server.secrets() == []


def test_a_secret_whose_worker_died_before_it_had_an_owner_goes_with_a_later_job(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = f"etl-{'f' * 24}-{'f' * 24}-1"
    scene.engine._shelf.hand_over(lost, KNOWN)
    monkeypatch.setattr("airflow_provider_etl.engines.shelf._LEFT", timedelta(seconds=-60))  # a week is over
    handle = scene.begin(scene.job(connections=KNOWN))
    assert [secret["metadata"]["name"] for secret in scene.server.secrets()] == [handle.name]


def test_connections_that_no_secret_takes_are_told(scene: Scene) -> None:
    much = Connections(Connection(id="crm", kind="postgres", extra={"certificate": "x" * (1 << 20)}))
    with pytest.raises(ConfigError, match="the connections have 1048"):
        scene.begin(scene.job(connections=much))


def test_a_secret_that_is_refused_is_quoted_nowhere(scene: Scene) -> None:
    scene.server.fail("422", "POST", times=1)
    with pytest.raises(ConfigError, match="Kubernetes refuses it") as raised:
        scene.begin(scene.job(connections=KNOWN))
    assert "says the test" not in str(raised.value)
    assert scene.server.secrets() == []


def test_a_cancelled_job_is_deleted_with_its_pods_and_the_second_time_at_once(scene: Scene) -> None:
    handle, engine = scene.begin(), scene.engine
    scene.server.move(FIRST, "RUNNING")
    engine.cancel(handle)
    assert scene.server.deletions[0][1]["propagationPolicy"] == "Foreground"
    assert engine.outcome(handle) == "cancelled"
    assert not engine.gone(handle), "its driver may still write"
    engine.cancel(handle)
    pod, how = scene.server.deletions[-1]
    assert (pod, how["gracePeriodSeconds"]) == (f"pods/{FIRST}-driver", "0")
    assert engine.gone(handle)
    assert scene.names == []
    told = scene.store.clients("s3").list_objects_v2(Bucket="company-etl", Prefix=f"k8s/_jobs/{FIRST}/cancelled")
    assert told["KeyCount"] == 1, "a driver whose node nobody reaches must hear of it too"
    with pytest.raises(InfrastructureError, match="was cancelled"):
        engine.report(handle)


def test_what_was_cancelled_here_is_known_without_a_bucket_that_answers(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, engine = scene.begin(), scene.engine
    engine.cancel(handle)

    def away(*_: Any) -> Any:
        raise InfrastructureError("the bucket is away")

    for name in ("get", "size"):
        monkeypatch.setattr(f"airflow_provider_etl.engines.aws.Bucket.{name}", away)
    assert engine.outcome(handle) == "cancelled"
    with pytest.raises(InfrastructureError, match="was cancelled"):
        engine.report(handle)


def test_a_resource_that_is_gone_leaves_no_driver_unseen(scene: Scene) -> None:
    handle = scene.begin()
    scene.server.move(FIRST, "RUNNING")
    scene.server.held.pop(("sparkapplications", FIRST))  # deleted by hand, its pods orphaned
    assert not scene.engine.gone(handle)


def test_a_job_isnt_failed_while_its_driver_runs(scene: Scene) -> None:
    handle, engine = scene.begin(), scene.engine
    scene.server.move(FIRST, "FAILED", "driver pod not found")
    scene.server.revive(FIRST)
    assert scene.begin() == handle, "a second job would run beside it"
    assert (engine.outcome(handle), engine.gone(handle)) == ("running", False)
    lines = engine.output(handle)
    assert next(lines) == f"[etl] job {FIRST}: FAILING, driver pod {FIRST}-driver still runs"
    scene.server.revive(FIRST, ended=True)
    assert list(lines) == [f"[etl] job {FIRST}: FAILED, driver pod not found"]
    assert (engine.outcome(handle), engine.gone(handle)) == ("failed", True)
    scene.server.revive(FIRST)
    engine.cancel(handle)
    assert (engine.outcome(handle), engine.gone(handle)) == ("cancelled", False)
    scene.server.settle()
    assert engine.gone(handle)


def test_a_cleared_task_ends_the_older_job_and_runs_anew(scene: Scene) -> None:
    first, second = scene.begin(), scene.begin(scene.job("b"))
    assert scene.names == [second.name]
    assert any("which this run replaces" in line for line in scene.said)
    assert scene.engine.outcome(first) == "cancelled"


def test_a_job_that_failed_or_was_cancelled_is_never_gone_on_with(scene: Scene) -> None:
    first = scene.begin()
    scene.server.move(FIRST, "FAILED", "driver container failed with ExitCode: 1, Reason: Error")
    second = scene.begin()
    scene.engine.cancel(second)
    assert second.name not in scene.names
    third = scene.begin()
    assert [handle.ordinal for handle in (first, second, third)] == [1, 2, 3], "no name comes twice"


def test_a_job_that_has_loaded_is_known_when_its_resource_is_gone(scene: Scene) -> None:
    handle = scene.begin()
    scene.leave(FIRST, {"state": "loaded"})
    scene.server.clear()
    assert scene.begin() == handle
    assert scene.engine.report(handle) == {"state": "loaded"}
    assert scene.names == []


def test_a_job_that_has_loaded_is_known_while_the_operator_removes_it(scene: Scene) -> None:
    handle = scene.begin()
    scene.server.move(FIRST, "COMPLETED")
    scene.leave(FIRST, {"state": "loaded"})
    scene.server.applications()[0]["metadata"]["deletionTimestamp"] = "now"
    assert scene.begin() == handle


def test_a_job_that_was_cancelled_is_never_gone_on_with_though_it_left_a_report(scene: Scene) -> None:
    handle = scene.begin()
    scene.engine.cancel(handle)
    scene.leave(FIRST, {"state": "loaded"})
    assert scene.begin().ordinal == 2


@pytest.mark.parametrize(
    ("state", "why", "error", "text"),
    [
        ("FAILED", "driver container failed with ExitCode: 137, Reason: OOMKilled", ResourceError, "raise the engine"),
        ("FAILED", "driver container failed with ExitCode: 137, Reason: Error", InfrastructureError, "kubectl logs"),
        ("FAILED", "failed to run spark-submit: no such image", InfrastructureError, "no such image"),
        ("COMPLETED", "", InfrastructureError, "left no report"),
    ],
)
def test_a_job_without_a_report_says_what_the_operator_knows(
    scene: Scene, state: str, why: str, error: type[Exception], text: str
) -> None:
    handle = scene.begin()
    scene.server.move(FIRST, state, why)
    with pytest.raises(error, match=text):
        scene.engine.report(handle)


def test_a_plan_that_failed_comes_with_its_report_though_the_driver_failed(scene: Scene) -> None:
    handle = scene.begin()
    scene.server.move(FIRST, "FAILED", "driver container failed with ExitCode: 1, Reason: Error")
    scene.leave(FIRST, {"state": "failed", "error": {"kind": "data"}, "usage": {"run": {"heap_peak": 1}}})
    assert scene.engine.report(handle)["usage"] == {"run": {"heap_peak": 1}}


def test_pods_are_placed_as_the_engine_says_and_executors_on_spot_nodes(scene: Scene) -> None:
    spot = {"key": "spot", "operator": "Exists", "effect": "NoSchedule"}
    batch = {"key": "team", "operator": "Equal", "value": "etl", "effect": "NoSchedule"}
    scene.more = {"service_account": "etl", "node_selector": {"pool": "steady", "zone": "a"}, "tolerations": [batch]}
    scene.more |= {"spot": True, "spot_nodes": {"pool": "spot"}, "spot_tolerations": [spot]}
    scene.begin()
    driver, executor = scene.spec["driver"], scene.spec["executor"]
    assert driver["nodeSelector"] == {"pool": "steady", "zone": "a"}, "a driver that goes takes the job with it"
    assert executor["nodeSelector"] == {"pool": "spot", "zone": "a"}
    assert (driver["tolerations"], executor["tolerations"]) == ([batch], [batch, spot])
    assert driver["serviceAccount"] == executor["serviceAccount"] == "etl"


def test_an_image_may_hold_the_code(scene: Scene) -> None:
    scene.more = {"script": "local:///opt/etl/serviced.py", "bucket": "s3://company-etl/baked"}
    scene.begin()
    assert scene.spec["mainApplicationFile"] == "local:///opt/etl/serviced.py"
    assert "deps" not in scene.spec
    found = scene.store.clients("s3").list_objects_v2(Bucket="company-etl", Prefix="baked/_code/")
    assert found["KeyCount"] == 0


def test_airflows_connection_gives_the_client(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from airflow_provider_etl.engines import engine_of

    monkeypatch.setenv("AIRFLOW_CONN_CLUSTER", scene.server.connection())
    monkeypatch.setenv("AIRFLOW_CONN_STORE", scene.store.connection())
    logging.getLogger("kubernetes.client.rest").setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    options = {"namespace": NAMESPACE, "image": "spark:4.1", "bucket": "s3://company-etl/k8s", "spark": "4.1"}
    options |= {"connection": "cluster", "bucket_connection": "store", "poll": 0.01}
    engine = engine_of("kubernetes", options)
    handle = engine.submit(scene.job(connections=KNOWN))
    assert scene.names == [handle.name]
    [secret] = scene.server.secrets()
    assert secret["data"]["connections.json"] not in caplog.text
    with pytest.raises(ConfigError, match="no connection 'other'"):
        engine_of("kubernetes", options | {"connection": "other"}).submit(scene.job())
    monkeypatch.setenv("AIRFLOW_CONN_BAD", json.dumps({"conn_type": "kubernetes", "extra": {"kube_config": "a: [b"}}))
    with pytest.raises(ConfigError, match="kube_config is no YAML"):
        engine_of("kubernetes", options | {"connection": "bad"}).submit(scene.job())
