"""Engines of an environment file: what a plan gets of them, and what is told where Spark's client would refuse it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from spark_jobs.plan import Attempt
from tests.spec.conftest import ENVIRONMENT, PIPELINE, Project

Change = Callable[[str, str], str]
HEAD = ENVIRONMENT.count("\n") + 1  # the line of the engine


def told(project: Project, engine: str) -> list[str]:
    project.environment(ENVIRONMENT + f"  cluster: {engine}\n")
    loaded = project.load(PIPELINE)
    return [f"{item.line}:{item.column} {item.code} {item.key} | {item.message}; {item.hint}" for item in loaded.errors]


def spark_of(project: Project, engine: str, pipeline: str) -> dict[str, Any]:
    project.environment(ENVIRONMENT + f"  cluster: {engine}\n")
    found = project.load(pipeline).pipeline
    assert found is not None
    plan = found.plan(found.window_of("2013-01-01"), Attempt(number=1, token="t", run="r"))
    return dict(plan.spark)


def test_a_plan_says_which_cluster_and_no_secret(project: Project, changed: Change) -> None:
    engine = (
        "{kind: spark_submit, connection: spark_cluster, deploy_mode: cluster, executors: 3, executor_memory: 2g, "
        "rest_port: 6067, python: /usr/bin/python3.11, conf: {spark.executor.cores: 2}}"
    )
    spark = spark_of(project, engine, changed("start: 2013", "engine: cluster\nstart: 2013"))
    assert spark["master"] == ""
    assert spark["submit"] == {
        "connection": "spark_cluster",
        "master": None,
        "deploy_mode": "cluster",
        "queue": None,
        "namespace": None,
        "image": None,
        "python": "/usr/bin/python3.11",
        "rest_port": 6067,
        "jobs": str(project.folder / "data/staging/_jobs"),
    }
    assert spark["conf"] == {
        "spark.executor.instances": "3",
        "spark.executor.memory": "2g",
        "spark.executor.cores": "2",
    }


def test_the_engine_is_no_part_of_the_fingerprint(project: Project, changed: Change) -> None:
    project.environment(ENVIRONMENT + "  cluster: {kind: spark_submit, master: yarn}\n")
    found = [project.load(text).pipeline for text in (PIPELINE, changed("start: 2013", "engine: cluster\nstart: 2013"))]
    assert len({item.fingerprint for item in found if item}) == 1
    assert all(found)


@pytest.mark.parametrize(
    "master",
    ["spark://host:7077", "spark://a:7077,b.example:7077", "spark://[::1]:7077", "yarn"],
)
def test_masters_that_jobs_are_submitted_to(project: Project, master: str) -> None:
    assert told(project, f'{{kind: spark_submit, master: "{master}"}}') == []


@pytest.mark.parametrize("image", ["image: etl", "conf: {spark.kubernetes.container.image: etl}"])
def test_kubernetes_takes_an_image(project: Project, image: str) -> None:
    engine = f'{{kind: spark_submit, master: "k8s://https://host:6443", {image}}}'
    assert told(project, engine) == []
    found = told(project, engine.replace(f", {image}", ""))
    assert found[0].startswith(f"{HEAD}:3 missing-key engines.cluster | key 'image' is missing; Kubernetes starts")


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("{kind: spark_submit}", "missing-key engines.cluster | neither master nor connection"),
        (
            "{kind: spark_submit, master: yarn, connection: c}",
            "conflicting-keys engines.cluster.master | both master and",
        ),
        ('{kind: spark_submit, master: "spark://host"}', "invalid-value engines.cluster.master | 'spark://host' is no"),
        ('{kind: spark_submit, master: "spark://host_a:7077"}', "'spark://host_a:7077' is no cluster's master"),
        ('{kind: spark_submit, master: "local[2]"}', "master | 'local[2]' is no cluster's master; kind: local runs"),
        ("{kind: spark_submit, connection: a b}", "invalid-value engines.cluster.connection | 'a b' is no connection"),
        ("{kind: spark_submit, master: yarn, deploy_mode: clusters}", "deploy_mode"),
        (
            "{kind: spark_submit, master: yarn, deploy_mode: cluster}",
            "deploy_mode | this release sends no driver to yarn",
        ),
        (
            '{kind: spark_submit, master: "spark://h:1", deploy_mode: cluster, jobs: "s3a://lake/jobs"}',
            "invalid-value engines.cluster.jobs | 's3a://lake/jobs' is no folder that a task can write to",
        ),
        ('{kind: spark_submit, master: "spark://h:1", queue: etl}', "queue | 'queue' means nothing to 'spark://h:1'"),
        ("{kind: spark_submit, master: yarn, namespace: etl}", "namespace | 'namespace' means nothing to 'yarn'"),
        ("{kind: spark_submit, master: yarn, rest_port: 70000}", "rest_port"),
        ("{kind: spark_submit, master: yarn, executors: 0}", "executors"),
        ("{kind: spark_submit, master: yarn, executor_memory: lots}", "executor_memory"),
        (
            "{kind: spark_submit, master: yarn, cores: 2}",
            "cores | 'cores' means nothing to an engine of kind spark_submit",
        ),
        (
            "{kind: local, master: yarn}",
            "conflicting-keys engines.cluster.master | 'master' means nothing to an engine of",
        ),
        ("{kind: local, executors: 2}", "'executors' means nothing to an engine of kind local"),
        (
            "{kind: spark_submit, master: yarn, conf: {spark.master: yarn}}",
            "engines.cluster.conf.spark.master | spark.master is the engine's option 'master'; say master: there",
        ),
        (
            "{kind: spark_submit, master: yarn, executors: 2, conf: {spark.executor.instances: 2}}",
            "spark.executor.instances is the engine's option 'executors'",
        ),
    ],
)
def test_a_bad_value_is_one_error_at_its_place(project: Project, engine: str, expected: str) -> None:
    found = told(project, engine)
    assert len(found) == 1, found
    assert found[0].startswith(f"{HEAD}:")
    assert expected in found[0]
