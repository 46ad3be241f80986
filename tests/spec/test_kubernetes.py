"""What an environment file must say of an engine on Kubernetes, and where executors may run on the spot market."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from airflow_provider_etl.spec import load_file
from tests.spec.conftest import PIPELINE, Project
from tests.spec.test_services import EMR, FAR, SERVERLESS, found

KUBERNETES = 'kind: kubernetes, namespace: etl, image: "registry/spark:4.1", bucket: s3://jobs-etl/k8s'
PLACED = (
    f"{KUBERNETES}, connection: cluster, bucket_connection: store, service_account: etl, "
    "node_selector: {pool: steady}, "
    "tolerations: [{key: team, value: etl, effect: NoSchedule}], spot: true, spot_nodes: {pool: spot}, "
    "spot_tolerations: [{key: spot, operator: Exists}], executors: 4, memory: 3g"
)
ROOT = Path(__file__).resolve().parents[2]
SPARK = "kind: spark_submit, image: spark"


@pytest.mark.parametrize("engine", [KUBERNETES, PLACED, f'{KUBERNETES}, script: "local:///opt/etl/serviced.py"'])
def test_an_engine_with_what_it_needs_is_one(project: Project, engine: str) -> None:
    assert found(project, engine) == []


def test_what_the_engine_is_told_is_plain_json_of_names_alone(project: Project) -> None:
    project.environment(FAR.replace("ENGINE", f"{{{PLACED}}}"))
    pipeline = load_file(project.write(PIPELINE)).pipeline
    assert pipeline is not None
    told = pipeline.engine.options()
    assert json.loads(json.dumps(told)) == told
    assert told["tolerations"] == [{"key": "team", "operator": "Equal", "value": "etl", "effect": "NoSchedule"}]
    assert told["spot_tolerations"] == [{"key": "spot", "operator": "Exists"}]
    assert (told["namespace"], told["spark"], told["spot_nodes"]) == ("etl", "4.1", {"pool": "spot"})
    conf = pipeline.engine.settings()["conf"]
    assert conf["spark.decommission.enabled"] == "true", "a node that goes lets its executors hand over what they hold"
    assert conf["spark.executor.instances"] == "4"


def test_the_example_is_one(project: Project) -> None:
    project.environment((ROOT / "config/environments/kubernetes.yaml").read_text())
    assert not load_file(project.write(PIPELINE)).errors


@pytest.mark.parametrize(
    ("engine", "error"),
    [
        (KUBERNETES.replace("namespace: etl, ", ""), "missing-key: key 'namespace' is missing"),
        (KUBERNETES.replace('image: "registry/spark:4.1", ', ""), "missing-key: key 'image' is missing"),
        (KUBERNETES.replace("etl,", "My_Team,", 1), "invalid-value: 'My_Team' is no namespace"),
        (f"{KUBERNETES}, master: yarn", "conflicting-keys: 'master' means nothing"),
        (f"{KUBERNETES}, script: /opt/etl.py", "invalid-value: '/opt/etl.py' is no script"),
        (
            f"{KUBERNETES}, conf: {{spark.kubernetes.namespace: b}}",
            "conflicting-keys: spark.kubernetes.namespace is not",
        ),
        (f"{KUBERNETES}, conf: {{spark.driver.cores: many}}", "invalid-value: spark.driver.cores is 'many'"),
        (f"{KUBERNETES}, bucket_connection: 'a b'", "invalid-value: 'a b' is no connection"),
        (
            f"{KUBERNETES}, tolerations: [{{key: a, operator: Exists, value: b}}]",
            "conflicting-keys: a toleration that asks whether a taint exists has no value",
        ),
        (f"{KUBERNETES}, tolerations: [{{value: b}}]", "missing-key: key 'key' is missing"),
        (f"{EMR}, service_account: etl", "conflicting-keys: 'service_account' means nothing"),
        ("kind: local, node_selector: {a: b}", "conflicting-keys: 'node_selector' means nothing"),
    ],
)
def test_whatever_is_wrong_is_one_error(project: Project, engine: str, error: str) -> None:
    [told] = found(project, engine)
    assert told.startswith(error)


@pytest.mark.parametrize(
    ("engine", "error"),
    [
        ("kind: local", "Spark runs beside the task"),
        ("kind: local_warm", "Spark runs beside the task"),
        (SERVERLESS, "AWS chooses the machines of EMR Serverless"),
        (EMR, "a cluster's machines are bought when it is made"),
        (f'{SPARK.partition(",")[0]}, master: "spark://host:7077"', "a standalone master tells no worker from another"),
        ("kind: spark_submit, connection: cluster", "its connection alone says what cluster it is"),
        (KUBERNETES, "key 'spot_nodes' is missing"),
        (f"{KUBERNETES}, spot_nodes: SPOT", "spot_nodes is not what this cluster knows"),
        ("kind: spark_submit, master: yarn, spot_nodes: {a: b}", "spot_nodes is not what this cluster knows"),
    ],
)
def test_spot_is_refused_where_it_means_nothing(project: Project, engine: str, error: str) -> None:
    [told] = found(project, f"{engine}, spot: true")
    assert error in told


def test_nodes_of_the_spot_market_without_spot_mean_nothing(project: Project) -> None:
    [told] = found(project, f"{KUBERNETES}, spot_nodes: {{pool: spot}}")
    assert told == "conflicting-keys: 'spot_nodes' means nothing here"


@pytest.mark.parametrize(
    ("engine", "key", "value"),
    [
        ("kind: spark_submit, master: yarn, spot_nodes: SPOT", "spark.yarn.executor.nodeLabelExpression", "SPOT"),
        (
            f"{SPARK}, master: 'k8s://https://host:6443', spot_nodes: {{pool: spot}}",
            "spark.kubernetes.executor.node.selector.pool",
            "spot",
        ),
    ],
)
def test_spot_puts_executors_on_those_nodes_and_leaves_the_driver_beside_the_task(
    project: Project, engine: str, key: str, value: str
) -> None:
    project.environment(FAR.replace("ENGINE", f"{{{engine}, spot: true}}"))
    pipeline = load_file(project.write(PIPELINE)).pipeline
    assert pipeline is not None
    assert pipeline.engine.settings()["conf"][key] == value
