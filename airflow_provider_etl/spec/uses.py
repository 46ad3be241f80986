"""What a pipeline uses beside Spark itself, part by part, with the place that asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.spec import connect
from airflow_provider_etl.spec.compatibility import Misfit, Part, Resolved, known, lines, resolve
from spark_jobs import kinds
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec.nodes import MapNode, Node
    from airflow_provider_etl.spec.pipeline import Pipeline
    from airflow_provider_etl.spec.problems import Problems
    from airflow_provider_etl.spec.verbs import Verbs

# Which database a connection leads to, only Airflow knows: both drivers are small.
_ANY: Final = "jdbc"


def of_pipeline(pipeline: Pipeline) -> dict[str, str]:
    """Part -> the first place that asks for it; `engine` for what every run needs, or a path of the environment."""
    kinds_at = list(_kinds(pipeline))
    around = (
        pipeline.environment.staging,
        pipeline.environment.quarantine,
        pipeline.data_docs.path if pipeline.data_docs else "",
    )
    found: dict[str, str] = {}
    for name, part in known().items():
        for where, kind in kinds_at:
            if _asks(part, kind, pipeline):
                found.setdefault(name, where)
        if part.always or any(_is_on(part, path) for path in around):
            found.setdefault(name, "engine")
    return found


def packages_of(pipeline: Pipeline) -> tuple[str, ...]:
    """The Maven coordinates of all that a pipeline uses, on its engine's Spark.

    Raises:
        ConfigError: they can't be together there.
    """
    resolved = resolved_of(pipeline)
    for misfit in resolved.misfits:
        raise ConfigError(misfit.message, where=f"{pipeline.name}: engine {pipeline.engine.name}", remedy=misfit.hint)
    return resolved.packages


def resolved_of(pipeline: Pipeline) -> Resolved:
    """What a pipeline needs on its engine's Spark; of a line that is not known, a service has builds of its own."""
    resolved = resolve(of_pipeline(pipeline), pipeline.engine.spark)
    builds = pipeline.engine.service and resolved.line not in lines()
    return replace(resolved, misfits=()) if builds else resolved


def check(pipeline: Pipeline, node: MapNode, verbs: Verbs, problems: Problems) -> None:
    """Tell of what the engine's Spark hasn't got, and of what can't be asked of it from afar.

    Args:
        pipeline: what was read.
        node: its keys.
        verbs: its verbs, with their places.
        problems: where problems go.
    """
    places, misfits = of_pipeline(pipeline), resolved_of(pipeline).misfits
    for misfit in misfits:
        there = _node(places[misfit.part], node, verbs)
        problems.add(there, "no-such-jars", _on_engine(misfit, pipeline), misfit.hint)
    connect.check(pipeline, node, verbs, problems)


def _on_engine(misfit: Misfit, pipeline: Pipeline) -> str:
    return f"{misfit.message} (engine {pipeline.engine.name})"


def _node(where: str, node: MapNode, verbs: Verbs) -> Node:
    group, _, name = where.partition(".")
    placed = {"extract": verbs.extract, "load": verbs.load}.get(group, {}).get(name)
    return placed.node if placed is not None else node.get("engine") or node.holder


def _asks(part: Part, kind: Any, pipeline: Pipeline) -> bool:
    if kind.type in part.types or getattr(kind, "format", None) in part.formats:
        return True
    if part.databases and kind.type == _ANY:
        return (getattr(kind, "database", None) or part.databases[0]) in part.databases
    catalog = pipeline.environment.catalogs.get(str(getattr(kind, "catalog", None)))
    if part.databases and catalog and catalog.type == _ANY:
        return True
    told = [kinds.dump(kind), catalog.warehouse if catalog else ""]
    return any(_is_on(part, text) for text in _texts(told))


def _is_on(part: Part, path: str) -> bool:
    return "://" in path and path.partition("://")[0] in part.schemes


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)


def _kinds(pipeline: Pipeline) -> Iterator[tuple[str, Any]]:
    yield from ((f"extract.{name}", kind) for name, kind in pipeline.extract.items())
    yield from ((f"load.{name}", kind) for name, (_, kind) in pipeline.load.items())
