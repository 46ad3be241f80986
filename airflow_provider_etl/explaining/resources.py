"""What each application of a pipeline gets, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from airflow_provider_etl.spec import Engine, Pipeline
from airflow_provider_etl.spec.engines import LOCAL
from airflow_provider_etl.spec.language import Size, StepResources
from airflow_provider_etl.spec.sizes import engine_for, size_of
from spark_jobs.advice import text_of
from spark_jobs.plan import VERBS

_EXECUTORS: Final = {
    "spark.executor.instances": "executors",
    "spark.dynamicAllocation.maxExecutors": "executors at most",
    "spark.executor.cores": "cores each",
    "spark.executor.memory": "memory each",
}


def told(pipeline: Pipeline) -> Iterator[str]:
    """A line for the run, or for each verb of a staged one where they differ."""
    asked = pipeline.resources
    groups = [(verb,) for verb in VERBS] if asked and pipeline.execution == "staged" else [VERBS]
    said = {"run" if len(verbs) > 1 else verbs[0]: _line(pipeline, verbs) for verbs in groups}
    if len(set(said.values())) == 1:
        yield f"  each application gets {next(iter(said.values()))}"
    else:
        yield from (f"  {name} gets {line}" for name, line in said.items())


def _line(pipeline: Pipeline, verbs: tuple[str, ...]) -> str:
    needs = pipeline.resources.of(verbs) if pipeline.resources else StepResources()
    size, why = _size(pipeline, needs, verbs)
    engine = engine_for(pipeline.engine, replace(needs, size=size), ())
    return f"{_machine(engine)}{why}"


def _size(pipeline: Pipeline, needs: StepResources, verbs: tuple[str, ...]) -> tuple[Size | None, str]:
    if needs.size != "auto":
        return needs.size, f" (size {needs.size})" if needs.size else ""
    last = pipeline.moved(verbs)
    if last is None:
        return "small", " (size auto: as the files of each window say, else small: no window is known)"
    return size_of(last), f" (size auto: as the files of each window say, else as the last windows: {text_of(last)})"


def _machine(engine: Engine) -> str:
    """Its driver; and its executors, where it has some beside it."""
    shuffle = engine.conf.get("spark.sql.shuffle.partitions")
    parts = [f"a driver with {engine.memory}"]
    parts += [f"{engine.cores} cores"] if _alone(engine) else []
    if not _alone(engine):
        parts += [f"{word} {engine.conf[key]}" for key, word in _EXECUTORS.items() if key in engine.conf]
    parts += ["settings for small windows"] if engine.small else [f"{shuffle} shuffle partitions"] if shuffle else []
    return ", ".join(parts)


def _alone(engine: Engine) -> bool:
    """Whether the driver does all: a local engine, unless its `conf` names a cluster."""
    return engine.kind in LOCAL and engine.conf.get("spark.master", "local").startswith("local")
