"""Given a fake of Databricks behind a bad network, when a run is submitted, lost and found again, then it runs once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.databricks import DatabricksEngine, _library, _spot
from airflow_provider_etl.engines.resuming import Forgetful, begun
from airflow_provider_etl.engines.workspace import Workspace
from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError, InfrastructureError, ResourceError
from tests.servers.databricks import databricks_server
from tests.servers.databricks_calls import CLUSTER, VOLUME, Server
from tests.servers.guarded import PASSWORD

SUBMIT, RUN = "POST /api/2.2/jobs/runs/submit", "GET /api/2.2/jobs/runs/get"
SECRET = Connections(Connection(id="crm", kind="postgres", password=PASSWORD))
NEW = {"runtime": "18.0.x-scala2.13", "node_type": "i3.xlarge", "spot": True, "libraries": ["org.x:jdbc:1.2"]}


class Kept:
    """A memory that outlives its try."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle

    def recall(self) -> Handle:
        """What was kept last."""
        return self._handle

    def keep(self, handle: Handle) -> None:
        """Keep it."""
        self._handle = handle


@pytest.fixture(scope="module")
def service() -> Iterator[Server]:
    with databricks_server() as server:
        yield server


@pytest.fixture
def server(service: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    for name in ("service._FIRST", "calls._FIRST", "resuming._LOOK"):
        monkeypatch.setattr(f"airflow_provider_etl.engines.{name}", 0.01)
    service.reset()
    yield service
    assert service.wrong == [], "what the public API doesn't know"


def engine_of(server: Server, **options: Any) -> DatabricksEngine:
    """As any process makes it."""
    where = options or {"cluster": CLUSTER}
    return DatabricksEngine({"volume": f"{VOLUME}/airflow", "poll": 0.01, **where}, server.workspaces)


def job(letter: str = "a", conf: dict[str, str] | None = None, connections: Connections | None = None) -> Job:
    plan = {"plan": 1, "spark": {"provided": True, "memory": "3g", "conf": conf or {}}}
    return Job(token=letter * 64, plan=plan, owner="e" * 64, connections=connections or Connections())


def begin(server: Server, work: Job | None = None, **options: Any) -> Handle:
    return begun(engine_of(server, **options), work or job(), Forgetful(), lambda _: None)


def end(server: Server, code: str, report: Any = None, message: str = "") -> None:
    """Let the newest run end, as Spark and the service would."""
    run = server.runs[-1]
    run.state, run.code, run.message = "TERMINATED", code, message
    if report is not None:
        server.files[f"{VOLUME}/airflow/_jobs/{run.sent['run_name']}/report.json"] = json.dumps(report).encode()


def test_a_run_goes_with_its_plan_and_code_and_comes_with_its_report(server: Server) -> None:
    handle = begin(server)
    [run] = server.runs
    assert run.sent["run_name"] == handle.name == f"etl-{'e' * 24}-{'a' * 24}-1"
    assert run.task["existing_cluster_id"] == CLUSTER
    assert run.task["max_retries"] == 0, "Databricks would run a plan that has failed once more"
    python = run.task["spark_python_task"]
    _, packages, *rest = python["parameters"]
    assert rest == ["--folder", f"{VOLUME}/airflow/_jobs/{handle.name}"]
    assert packages in server.files
    assert b"spark_jobs.serviced" in server.files[python["python_file"]]
    engine = engine_of(server)
    assert engine.plan(handle) == job().plan
    assert engine.status(handle) == "running"
    end(server, "SUCCESS", {"state": "loaded"})
    assert list(engine.output(handle)) == [f"[etl] job {handle.id}: SUCCESS"]
    assert engine.report(handle) == {"state": "loaded"}
    assert begin(server) == handle, "a try that died in between finds it"
    assert engine.links(handle)["Run"].endswith(f"/run/{handle.id}")
    assert "volumePath=%2FVolumes%2Fmain%2Fetl%2Fjobs%2Fairflow%2F_jobs%2F" in engine.links(handle)["Report"]


def test_a_new_cluster_is_as_large_as_the_plan_says(server: Server) -> None:
    sizes = {"spark.executor.instances": "4", "spark.executor.memory": "8g", "spark.sql.shuffle.partitions": "64"}
    begin(server, job(conf=sizes), **NEW)
    task = server.runs[-1].task
    cluster = task["new_cluster"]
    assert cluster["num_workers"] == 4
    assert cluster["aws_attributes"] == {"availability": "SPOT_WITH_FALLBACK", "first_on_demand": 1}
    conf = cluster["spark_conf"]
    assert conf["spark.sql.shuffle.partitions"] == "64"
    assert conf["spark.sql.session.timeZone"] == "UTC"
    given = {"spark.executor.memory", "spark.driver.memory", "spark.sql.extensions", "spark.master"}
    assert not given & set(conf), "the runtime's own, and its machines'"
    assert task["libraries"] == [{"maven": {"coordinates": "org.x:jdbc:1.2"}}]
    dynamic = {"spark.dynamicAllocation.enabled": "true", "spark.dynamicAllocation.maxExecutors": "9"}
    begin(server, job("b", conf=sizes | dynamic), **NEW)
    assert server.runs[-1].task["new_cluster"]["autoscale"] == {"min_workers": 4, "max_workers": 9}


@pytest.mark.parametrize(
    ("host", "attributes", "word"),
    [
        ("dbc-1.cloud.databricks.com", "aws_attributes", "SPOT_WITH_FALLBACK"),
        ("adb-1.2.azuredatabricks.net", "azure_attributes", "SPOT_WITH_FALLBACK_AZURE"),
        ("adb-1.2.databricks.azure.us", "azure_attributes", "SPOT_WITH_FALLBACK_AZURE"),
        ("1.2.gcp.databricks.com", "gcp_attributes", "PREEMPTIBLE_WITH_FALLBACK_GCP"),
    ],
)
def test_each_cloud_has_its_word_for_spot(server: Server, host: str, attributes: str, word: str) -> None:
    said = _spot(f"https://{host}")
    assert said == {attributes: {"availability": word, "first_on_demand": 1}}
    server.answer("ClusterSpec", said)


def test_libraries_are_told_by_their_form(server: Server) -> None:
    texts = ["/Volumes/a/b/c/x.jar", "s3://b/y.whl", "org.x:y_2.13:1.0", "psycopg[binary]>=3.2"]
    told = [_library(text) for text in texts]
    assert [next(iter(library)) for library in told] == ["jar", "whl", "maven", "pypi"]
    for library in told:
        server.answer("Library", library)


@pytest.mark.parametrize("fault", ["503", "throttled", "lost", "cut"])
def test_whatever_happens_to_the_answer_there_is_one_run(server: Server, fault: Any) -> None:
    server.fail(fault, SUBMIT)
    handle = begin(server)
    assert [str(run.id) for run in server.runs] == [handle.id]
    assert engine_of(server).find("a" * 64) == handle


@pytest.mark.parametrize("fault", ["503", "throttled", "lost", "cut"])
@pytest.mark.parametrize("word", ["runs/list", "PUT /api/2.0/fs/files", "PUT /api/2.0/fs/directories", "secrets/put"])
def test_every_other_call_may_be_repeated(server: Server, fault: Any, word: str) -> None:
    server.fail(fault, word)
    begin(server, job(connections=SECRET))
    assert len(server.runs) == 1


def test_two_submissions_of_one_name_are_one_run(server: Server) -> None:
    engine = engine_of(server)
    first = engine.submit(job())
    started = engine._start(server.workspaces(once=True), first.name, job(), "")
    assert started == first.id
    assert len(server.runs) == 1


@pytest.mark.parametrize("left", [None, {"state": "loaded"}])
def test_a_run_of_days_ago_never_answers_for_a_new_one(server: Server, left: Any) -> None:
    first = begin(server)
    end(server, "SUCCESS" if left else "CLOUD_FAILURE", left)
    server.runs[0].began -= 4 * 86_400  # it isn't listed any more, and its token is still known
    second = begin(server, job(connections=SECRET))
    assert (second.ordinal, len(server.runs)) == (2, 2)
    assert engine_of(server).outcome(second) == "running"
    assert engine_of(server).left(first) == left, "it stays what it was"
    assert list(server.secrets["airflow-etl"]) == [second.name]
    assert begin(server) == second


def test_a_run_that_began_days_ago_and_runs_is_gone_on_with(server: Server) -> None:
    first = begin(server)
    server.runs[0].began -= 4 * 86_400
    assert begin(server) == first
    assert len(server.runs) == 1


def test_a_lost_answer_is_found_among_many_runs(server: Server) -> None:
    for letter in "bcdf":
        engine_of(server).submit(Job(token=letter * 64, plan={"spark": {"provided": True}}, owner=letter * 64))
    handle = begin(server)
    assert begin(server) == handle
    assert len(server.runs) == 5
    assert engine_of(server).find("b" * 64) is not None, "on the last page"


def test_a_service_that_is_away_is_an_error_that_a_retry_helps(server: Server) -> None:
    server.fail("503", SUBMIT, times=9)
    with pytest.raises(InfrastructureError, match="TEMPORARILY_UNAVAILABLE"):
        begin(server)
    assert server.runs == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cluster": "1234-567890-nobody12"}, "does not exist"),
        ({"cluster": CLUSTER, "volume": "/Volumes/main/no/such"}, "volume does not exist"),
    ],
)
def test_a_refused_job_says_why_at_once(server: Server, options: dict[str, str], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        begin(server, **options)


def test_a_wrong_token_is_an_error_of_the_connection(server: Server) -> None:
    def strangers(*, once: bool = False) -> Workspace:
        return Workspace(server.address, lambda: {"Authorization": f"Bearer {PASSWORD}"}, tries=1)

    engine = DatabricksEngine({"volume": VOLUME, "cluster": CLUSTER}, strangers)
    with pytest.raises(ConfigError, match="UNAUTHENTICATED") as raised:
        engine.submit(job())
    assert PASSWORD not in str(raised.value)


def test_a_token_that_no_header_takes_is_not_quoted() -> None:
    strange = Workspace("http://127.0.0.1:9", lambda: {"Authorization": f"Bearer {PASSWORD}\n"})
    engine = DatabricksEngine({"volume": VOLUME, "cluster": CLUSTER}, lambda **_: strange)
    with pytest.raises(ConfigError, match="see the token of the engine's connection") as raised:
        engine.submit(job())
    assert PASSWORD not in str(raised.value)


def test_a_run_that_the_workspace_has_forgotten_holds_up_no_later_one(server: Server) -> None:
    first = begin(server)
    kept = Kept(first)
    server.runs.clear()
    second = begun(engine_of(server), job("b"), kept, lambda _: None)
    assert kept.recall() == second
    assert engine_of(server).outcome(Handle(token="a" * 24, id="1", name=first.name)) == "cancelled"


def test_a_run_that_the_service_does_not_cancel_hears_of_it_all_the_same(server: Server) -> None:
    handle, engine = begin(server), engine_of(server)
    server.fail("503", "runs/cancel", times=6)
    with pytest.raises(InfrastructureError):
        engine.cancel(handle)
    assert f"{VOLUME}/airflow/_jobs/{handle.name}/cancelled" in server.files


def test_a_run_that_cant_be_seen_is_cancelled_all_the_same(server: Server) -> None:
    handle = begin(server)
    server.fail("503", RUN, times=6)
    engine_of(server).cancel(handle)
    assert server.runs[0].code == "USER_CANCELED"


@pytest.mark.parametrize("report", ["unreadable", "refused", "its secret can't be removed"])
def test_a_run_that_was_cancelled_is_told_as_such_whatever_became_of_its_report(server: Server, report: str) -> None:
    handle = begin(server, job(connections=SECRET))
    refused = {"refused": f"secret airflow-etl/{handle.name} isn't there", "kind": "config"}
    end(server, "CANCELED", refused if report == "refused" else None)
    if report == "unreadable":
        server.fail("503", "GET /api/2.0/fs/files", times=6)
    if report.startswith("its secret"):
        server.fail("503", "secrets/delete", times=6)
    with pytest.raises(InfrastructureError, match=f"job {handle.id} was cancelled"):
        engine_of(server).report(handle)


def test_a_report_that_cant_be_read_is_told_as_that_where_nobody_cancelled(server: Server) -> None:
    handle = begin(server)
    end(server, "SUCCESS", {"state": "loaded"})
    server.fail("503", "GET /api/2.0/fs/files", times=6)
    with pytest.raises(InfrastructureError, match="TEMPORARILY_UNAVAILABLE"):
        engine_of(server).report(handle)


def test_a_run_that_has_ended_by_itself_leaves_no_secret_to_whoever_cancels_it(server: Server) -> None:
    handle = begin(server, job(connections=SECRET))
    end(server, "RUN_EXECUTION_ERROR")
    engine_of(server).cancel(handle)
    assert server.secrets == {"airflow-etl": {}}
    assert not [line for line in server.asked if "runs/cancel" in line]


def test_a_netrc_of_the_worker_doesnt_say_who_we_are(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login stranger password {PASSWORD}")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    begin(server)
    assert len(server.runs) == 1


def test_a_cleared_task_ends_its_older_run_and_waits_until_it_has(server: Server) -> None:
    first = begin(server)
    second = begin(server, job("b"))
    assert first.id != second.id
    engine = engine_of(server)
    assert engine.gone(first)
    assert engine.outcome(first) == "cancelled"
    assert f"{VOLUME}/airflow/_jobs/{first.name}/cancelled" in server.files, "its driver hears of it too"
    with pytest.raises(InfrastructureError, match="was cancelled"):
        engine.report(first)
    assert engine.outcome(second) == "running"


def test_a_cancelled_run_is_cancelled_before_it_is_gone_and_a_second_call_asks_again(server: Server) -> None:
    handle, engine = begin(server), engine_of(server)
    engine.cancel(handle)
    assert (engine.outcome(handle), engine.gone(handle)) == ("cancelled", True)
    server.runs[0].state, server.runs[0].looks = "TERMINATING", -9
    assert (engine.outcome(handle), engine.gone(handle)) == ("cancelled", False)
    engine.cancel(handle)
    assert sum("runs/cancel" in line for line in server.asked) == 2


def test_a_signal_waits_four_seconds_at_most(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("airflow_provider_etl.engines.service._SIGNAL", 0.2)
    monkeypatch.setattr("airflow_provider_etl.engines.calls._FIRST", 2.0)
    handle, engine = begin(server), engine_of(server)
    server.fail("503", "runs/cancel", times=1)
    engine.cancel(handle)  # comes back; its thread goes on
    assert server.runs[0].state == "RUNNING"
    for thread in threading.enumerate():
        if thread.name == "cancel":  # else it would end a run of the next test
            thread.join()
    assert server.runs[0].state == "TERMINATING"


@pytest.mark.parametrize("how", ["fetched", "cancelled"])
def test_secrets_go_by_a_scope_and_stand_nowhere_else(server: Server, how: str) -> None:
    handle, engine = begin(server, job(connections=SECRET), **NEW), engine_of(server)
    [run] = server.runs
    given = run.task["spark_python_task"]["parameters"]
    assert given[-4:] == ["--secret", f"airflow-etl/{handle.name}", "--vault", "databricks"]
    assert PASSWORD not in json.dumps(run.sent)
    assert not [name for name, content in server.files.items() if PASSWORD.encode() in content]
    assert not [line for line in server.asked if PASSWORD in line]
    assert json.loads(server.secrets["airflow-etl"][handle.name])[0]["password"] == PASSWORD
    if how == "fetched":
        end(server, "SUCCESS", {"state": "loaded"})
        engine.report(handle)
    else:
        engine.cancel(handle)
    assert server.secrets == {"airflow-etl": {}}


def test_a_job_without_connections_needs_no_scope(server: Server) -> None:
    handle = begin(server)
    end(server, "SUCCESS", {"state": "loaded"})
    engine_of(server).report(handle)
    assert not [line for line in server.asked if "/api/2.0/secrets/" in line]


def test_a_secret_of_a_run_that_was_never_submitted_goes_with_the_next_try(server: Server) -> None:
    engine_of(server)._shelf.hand_over(f"{job().family}{'d' * 24}-1", SECRET)  # its worker died before it could
    begin(server)
    assert server.secrets == {"airflow-etl": {}}


def test_a_secret_that_nobody_came_back_for_goes_after_a_week(server: Server) -> None:
    lost = f"etl-{'f' * 24}-{'f' * 24}-1"
    engine_of(server)._shelf.hand_over(lost, SECRET)  # its worker died, and its task never runs again
    begin(server, job(connections=SECRET))
    assert lost in server.secrets["airflow-etl"]
    server.written[f"{VOLUME}/airflow/_secrets/{lost}"] -= 8 * 86_400
    begin(server, job("b", connections=SECRET), cluster=CLUSTER, scope="another")
    assert lost in server.secrets["airflow-etl"], "who keeps secrets elsewhere forgets none of these"
    begin(server, job("c", connections=SECRET))
    assert lost not in server.secrets["airflow-etl"]
    assert f"{VOLUME}/airflow/_secrets/{lost}" not in server.files


@pytest.mark.parametrize(
    ("code", "message", "error", "text"),
    [
        ("CANCELED", "", InfrastructureError, "was cancelled"),
        ("RUN_EXECUTION_ERROR", "java.lang.OutOfMemoryError", ResourceError, "raise the engine's `node_type`"),
        ("INVALID_CLUSTER_REQUEST", "no such node type", ConfigError, "no such node type"),
        ("CLOUD_FAILURE", "a machine went away", InfrastructureError, "CLOUD_FAILURE: a machine went away"),
    ],
)
def test_a_run_without_a_report_says_what_the_service_knows(
    server: Server, code: str, message: str, error: type[Exception], text: str
) -> None:
    handle = begin(server)
    end(server, code, message=message)
    with pytest.raises(error, match=text):
        engine_of(server).report(handle)


def test_a_code_that_nobody_knows_yet_is_a_failure(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    handle = begin(server)
    end(server, "CODE_OF_NEXT_YEAR")
    monkeypatch.setattr(Server, "answer", lambda _, __, given: given)
    assert engine_of(server).outcome(handle) == "failed"


def test_half_a_report_is_none(server: Server) -> None:
    handle = begin(server)
    end(server, "SUCCESS", {"state": "loaded"})
    place = f"{VOLUME}/airflow/_jobs/{handle.name}/report.json"
    server.files[place] = server.files[place][:5]
    assert begin(server).ordinal == 2


def test_a_page_that_cant_be_asked_for_is_no_failed_try(server: Server) -> None:
    handle = begin(server)
    server.fail("503", RUN, times=9)
    assert set(engine_of(server).links(handle)) == {"Report"}
