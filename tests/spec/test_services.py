"""What an environment file must say of an engine that a service runs, and what means nothing beside it."""

from __future__ import annotations

import pytest

from airflow_provider_etl.spec import load_file
from tests.conftest import ROOT
from tests.spec.conftest import PIPELINE, Project

FAR = """
variables:
  raw: s3a://lake/raw
  lake: s3a://lake/tables
  staging: s3a://lake/staging
  quarantine: s3a://lake/quarantine
roots: [s3a://lake]
engines:
  far: ENGINE
defaults: {engine: far}
"""
SERVERLESS = (
    "kind: emr_serverless, application: 00f1, role: 'arn:aws:iam::123456789012:role/etl', bucket: s3://jobs-etl/a"
)
EMR = "kind: emr, cluster: j-2AXXXXXXGAPLF, bucket: s3://jobs-etl"
BRICKS = "kind: databricks, volume: /Volumes/main/etl/jobs"
THERE = f"{BRICKS}, cluster: 1234-567890-abcde123"
GOOGLE = "kind: dataproc, region: europe-west3, bucket: gs://jobs-etl/a, runtime: '3.0'"
FARM = GOOGLE.replace("runtime: '3.0'", "cluster: farm")
FRESH = f"{BRICKS}, runtime: 18.0.x-scala2.13, node_type: i3.xlarge"


def found(project: Project, engine: str, environment: str = FAR) -> list[str]:
    """What lint says of an engine."""
    project.environment(environment.replace("ENGINE", f"{{{engine}}}"))
    loaded = load_file(project.write(PIPELINE))
    return [f"{problem.code}: {problem.message}" for problem in loaded.errors]


@pytest.mark.parametrize(
    "engine",
    [
        SERVERLESS,
        EMR,
        f"{EMR}, connection: cloud, region: eu-central-1, poll: 5s",
        f"{THERE}, connection: bricks, libraries: ['org.x:jdbc:1.2'], scope: etl",
        GOOGLE,
        f"{FARM}, connection: cloud, project: company-etl, memory: 4g, executors: 4",
        f"{GOOGLE}, image: x/y:1, service_account: etl@x.iam.gserviceaccount.com, subnetwork: inner",
        f"{FRESH}, driver_node_type: i3.large, executors: 4, spot: true, conf: {{spark.x: 1}}",
    ],
)
def test_an_engine_with_what_its_kind_needs_is_one(project: Project, engine: str) -> None:
    assert found(project, engine) == []


def test_the_example_of_dataproc_is_one(project: Project) -> None:
    project.environment((ROOT / "config/environments/dataproc.yaml").read_text())
    loaded = load_file(project.write(PIPELINE))
    assert not loaded.errors
    assert loaded.pipeline is not None
    assert loaded.pipeline.engine.options()["service_account"].startswith("etl@")


def test_what_the_engine_is_told_are_names_alone(project: Project) -> None:
    project.environment(FAR.replace("ENGINE", f"{{{EMR}, connection: cloud}}"))
    pipeline = load_file(project.write(PIPELINE)).pipeline
    assert pipeline is not None
    told = {"connection": "cloud", "cluster": "j-2AXXXXXXGAPLF", "bucket": "s3://jobs-etl", "poll": 15.0}
    assert pipeline.engine.options() == told
    settings = pipeline.engine.settings()
    assert settings["provided"]
    assert not {"master", "jars", "archive"} & set(settings)


@pytest.mark.parametrize(
    ("engine", "error"),
    [
        (EMR.replace("cluster: j-2AXXXXXXGAPLF, ", ""), "missing-key: key 'cluster' is missing"),
        (SERVERLESS.replace("application: 00f1, ", ""), "missing-key: key 'application' is missing"),
        (EMR.replace("j-2A", "x-2A"), "invalid-value: 'x-2AXXXXXXGAPLF' is no cluster"),
        (EMR.replace("s3://jobs-etl", "/srv/jobs"), "invalid-value: '/srv/jobs' is no bucket"),
        (f"{EMR}, role: 'arn:aws:iam::123456789012:role/etl'", "conflicting-keys: 'role' means nothing"),
        ("kind: local, cluster: j-2AXXXXXXGAPLF", "conflicting-keys: 'cluster' means nothing"),
        (f"{EMR}, volume: /Volumes/main/etl/jobs", "conflicting-keys: 'volume' means nothing"),
        (f"{EMR}, spot: true", "conflicting-keys: 'spot' means nothing to an engine of kind emr"),
        (THERE.replace("volume: /Volumes/main/etl/jobs, ", ""), "missing-key: key 'volume' is missing"),
        (THERE.replace("/Volumes/main/etl/jobs", "/Volumes/main/etl/../jobs"), "invalid-value: '/Volumes/main/etl/.."),
        (THERE.replace("1234-567890-abcde123", "j-2AXXXXXXGAPLF"), "invalid-value: 'j-2AXXXXXXGAPLF' is no cluster"),
        (FRESH.replace(", node_type: i3.xlarge", ""), "missing-key: key 'node_type' is missing"),
        (FRESH.replace("runtime: 18.0.x-scala2.13, ", ""), "missing-key: key 'runtime' is missing"),
        (f"{THERE}, spot: true", "conflicting-keys: both 'cluster', one that is there, and 'spot' of a new cluster"),
        (f"{THERE}, executors: 4", "conflicting-keys: both 'cluster', one that is there, and 'executors'"),
        (f"{FRESH}, executor_memory: 8g", "conflicting-keys: 'executor_memory' means nothing"),
        (f"{FRESH}, memory: 8g", "conflicting-keys: 'memory' means nothing"),
        (f"{FRESH}, bucket: s3://jobs-etl", "conflicting-keys: 'bucket' means nothing"),
        (f"{FRESH}, scope: 'a b'", "invalid-value: 'a b' is no scope"),
        ("kind: local, node_type: i3.xlarge", "conflicting-keys: 'node_type' means nothing"),
        (GOOGLE.replace("region: europe-west3, ", ""), "missing-key: key 'region' is missing"),
        (GOOGLE.replace("gs://", "s3://"), "invalid-value: 's3://jobs-etl/a' is no bucket"),
        (GOOGLE.replace("europe-west3", "eu-central-1"), "invalid-value: 'eu-central-1' is no region"),
        (GOOGLE.replace("3.0", "2.3"), "invalid-value: '2.3' is no runtime"),
        (GOOGLE.replace(", runtime: '3.0'", ""), "missing-key: key 'runtime' is missing"),
        (f"{GOOGLE}, project: X", "invalid-value: 'X' is no project"),
        (f"{GOOGLE}, service_account: etl", "invalid-value: 'etl' is no service_account"),
        (f"{FARM}, runtime: '3.0'", "conflicting-keys: both 'cluster', one that is there, and 'run"),
        (f"{GOOGLE}, spot: true", "conflicting-keys: 'spot' means nothing to an engine of kind dataproc: Google"),
        (f"{GOOGLE}, namespace: etl", "conflicting-keys: 'namespace' means nothing"),
        (f"{EMR}, project: company-etl", "conflicting-keys: 'project' means nothing"),
        (f"{EMR}, poll: 0s", "invalid-value: poll is less than a second"),
    ],
)
def test_whatever_is_wrong_is_one_error(project: Project, engine: str, error: str) -> None:
    [told] = found(project, engine)
    assert told.startswith(error)


def test_folders_of_this_machine_are_no_places_for_a_service(project: Project) -> None:
    told = found(project, EMR, FAR.replace("s3a://lake/staging", "data/staging"))
    assert any("runs far from here, and staging is the local folder" in line for line in told)


@pytest.mark.parametrize("option", ["packages: resolve", "jars: lib"])
def test_a_service_takes_no_jars_from_here(project: Project, option: str) -> None:
    key = option.partition(":")[0]
    assert found(project, f"{EMR}, {option}") == [f"conflicting-keys: {key!r} means nothing to an engine of kind emr"]


def test_a_service_may_have_a_line_of_its_own_but_none_that_is_known_to_lack_a_part(project: Project) -> None:
    def told(version: str) -> list[str]:
        project.environment(FAR.replace("ENGINE", f'{{{EMR}, spark: "{version}"}}'))
        return [line for line in project.told(PIPELINE) if "no-such-jars" in line]

    assert told("4.0") == [], "its own build"
    (line,) = told("4.3")
    assert "Delta Lake can't be used on Spark 4.3" in line
