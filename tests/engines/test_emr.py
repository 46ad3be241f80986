"""Given a cluster of EMR behind a bad network, when a step is submitted, lost and found again, then it runs once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.emr import EmrEngine
from airflow_provider_etl.engines.resuming import Forgetful, begun
from spark_jobs.errors import InfrastructureError
from tests.servers.aws import Server, aws_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with aws_server() as server:
        yield server


@pytest.fixture
def cluster(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr("airflow_provider_etl.engines.service._FIRST", 0.01)
    nodes = {"MasterInstanceType": "m5.xlarge", "InstanceCount": 1, "KeepJobFlowAliveWhenNoSteps": True}
    yield server.clients("emr").run_job_flow(Name="etl", Instances=nodes, ReleaseLabel="emr-7.1.0")["JobFlowId"]
    server.rules.clear()


def begin(server: Server, cluster: str, letter: str = "a") -> tuple[EmrEngine, Handle]:
    engine = EmrEngine({"cluster": cluster, "bucket": "s3://company-etl/jobs", "poll": 0.01}, server.clients)
    plan = {"spark": {"provided": True, "conf": {"spark.executor.cores": "2"}}}
    return engine, begun(engine, Job(token=letter * 64, plan=plan, owner="e" * 64), Forgetful(), lambda _: None)


def test_a_step_goes_with_its_plan_and_comes_with_its_report(server: Server, cluster: str) -> None:
    engine, handle = begin(server, cluster)
    [step] = server.steps(cluster)
    assert step.name == handle.name
    arguments = list(step.args)
    assert arguments[0] == "spark-submit"
    assert "spark.yarn.maxAppAttempts=1" in arguments, "YARN would run a plan that has failed once more"
    assert "spark.executor.cores=2" in arguments
    assert arguments[-2:] == ["--folder", f"s3://company-etl/jobs/_jobs/{handle.name}"]
    assert len(" ".join(arguments)) < 10280, "the most that EMR takes"
    body = json.dumps({"state": "loaded"}).encode()
    server.clients("s3").put_object(Bucket="company-etl", Key=f"jobs/_jobs/{handle.name}/report.json", Body=body)
    step.state = "COMPLETED"
    assert engine.report(handle) == {"state": "loaded"}
    assert begin(server, cluster)[1] == handle, "a try that died in between finds it"
    assert f"clusterDetails/{cluster}" in engine.links(handle)["Cluster"]


@pytest.mark.parametrize("fault", ["503", "throttled", "lost", "cut"])
def test_whatever_happens_to_the_answer_there_is_one_step(server: Server, cluster: str, fault: Any) -> None:
    server.fail(fault, "AddJobFlowSteps")
    handle = begin(server, cluster)[1]
    assert [step.id for step in server.steps(cluster)] == [handle.id]


def test_a_cleared_task_cancels_its_older_step(server: Server, cluster: str) -> None:
    engine, first = begin(server, cluster)
    second = begin(server, cluster, "b")[1]
    assert first.id != second.id
    assert engine.outcome(first) == "cancelled"
    told = server.clients("s3").list_objects_v2(Bucket="company-etl", Prefix=f"jobs/_jobs/{first.name}/cancelled")
    assert told["KeyCount"] == 1, "EMR ends what has submitted: the driver must hear of it too"
    again = server.clients("s3").list_objects_v2(Bucket="company-etl", Prefix=f"jobs/_jobs/{second.name}/cancelled")
    assert again["KeyCount"] == 0
    with pytest.raises(InfrastructureError, match="was cancelled"):
        engine.report(first)
