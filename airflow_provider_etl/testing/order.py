"""What Spark is asked to do for tests: every path that is written, and every sample, lies in a scratch folder."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import uuid4

from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.engines import LOCAL
from airflow_provider_etl.spec.language import Aside
from airflow_provider_etl.spec.rules import path_fields
from airflow_provider_etl.spec.uses import packages_of
from airflow_provider_etl.testing.reader import Case, Given
from airflow_provider_etl.testing.samples import Prepared, stand_in
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from spark_jobs.rehearsal.order import REHEARSAL_VERSION, SCRATCH
from spark_jobs.window import Window

# Settings that would take a test to a cluster.
_CLUSTER: Final = (
    "spark.master",
    "spark.driver.host",
    "spark.driver.bindAddress",
    "spark.executor.",
    "spark.cores.max",
)


def order(scenes: list[dict[str, Any]], pipelines: list[Pipeline], *, small: bool) -> dict[str, Any]:
    """The order of one Spark.

    Args:
        scenes: as the functions below make them; each gets a folder of its own.
        pipelines: theirs; the engine of the first one counts.
        small: whether there are a few sample rows alone.
    """
    placed = [_placed(scene, f"{SCRATCH}/{place}") for place, scene in enumerate(scenes)]
    spark = settings(pipelines[0], small=small)
    if "packages" in spark:  # one Spark for all of them
        spark |= {"packages": list(dict.fromkeys(jar for item in pipelines for jar in packages_of(item)))}
    return {"rehearsal_version": REHEARSAL_VERSION, "spark": spark, "scenes": placed}


def settings(pipeline: Pipeline, *, small: bool) -> dict[str, Any]:
    """A local Spark with the engine's own settings, those of a cluster left out.

    Raises:
        ConfigError: the engine has no local Spark.
    """
    engine = pipeline.engine
    if engine.kind not in LOCAL:
        raise ConfigError(f"engine {engine.name!r} is of kind {engine.kind}", where="test", expected="a local engine")
    conf = {key: value for key, value in engine.conf.items() if not key.startswith(_CLUSTER)}
    return engine.settings() | pipeline.fetched_jars() | {"conf": conf} | ({"small": True} if small else {})


def scene_of(case: Case) -> dict[str, Any]:
    """The scene of a case: its windows over empty tables, its samples where the sources read."""
    pipeline, runs, number = case.pipeline, [], 0
    for place, given in enumerate(case.runs):
        number = attempt_number(pipeline.fingerprint, number or None)
        runs.append(_run(pipeline, given, number, place))
    return {"runs": runs, "datasets": list(case.datasets), "tables": list(case.tables)}


def scene_of_window(pipeline: Pipeline, window: Window, last: int | None) -> dict[str, Any]:
    """The scene of a real window: it runs twice, over copies of the destinations.

    Args:
        pipeline: its sources are read where they are.
        window: what is run.
        last: the attempt's number that the ledgers hold, None where there is none.
    """
    first = attempt_number(pipeline.fingerprint, last)
    numbers = (first, attempt_number(pipeline.fingerprint, first))
    plans = [_scratch(pipeline, _plan(pipeline, window, number)) for number in numbers]
    real = _plan(pipeline, window, first)
    copies = [
        {"from": kind.path, "to": scratch.path}
        for (_, kind), (_, scratch) in zip(real.load.values(), plans[0].load.values(), strict=True)
        if stand_in(kind) is kind
    ]
    moved = {copy["from"]: copy["to"] for copy in copies}
    plans = [_with_sources(plan, lambda _, path: moved.get(path, path)) for plan in plans]
    return {"runs": [{"samples": [], "plan": plan.to_json()} for plan in plans], "copies": copies, "compare": True}


# -- inside -------------------------------------------------------------------------------------------------------


def _placed(scene: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """A scene whose scratch paths lie in a folder of its own."""

    def moved(value: Any) -> Any:
        if isinstance(value, str):
            return folder + value.removeprefix(SCRATCH) if value.startswith(SCRATCH) else value
        if isinstance(value, Mapping):
            return {key: moved(item) for key, item in value.items()}
        return [moved(item) for item in value] if isinstance(value, list) else value

    return {**moved(scene), "folder": folder}


def _plan(pipeline: Pipeline, window: Window, number: int) -> Plan:
    token = uuid4().hex
    # A test leaves nothing behind: no pages either. Of a few sample rows most may be bad.
    silent = replace(pipeline, data_docs=None, quarantine=Aside())
    return silent.plan(window, Attempt(number=number, token=token, run=f"test-{token[:12]}"))


def _run(pipeline: Pipeline, given: Given, number: int, place: int) -> dict[str, Any]:
    plan = _scratch(pipeline, _plan(pipeline, given.window, number))
    places = {name: _place(name, sample, place) for name, sample in given.samples.items()}
    plan = replace(plan, extract={name: stand_in(source) for name, source in plan.extract.items()})
    plan = _with_sources(plan, lambda name, _: places[name])
    samples = [_sample(sample, places[name], pipeline) for name, sample in given.samples.items() if not sample.file]
    return {"samples": samples, "plan": plan.to_json()}


def _place(name: str, sample: Prepared, place: int) -> str:
    return sample.file or f"{SCRATCH}/samples/{place}/{name}.{sample.format}"


def _sample(sample: Prepared, path: str, pipeline: Pipeline) -> dict[str, Any]:
    if sample.text is not None:
        return {"path": path, "text": sample.text}
    typed = {"columns": dict(sample.columns), "rows": list(sample.rows), "zone": pipeline.timezone}
    return {"path": path, "format": sample.format, **typed}


def _scratch(pipeline: Pipeline, plan: Plan) -> Plan:
    """A plan that writes in the scratch folder alone."""
    load = {name: (dataset, _written(kind, f"{SCRATCH}/tables/{name}")) for name, (dataset, kind) in plan.load.items()}
    spark = settings(pipeline, small=pipeline.engine.small)
    return replace(plan, load=load, staging=f"{SCRATCH}/staging", quarantine=f"{SCRATCH}/quarantine", spark=spark)


def _written(kind: Any, path: str) -> Any:
    """A destination in the scratch folder, or what stands for it there."""
    return _redirected(stand_in(kind), path)


def _with_sources(plan: Plan, place: Callable[[str, str], str]) -> Plan:
    """A plan whose sources read elsewhere.

    Args:
        plan: the plan.
        place: (source, its path) -> the new path.
    """
    extract = {
        name: _redirected(source, *(place(name, path) for path in _paths(source)))
        for name, source in plan.extract.items()
    }
    return replace(plan, extract=extract)


def _paths(kind: Any) -> Iterator[str]:
    for _, field in path_fields(kind):
        yield getattr(kind, field.name)


def _redirected(kind: Any, *paths: str) -> Any:
    names = [field.name for _, field in path_fields(kind)]
    return dataclasses.replace(kind, **dict(zip(names, paths, strict=True)))


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A scene and what it is about.

    Args:
        path: the pipeline file as the caller named it.
        pipeline: the pipeline.
        case: the case; None where a real window is run twice.
        window: that window.
        scene: for `order`.
    """

    path: str
    pipeline: Pipeline
    case: Case | None
    window: Window
    scene: Mapping[str, Any]
