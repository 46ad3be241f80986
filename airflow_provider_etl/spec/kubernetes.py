"""Engines of kind kubernetes: what the Spark operator would refuse, and what would be said twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.language import EngineFile
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node
from airflow_provider_etl.spec.problems import Problems
from spark_jobs.connections import misnamed

MAY: Final = ("bucket_connection", "service_account", "node_selector", "tolerations", "script", "spot_tolerations")
"""Options of this kind alone that may be left out."""
SHAPES: Final = {
    "namespace": (re.compile(r"[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?"), "a namespace of Kubernetes, such as etl"),
    "image": (re.compile(r"\S+"), "an image with Spark and Delta, such as registry.example.com/spark:4.1"),
    "service_account": (re.compile(r"[a-z0-9]([a-z0-9.\-]{0,251}[a-z0-9])?"), "a service account, such as etl"),
    "script": (re.compile(r"[a-z][a-z0-9+.\-]*://\S+"), "a URI, such as local:///opt/etl/serviced.py"),
}  # fmt: skip
# What the operator's webhook refuses among Spark's settings, or fills in itself; and who says it here.
_DECIDED: Final = {
    "spark.kubernetes.container.image": "image",
    "spark.kubernetes.driver.container.image": "image",
    "spark.kubernetes.executor.container.image": "image",
    "spark.kubernetes.namespace": "namespace",
    "spark.kubernetes.authenticate.driver.serviceAccountName": "service_account",
    "spark.kubernetes.authenticate.executor.serviceAccountName": "service_account",
    "spark.master": "",
    "spark.submit.deployMode": "",
    "spark.submit.pyFiles": "",
    "spark.kubernetes.driver.master": "",
    "spark.kubernetes.driver.pod.name": "",
}
_WHOLE: Final = ("spark.driver.cores", "spark.executor.cores", "spark.executor.instances")


def check(node: MapNode, engine: EngineFile, problems: Problems) -> None:
    """Refuse what no application could be made of.

    Args:
        node: the engine in the environment file.
        engine: as read.
        problems: takes what is wrong.
    """
    for key in ("connection", "bucket_connection"):
        value = getattr(engine, key)
        if value is not None and (why := misnamed(value)):
            problems.add(node.get(key) or node, "invalid-value", f"{shown(value)} is no connection: {why}", "name one")
    for place, *complaint in (*_settings(node, engine), *_tolerations(node, engine)):
        problems.add(place, *complaint)


def _settings(node: MapNode, engine: EngineFile) -> Iterator[tuple[Node, str, str, str]]:
    conf = node.get("conf")
    for key, entry in conf.entries.items() if isinstance(conf, MapNode) else ():
        if key in _DECIDED:
            option = _DECIDED[key]
            hint = f"say {option}: there" if option else "leave it out: the Spark operator decides it"
            yield entry.key, "conflicting-keys", f"{key} is not for conf", hint
        elif key in _WHOLE and not str(engine.conf[key]).isdecimal():
            yield entry.value, "invalid-value", f"{key} is {shown(str(engine.conf[key]))}", "a whole number"


def _tolerations(node: MapNode, engine: EngineFile) -> Iterator[tuple[Node, str, str, str]]:
    for name in ("tolerations", "spot_tolerations"):
        found = node.get(name)
        for place, said in zip(found.items if isinstance(found, ListNode) else (), getattr(engine, name), strict=False):
            if said.operator == "Exists" and said.value is not None:
                yield place, "conflicting-keys", "a toleration that asks whether a taint exists has no value", "Equal"
            if said.operator == "Equal" and said.key is None:
                yield place, "missing-key", "key 'key' is missing", "the taint's, or operator: Exists for all taints"
