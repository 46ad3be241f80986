"""Executors on machines of the spot market: where an engine can ask for them, how, and why not elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from airflow_provider_etl.spec.language import EngineFile, EnvironmentFile
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.problems import Problems

_BESIDE: Final = "Spark runs beside the task, and has no executors on other machines"
_WHY_NOT: Final = {
    "local": (_BESIDE, "leave it out"),
    "local_warm": (_BESIDE, "leave it out"),
    "local_connect": (_BESIDE, "leave it out"),
    "connect": ("the server has its executors already", "leave it out"),
    "emr_serverless": ("AWS chooses the machines of EMR Serverless, whatever market they are of", "leave it out"),
    "emr": ("a cluster's machines are bought when it is made", "say it of the cluster's instance fleets"),
    "dataproc": (
        "Google chooses the machines of a batch, and a cluster's are bought when it is made",
        "say it of the cluster's secondary workers",
    ),
}  # fmt: skip
_OF_THEIR_OWN: Final = ("databricks",)  # which choose the machines themselves
_LABELS: Final = "the labels of spot nodes, such as {eks.amazonaws.com/capacityType: SPOT}"
_LABEL: Final = "the node label of spot machines, such as spot_nodes: SPOT"
# A node that is taken away lets its executors hand over first what they hold.
LEAVING: Final = {
    "spark.decommission.enabled": "true",
    "spark.storage.decommission.enabled": "true",
    "spark.storage.decommission.shuffleBlocks.enabled": "true",
}


def settings(read: EngineFile) -> dict[str, str]:
    """Spark's settings by which executors are put on spot nodes; none where the engine doesn't ask for it."""
    if not read.spot or read.kind in _OF_THEIR_OWN:
        return {}
    if isinstance(read.spot_nodes, str):
        return {"spark.yarn.executor.nodeLabelExpression": read.spot_nodes}
    if read.kind != "spark_submit" or not read.spot_nodes:
        return dict(LEAVING)
    return LEAVING | {f"spark.kubernetes.executor.node.selector.{key}": text for key, text in read.spot_nodes.items()}


def check(node: MapNode, read: EnvironmentFile, problems: Problems) -> None:
    """Refuse spot where it would mean nothing.

    Args:
        node: the environment file.
        read: what it says.
        problems: takes what is wrong.
    """
    found = node.get("engines")
    for name, engine in read.engines.items():
        place = found.get(name) if isinstance(found, MapNode) else None
        for where, *complaint in _complaints(engine, place) if isinstance(place, MapNode) else ():
            problems.add(where, *complaint)


def _complaints(engine: EngineFile, node: MapNode) -> Iterator[tuple[Node, str, str, str]]:
    if not engine.spot or engine.kind in _OF_THEIR_OWN:
        for key in ("spot_nodes", "spot_tolerations"):
            if key in node.entries:
                yield (
                    node.entries[key].key,
                    "conflicting-keys",
                    f"{key!r} means nothing here",
                    "spot: true on Kubernetes or YARN",
                )
        return
    at = node.entries["spot"].key
    wanted = _wanted(engine)
    if engine.kind in _WHY_NOT or wanted is None:
        why, hint = _WHY_NOT.get(engine.kind) or _no_nodes(engine)
        yield at, "conflicting-keys", f"'spot' means nothing to an engine of kind {engine.kind}: {why}", hint
    elif engine.spot_nodes is None:
        yield node.holder, "missing-key", "key 'spot_nodes' is missing", wanted
    elif isinstance(engine.spot_nodes, str) != (wanted is _LABEL):
        yield node.get("spot_nodes") or node, "invalid-value", "spot_nodes is not what this cluster knows", wanted


def _wanted(engine: EngineFile) -> str | None:
    """What `spot_nodes` is to be; None where nodes have no marks, or nobody knows here what cluster it is."""
    if engine.kind == "kubernetes" or (engine.master or "").startswith("k8s"):
        return _LABELS
    return _LABEL if engine.master == "yarn" else None


def _no_nodes(engine: EngineFile) -> tuple[str, str]:
    if engine.master is None:
        return "its connection alone says what cluster it is", "say master: yarn or k8s://… here, or leave spot out"
    return "a standalone master tells no worker from another", "leave it out"
