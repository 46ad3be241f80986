"""The Airflow connections that pipelines and environments name: what must be there before a window runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.connections import kinds_of, named

if TYPE_CHECKING:
    from airflow_provider_etl.spec.environment import Environment
    from airflow_provider_etl.spec.pipeline import Pipeline

_OPTIONAL: Final = "aws_default"
"""Without it, Airflow's hooks ask AWS's own chain."""


def of_pipeline(pipeline: Pipeline) -> dict[str, str]:
    """The connections of sources, steps, loads, waits and messages: id -> the first place that names it."""
    kinds = {where: kind for verb in kinds_of(pipeline).values() for where, kind in verb.items()}
    return named(kinds) | dict(_beside(pipeline))


def of_environment(environment: Environment) -> dict[str, str]:
    """The connections of stores and catalogs: id -> the first place that names it."""
    declared: list[tuple[str, Any]] = [
        *((f"stores.{name}.connection", store.connection) for name, store in environment.stores.items()),
        *((f"catalogs.{name}.connection", catalog.connection) for name, catalog in environment.catalogs.items()),
    ]
    found: dict[str, str] = {}
    for where, name in declared:
        if name:
            found.setdefault(name, where)
    return found


def _beside(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    """(id, place) of what Airflow's side asks and tells."""
    conditions = [(f"wait_for.{wait.name}", wait.condition) for wait in pipeline.wait_for]
    messages = [(f"notify[{place}]", notifier) for place, notifier in enumerate(pipeline.notify)]
    for where, item in [*conditions, *messages]:
        name = getattr(item, "connection", None)
        if name and name != _OPTIONAL:
            yield name, f"{where}.connection"
