"""What a pipeline on an engine of Spark Connect can't have, told before anything runs; and the engine's own options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.language import EngineFile, EnvironmentFile
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.reading import FAILED
from spark_jobs.connect.client import refuse_bad_url
from spark_jobs.connect.limits import REMEDY, STAYS, refused
from spark_jobs.errors import ConfigError
from spark_jobs.sweeping import LocalStorage

if TYPE_CHECKING:
    from airflow_provider_etl.spec.pipeline import Pipeline
    from airflow_provider_etl.spec.problems import Problems
    from airflow_provider_etl.spec.verbs import Verbs

KINDS: Final = ("connect", "local_connect")
_CODE: Final = "not-over-connect"


def check(pipeline: Pipeline, node: MapNode, verbs: Verbs, problems: Problems) -> None:
    """Tell of kinds and options that don't run on the pipeline's engine.

    Args:
        pipeline: what was read.
        node: its keys.
        verbs: its verbs, with their places.
        problems: where problems go.
    """
    if pipeline.engine.kind not in KINDS:
        return
    engine = f"engine {pipeline.engine.name} is Spark Connect"
    if pipeline.execution != "fused" and not _removes(pipeline):
        at = node.get("execution") or node.get("engine") or node.holder
        problems.add(at, _CODE, f"{engine}: a task per verb {STAYS}", "execution: fused")
    for key in ("lookback", "data_docs"):
        if key in node.entries:
            problems.add(node.entries[key].key, _CODE, f"{engine}: {key} doesn't run there", REMEDY)
    for placed in verbs.placed():
        if placed.kind is FAILED or placed.group not in {"extract", "transform", "check", "load"}:
            continue
        for option, why in refused(placed.group, placed.name, placed.kind):
            place: Node | None = option_node(type(placed.kind), placed.node, option) if option else None
            problems.add(place or placed.node, _CODE, f"{engine}: {placed.name}: {why}", REMEDY)


def _removes(pipeline: Pipeline) -> bool:
    """Whether clients and server see staged files in one folder of their machine."""
    return pipeline.engine.kind == "local_connect" and LocalStorage.at(pipeline.environment.staging) is not None


def check_engines(node: MapNode, read: EnvironmentFile, problems: Problems) -> None:
    """Tell of options of engines that mean nothing, or that are missing.

    Args:
        node: the environment file.
        read: what it says.
        problems: where problems go.
    """
    found = node.get("engines")
    for name, engine in read.engines.items():
        place = found.get(name) if isinstance(found, MapNode) else None
        for where, *complaint in _complaints(engine, place) if isinstance(place, MapNode) else ():
            problems.add(where, *complaint)


def _complaints(engine: EngineFile, node: MapNode) -> Iterator[tuple[Node, str, str, str]]:
    if engine.kind != "connect":
        for key in ("url", "token_file"):
            if key in node.entries:
                message = f"{key!r} means nothing to an engine of kind {engine.kind}"
                yield node.entries[key].key, "conflicting-keys", message, "kind: connect"
        return
    if engine.url is None:
        yield node.holder, "missing-key", "key 'url' is missing", "such as url: sc://spark.example.com:15002"
        return
    try:
        refuse_bad_url(engine.url, "")
    except ConfigError as error:
        yield node.get("url") or node, "invalid-value", str(error), "such as sc://spark.example.com:15002"
