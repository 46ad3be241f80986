"""Given a fake of Dataproc behind a bad network, when a job is submitted, lost and found again, then it runs once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.batch_sizes import fitted
from airflow_provider_etl.engines.dataproc import DataprocEngine
from airflow_provider_etl.engines.resuming import Forgetful, begun
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError, InfrastructureError, ResourceError
from spark_jobs.vaults import handed
from tests.servers.dataproc import CLUSTER, OTHER, Server, dataproc_server
from tests.servers.dataproc_stores import BUCKET, PROJECT, REGION
from tests.servers.guarded import PASSWORD

WAYS = pytest.mark.parametrize("way", [{}, {"cluster": CLUSTER}], ids=["batches", "jobs"])
SECRET = Connections(Connection(id="crm", kind="postgres", password=PASSWORD))
HERE = "airflow/_jobs"


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    with dataproc_server() as server:
        yield server


@pytest.fixture
def server(service: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("service._FIRST", "calls._FIRST", "resuming._LOOK"):
        monkeypatch.setattr(f"airflow_provider_etl.engines.{name}", 0.01)
    monkeypatch.setattr("spark_jobs.secret_manager._FIRST", 0.01)
    service.reset()
    yield service
    assert service.wrong == [], "what the public API doesn't know"


def engine_of(server: Server, **options: Any) -> DataprocEngine:
    """As any process makes it."""
    where = {"region": REGION, "bucket": f"gs://{BUCKET}/airflow", "poll": 0.01}
    return DataprocEngine(where | options, server.apis())


def job(letter: str = "a", conf: dict[str, str] | None = None, connections: Connections | None = None) -> Job:
    plan = {"plan": 1, "spark": {"provided": True, "memory": "2g", "conf": conf or {}}}
    return Job(token=letter * 64, plan=plan, owner="e" * 64, connections=connections or Connections())


def begin(server: Server, work: Job | None = None, **options: Any) -> Handle:
    return begun(engine_of(server, **options), work or job(), Forgetful(), lambda _: None)


def end(server: Server, state: str, report: Any = None, message: str = "") -> None:
    """Let the newest job end, as Spark and the service would."""
    run = server.runs[-1]
    run.state, run.message = state, message
    if report is not None:
        server.objects[f"{HERE}/{run.name}/report.json"] = json.dumps(report).encode()


@WAYS
def test_a_job_goes_with_its_plan_and_code_and_comes_with_its_report(server: Server, way: dict[str, str]) -> None:
    handle = begin(server, **way)
    [run] = server.runs
    assert run.name == handle.name == handle.id == f"etl-{'e' * 24}-{'a' * 24}-1"
    assert run.pyspark["args"] == ["--folder", f"gs://{BUCKET}/{HERE}/{handle.name}"]
    script = run.pyspark["mainPythonFileUri"].removeprefix(f"gs://{BUCKET}/")
    assert b"spark_jobs.serviced" in server.objects[script]
    engine = engine_of(server, **way)
    assert engine.plan(handle) == job().plan
    assert engine.status(handle) == "running"
    done = "DONE" if way else "SUCCEEDED"
    end(server, done, {"state": "loaded"})
    assert list(engine.output(handle)) == [f"[etl] job {handle.id}: {done}"]
    assert engine.report(handle) == {"state": "loaded"}
    assert begin(server, **way) == handle, "a try that died in between finds it"
    assert not [line for line in server.asked if "/secretmanager/" in line], "a job without connections needs none"


def test_a_batch_says_who_it_is_and_how_long_it_may_run(server: Server) -> None:
    account, conf = "etl@company-etl.iam.gserviceaccount.com", {"spark.jars": "gs://x/a.jar,gs://x/b.jar"}
    more = {"runtime": "3.0", "image": "x/y:1", "service_account": account, "subnetwork": "inner"}
    begin(server, job(conf=conf), **more)
    sent = server.runs[-1].sent
    assert sent["environmentConfig"]["executionConfig"] == {
        "ttl": "1209600s",
        "authenticationConfig": {"userWorkloadAuthenticationType": "SERVICE_ACCOUNT"},
        "serviceAccount": account,
        "subnetworkUri": "inner",
    }
    assert (sent["runtimeConfig"]["version"], sent["runtimeConfig"]["containerImage"]) == ("3.0", "x/y:1")
    assert sent["pysparkBatch"]["jarFileUris"] == ["gs://x/a.jar", "gs://x/b.jar"]
    conf = server.runs[-1].conf
    assert conf["spark.sql.session.timeZone"] == "UTC"
    assert not {"spark.jars", "spark.master"} & set(conf)


def test_a_job_that_writes_to_s3_gets_the_log_store_for_it(server: Server) -> None:
    spark = {"provided": True, "conf": {"spark.jars": "gs://x/a.jar"}, "s3": {"lake": {}}}
    begin(server, Job(token="a" * 64, plan={"spark": spark}, owner="e" * 64))
    own, store = server.runs[-1].pyspark["jarFileUris"]
    assert own == "gs://x/a.jar"
    assert store.removeprefix(f"gs://{BUCKET}/") in server.objects


def test_sizes_that_no_batch_has_are_raised_and_those_of_a_cluster_stay() -> None:
    asked = {
        "spark.driver.memory": "2g",
        "spark.executor.cores": "5",
        "spark.executor.memory": "6g",
        "spark.executor.instances": "1",
        "spark.dynamicAllocation.maxExecutors": "9",
    }
    assert fitted(asked) == {
        "spark.driver.memory": "4096m",
        "spark.executor.cores": "8",
        "spark.executor.memory": "8192m",
        "spark.executor.instances": "2",
        "spark.dynamicAllocation.maxExecutors": "9",
    }
    left = {"spark.executor.cores": "32", "spark.executor.memory": "64g", "spark.driver.memory": "lots"}
    assert fitted(left) == left, "the service says what is wrong with it"
    assert fitted({}) == {}


def test_a_job_of_a_cluster_keeps_its_sizes_and_is_tried_once(server: Server) -> None:
    begin(server, job(conf={"spark.executor.cores": "2"}), cluster=CLUSTER)
    [run] = server.runs
    assert run.sent["placement"] == {"clusterName": CLUSTER}
    assert (run.conf["spark.driver.memory"], run.conf["spark.executor.cores"]) == ("2g", "2")
    assert run.conf["spark.yarn.maxAppAttempts"] == "1"
    assert "scheduling" not in run.sent, "Dataproc restarts no driver by itself"


@WAYS
@pytest.mark.parametrize("fault", ["503", "throttled", "lost", "cut"])
def test_whatever_happens_to_the_answer_there_is_one_job(server: Server, fault: Any, way: dict[str, str]) -> None:
    server.fail(fault, "jobs:submit" if way else "batches?batchId")
    handle = begin(server, **way)
    assert [run.name for run in server.runs] == [handle.id]
    assert engine_of(server, **way).find("a" * 64) == handle


@pytest.mark.parametrize("fault", ["503", "throttled", "lost", "cut"])
@pytest.mark.parametrize(
    "word", ["batches?filter", "POST /storage", "GET /storage", "DELETE /storage", "secrets?secretId", "addVersion"]
)
def test_every_other_call_may_be_repeated(server: Server, fault: Any, word: str) -> None:
    server.objects[f"{HERE}/{job().family}{'a' * 24}-1/report.json"] = b"{}"  # of a job that nobody lists any more
    server.fail(fault, word)
    handle = begin(server, job(connections=SECRET))
    assert len(server.runs) == 1
    assert list(server.secrets) == [handle.name]


@WAYS
def test_two_submissions_of_one_name_are_one_job(server: Server, way: dict[str, str]) -> None:
    engine = engine_of(server, **way)
    first = engine.submit(job())
    client = server.apis()("dataproc", once=True)
    assert engine._start(client, first.name, job(), "") == first.id
    server.runs[0].request = "forgotten"
    assert engine._start(client, first.name, job(), "") == first.id, "by its name"
    assert len(server.runs) == 1


@WAYS
def test_a_job_is_found_among_many(server: Server, way: dict[str, str]) -> None:
    engine = engine_of(server, **way)
    for letter in "bcdf":
        engine.submit(Job(token=letter * 64, plan={"spark": {"provided": True}}, owner=letter * 64))
    handle = begin(server, **way)
    assert begin(server, **way) == handle
    assert len(server.runs) == 5
    assert engine.find("b" * 64) is not None, "on the last page"
    end(server, "ERROR" if way else "FAILED")
    again = begin(server, **way)
    assert again.ordinal == 2
    assert [found.ordinal for found in engine.jobs(job())] == [2, 1], "the newest first"


@WAYS
def test_a_list_that_is_late_hides_no_job(server: Server, way: dict[str, str]) -> None:
    handle = begin(server, **way)
    end(server, "DONE" if way else "SUCCEEDED", {"state": "loaded"})
    server.late = 1
    assert begin(server, **way) == handle
    assert engine_of(server, **way).report(handle) == {"state": "loaded"}, "nobody has taken it away"


def test_a_name_that_an_old_job_has_is_not_used_again(server: Server) -> None:
    for _ in range(2):
        begin(server)
        end(server, "FAILED")
        server.runs[-1].is_old = True
    assert begin(server).ordinal == 3


def test_a_name_that_a_job_of_another_cluster_has_is_not_used_again(server: Server) -> None:
    for _ in range(2):
        begin(server, cluster=CLUSTER)
        end(server, "ERROR")
    assert begin(server, cluster=OTHER).ordinal == 3
    assert [run.sent["placement"]["clusterName"] for run in server.runs] == [CLUSTER, CLUSTER, OTHER]


def test_a_service_that_is_away_is_an_error_that_a_retry_helps(server: Server) -> None:
    server.fail("503", "batches?batchId", times=9)
    with pytest.raises(InfrastructureError, match="UNAVAILABLE"):
        begin(server)
    assert server.runs == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cluster": "nobodys"}, "Not found: Cluster"),
        ({"project": "nobodys"}, "Permission denied on resource project nobodys"),
        ({"bucket": "gs://nobodys/x"}, "The specified bucket does not exist"),
    ],
)
def test_a_refused_job_says_why_at_once(server: Server, options: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        begin(server, **options)


def test_a_wrong_token_is_an_error_of_the_connection(server: Server) -> None:
    engine = DataprocEngine({"region": REGION, "bucket": f"gs://{BUCKET}"}, server.apis("strange-one"))
    with pytest.raises(ConfigError, match="UNAUTHENTICATED") as raised:
        engine.submit(job())
    assert "strange-one" not in str(raised.value)


@WAYS
def test_a_cleared_task_ends_its_older_job_and_waits_until_it_has(server: Server, way: dict[str, str]) -> None:
    first, second = begin(server, **way), begin(server, job("b"), **way)
    assert first.id != second.id
    engine = engine_of(server, **way)
    assert (engine.outcome(first), engine.gone(first)) == ("cancelled", True)
    assert f"{HERE}/{first.name}/cancelled" in server.objects, "its driver hears of it too"
    with pytest.raises(InfrastructureError, match="was cancelled"):
        engine.report(first)
    assert engine.outcome(second) == "running"


def test_a_cancelled_job_is_cancelled_before_it_is_gone_and_a_second_call_asks_again(server: Server) -> None:
    handle, engine = begin(server), engine_of(server)
    engine.cancel(handle)
    server.runs[0].looks = -9
    assert (engine.outcome(handle), engine.gone(handle)) == ("cancelled", False)
    engine.cancel(handle)
    assert sum(":cancel" in line for line in server.asked) == 2


def test_a_job_that_ends_while_it_is_cancelled_is_no_error(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    handle, engine = begin(server), engine_of(server)
    end(server, "SUCCEEDED", {"state": "loaded"})
    engine._end(server.apis()("dataproc"), handle, force=False)
    assert engine.outcome(handle) == "succeeded"


def test_a_job_that_the_service_does_not_cancel_hears_of_it_all_the_same(server: Server) -> None:
    handle, engine = begin(server), engine_of(server)
    server.fail("503", ":cancel", times=6)
    with pytest.raises(InfrastructureError):
        engine.cancel(handle)
    assert f"{HERE}/{handle.name}/cancelled" in server.objects


def test_a_signal_waits_four_seconds_at_most(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_etl.engines.service._SIGNAL", 0.2)
    monkeypatch.setattr("airflow_provider_etl.engines.calls._FIRST", 2.0)
    handle, engine = begin(server), engine_of(server)
    server.fail("503", ":cancel", times=1)
    engine.cancel(handle)  # comes back; its thread goes on
    assert server.runs[0].state == "RUNNING"
    for thread in threading.enumerate():
        if thread.name == "cancel":  # else it would end a job of the next test
            thread.join()
    assert server.runs[0].state == "CANCELLING"


def test_a_job_that_the_project_has_forgotten_is_none(server: Server) -> None:
    lost = Handle(token="a" * 24, id="etl-gone", name=f"{job().family}{'a' * 24}-1")
    assert (engine_of(server).outcome(lost), engine_of(server).gone(lost)) == ("cancelled", True)


@pytest.mark.parametrize("how", ["fetched", "cancelled"])
def test_secrets_go_by_secret_manager_and_stand_nowhere_else(
    server: Server, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle, engine = begin(server, job(connections=SECRET)), engine_of(server)
    [run] = server.runs
    secret = f"projects/{PROJECT}/secrets/{handle.name}"
    assert run.pyspark["args"][-4:] == ["--secret", secret, "--vault", "gcp"]
    assert PASSWORD not in json.dumps(run.sent)
    assert not [name for name, content in server.objects.items() if PASSWORD.encode() in content]
    assert not [line for line in server.asked if PASSWORD in line]
    [said] = server.settings
    assert said == {"replication": {"userManaged": {"replicas": [{"location": REGION}]}}, "ttl": "259200s"}
    monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.port}")
    monkeypatch.setattr("spark_jobs.secret_manager._ADDRESS", server.address("secretmanager"))
    assert handed(secret, "gcp")["crm"].password == PASSWORD, "as the driver reads it"
    if how == "fetched":
        end(server, "SUCCEEDED", {"state": "loaded"})
        engine.report(handle)
    else:
        engine.cancel(handle)
    assert server.secrets == {}


@pytest.mark.parametrize("word", ["computeMetadata", ":access"])
@pytest.mark.parametrize("fault", ["503", "throttled", "lost", "cut"])
def test_a_driver_asks_again_for_its_secret(
    server: Server, fault: Any, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCE_METADATA_HOST", f"127.0.0.1:{server.port}")
    monkeypatch.setattr("spark_jobs.secret_manager._ADDRESS", server.address("secretmanager"))
    secret = engine_of(server)._shelf.hand_over(f"{job().family}{'d' * 24}-1", SECRET)
    server.fail(fault, word)
    assert handed(secret, "gcp")["crm"].password == PASSWORD
    with pytest.raises(ConfigError, match="HTTP 404: Not Found; may the job's service account read it"):
        handed(f"projects/{PROJECT}/secrets/nobodys", "gcp")
    server.fail(fault, word, times=5)
    with pytest.raises(InfrastructureError, match=f"secret {secret}") as raised:
        handed(secret, "gcp")
    assert PASSWORD not in str(raised.value)


def test_secrets_of_jobs_that_were_never_submitted_go_with_the_next_try(server: Server) -> None:
    for number in (1, 2, 3):  # on two pages
        engine_of(server)._shelf.hand_over(f"{job().family}{'d' * 24}-{number}", SECRET)  # its worker died then
    begin(server)
    assert server.secrets == {}


def test_a_secret_that_nobody_came_back_for_goes_after_a_week(server: Server) -> None:
    lost = f"etl-{'f' * 24}-{'f' * 24}-1"
    engine_of(server)._shelf.hand_over(lost, SECRET)  # its worker died, and its task never runs again
    begin(server, job(connections=SECRET))
    assert lost in server.secrets
    server.updated[f"airflow/_secrets/{lost}"] -= timedelta(days=8)
    kept = begin(server, job("b", connections=SECRET))
    assert lost not in server.secrets
    assert kept.name in server.secrets
    assert f"airflow/_secrets/{lost}" not in server.objects


@pytest.mark.parametrize(
    ("state", "message", "error", "text"),
    [
        ("CANCELLED", "", InfrastructureError, "was cancelled"),
        ("FAILED", "java.lang.OutOfMemoryError: Java heap space", ResourceError, "raise the engine's `memory`"),
        ("FAILED", "Permission denied on bucket", ConfigError, "see what the job may do"),
        ("FAILED", "a machine went away", InfrastructureError, "left no report; a machine went away"),
    ],
)
def test_a_job_without_a_report_says_what_the_service_knows(
    server: Server, state: str, message: str, error: type[Exception], text: str
) -> None:
    handle = begin(server)
    end(server, state, message=message)
    with pytest.raises(error, match=text):
        engine_of(server).report(handle)


def test_half_a_report_is_none(server: Server) -> None:
    handle = begin(server)
    end(server, "SUCCEEDED", {"state": "loaded"})
    place = f"{HERE}/{handle.name}/report.json"
    server.objects[place] = server.objects[place][:5]
    assert begin(server).ordinal == 2


def test_links_lead_to_the_console(server: Server) -> None:
    handle = begin(server)
    console = "https://console.cloud.google.com"
    assert engine_of(server).links(handle) == {
        "Run": f"{console}/dataproc/batches/{REGION}/{handle.id}/summary?project={PROJECT}",
        "Report": f"{console}/storage/browser/_details/{BUCKET}/{HERE}/{handle.name}/report.json?project={PROJECT}",
    }
    [page, _] = engine_of(server, cluster=CLUSTER).links(handle).values()
    assert page == f"{console}/dataproc/jobs/{handle.id}/monitoring?region={REGION}&project={PROJECT}"
