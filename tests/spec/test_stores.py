"""Buckets: how an environment says that they are reached, and what of it a plan gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from airflow_provider_etl.hooks.stores import storage_options
from spark_jobs.connections import Connection, Connections, named_by
from spark_jobs.errors import ConfigError
from spark_jobs.object_store import s3
from spark_jobs.plan import Attempt, Plan
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

ON_S3 = ENVIRONMENT.replace("data/", "s3a://lake/").replace("[data]", '["s3a://lake", "s3a://other"]')
STORES = 'stores: {"s3a://lake": {connection: lake_store, endpoint: "http://127.0.0.1:9000", path_style: true}}\n'
ATTEMPT = Attempt(number=1, token="t", run="r")


def planned(project: Project, environment: str, text: str = PIPELINE) -> Plan:
    project.environment(environment)
    pipeline = project.pipeline(text)
    return pipeline.plan(pipeline.window_of("2013-01-01"), ATTEMPT)


def test_a_plan_says_of_the_buckets_that_it_names_how_they_are_reached(project: Project) -> None:
    made = planned(project, ON_S3 + STORES, PIPELINE.replace("${env.raw}", "s3a://other/raw"))
    lake = {"connection": "lake_store", "endpoint": "http://127.0.0.1:9000", "region": None, "path_style": True}
    other = {"connection": None, "endpoint": None, "region": None, "path_style": False}
    assert made.spark["s3"] == {"s3a://lake": lake, "s3a://other": other}
    assert named_by(made) == {"lake_store": "stores.s3a://lake.connection"}
    assert named_by(Plan.from_json(json.loads(json.dumps(made.to_json())))) == named_by(made)


def test_a_plan_without_s3_pays_for_none_of_it(project: Project) -> None:
    made = planned(project, ENVIRONMENT + STORES)
    assert "s3" not in made.spark
    assert named_by(made) == {}


def test_where_a_bucket_is_changes_no_fingerprint(project: Project) -> None:
    assert planned(project, ON_S3 + STORES).fingerprint == planned(project, ON_S3).fingerprint


@pytest.mark.parametrize(
    ("stores", "told"),
    [
        ('{"s3a://Lake": {}}', "9:10 invalid-value stores"),
        ('{"s3a://lake/": {}}', "9:10 invalid-value stores"),
        ('{"s3a://lake/raw": {}}', "9:10 invalid-value stores"),
        ('{"s3://lake": {}}', "9:10 invalid-value stores"),
        ('{"s3a://lake": {conection: x}}', "9:25 unknown-key stores.s3a://lake.conection"),
        ('{"s3a://lake": {connection: "a b"}}', "9:37 invalid-value stores.s3a://lake.connection"),
        ('{"s3a://lake": {endpoint: "127.0.0.1:9000"}}', "9:35 invalid-value stores.s3a://lake.endpoint"),
        ('{"s3a://lake": {endpoint: "http://h/b"}}', "9:35 invalid-value stores.s3a://lake.endpoint"),
        ('{"s3a://lake": {endpoint: "http://h:99999"}}', "9:35 invalid-value stores.s3a://lake.endpoint"),
        ('{"s3a://lake": {path_style: yes}}', "9:37 wrong-type stores.s3a://lake.path_style"),
    ],
)
def test_a_store_that_is_none_is_told_at_its_place(project: Project, stores: str, told: str) -> None:
    project.environment(ENVIRONMENT + f"stores: {stores}\n")
    [found] = project.load(PIPELINE).errors
    assert f"{found.line}:{found.column} {found.code} {found.key}".startswith(told)


def test_a_source_by_another_scheme_is_refused_with_the_right_one(project: Project) -> None:
    project.environment(ON_S3)
    errors = project.load(PIPELINE.replace("${env.raw}", "s3n://lake/raw")).errors
    found = [item for item in errors if item.code == "path-scheme"]
    assert [(item.key, item.hint.split(";")[0]) for item in found] == [
        ("extract.orders.path", "write s3a://lake/raw/orders/2013-01-01.csv")
    ]


@pytest.mark.parametrize("key", s3.DECIDED)
def test_an_engine_that_decides_how_delta_commits_is_refused_on_s3_alone(project: Project, key: str) -> None:
    conf = f'small: true, conf: {{{key}: "false"}}'
    project.environment(ON_S3.replace("small: true", conf).replace("lake: s3a:", "lake: S3A:"))
    [found] = [item for item in project.load(PIPELINE).errors if item.code == "unsafe-log-store"]
    assert (found.key, key in found.message) == ("load.lake.path", True)
    project.environment(ENVIRONMENT.replace("small: true", conf))
    assert project.load(PIPELINE).pipeline is not None
    with pytest.raises(ConfigError, match=f"sets {key}.*take {key} out"):
        s3.settings({key: "false"})


def options(store: dict[str, Any], **connection: Any) -> dict[str, str]:
    known = Connections(Connection(id="c", **connection))
    return s3.options_of("s3a://lake", {"connection": "c"} | store, known)


def test_a_connection_becomes_the_options_of_its_bucket_alone() -> None:
    extra = {"region_name": "eu-central-1", "endpoint_url": "https://s3.example.com", "aws_session_token": "for now"}
    found = options({"endpoint": "http://127.0.0.1:1", "path_style": True}, login="k", password="s", extra=extra)
    provider = "org.apache.hadoop.fs.s3a.TemporaryAWSCredentialsProvider"
    assert found == {
        "endpoint": "http://127.0.0.1:1",
        "endpoint.region": "eu-central-1",
        "path.style.access": "true",
        "connection.ssl.enabled": "false",
        "aws.credentials.provider": provider,
        "access.key": "k",
        "secret.key": "s",
        "session.token": "for now",
    }
    assert s3.options_of("s3a://lake", {}, Connections()) == {}, "AWS's own chain"


@pytest.mark.parametrize(
    ("connection", "told"),
    [
        ({"kind": "postgres", "login": "k", "password": "geheim"}, "is of type postgres"),
        ({"kind": "aws", "login": "k"}, "a key without its secret"),
        ({"kind": "aws", "password": "geheim"}, "a secret without its key"),
        ({"kind": "aws", "extra": {"role_arn": "arn:aws:iam::1:role/x"}}, "assumes a role"),
    ],
)
def test_a_connection_that_cannot_be_used_is_told_without_its_secret(connection: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as caught:
        options({}, **connection)
    assert "stores.s3a://lake.connection" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("path_style", "endpoint", "in_host"),
    [
        (False, "https://lake.minio.example.com:9000", "true"),
        (True, "https://minio.example.com:9000", None),
    ],
)
def test_a_bucket_stands_in_the_host_unless_it_stands_in_the_path(
    path_style: bool, endpoint: str, in_host: str | None
) -> None:
    store = {"endpoint": "https://minio.example.com:9000", "path_style": path_style}
    found = storage_options("s3a://lake/flights", store) or {}
    assert found["aws_endpoint_url"] == endpoint
    assert found.get("aws_virtual_hosted_style_request") == in_host
