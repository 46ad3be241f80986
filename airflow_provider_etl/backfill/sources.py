"""The pipelines that the runs of a DAG load."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.spec import load_file
from spark_jobs.errors import ConfigError, EtlError

if TYPE_CHECKING:
    from airflow_provider_etl.backfill.backend import Backend
    from airflow_provider_etl.backfill.facts import Dag
    from airflow_provider_etl.spec import Pipeline

_ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True)
class Sources:
    """What a DAG loads.

    Args:
        pipelines: each once.
        jobs: Spark jobs of one run; None where that isn't known.
        problem: why nothing is known of what the DAG loads; empty where it is.
    """

    pipelines: tuple[Pipeline, ...] = ()
    jobs: int | None = None
    problem: str = field(default="")


def is_file(name: str) -> bool:
    """Whether a DAG is named by its pipeline file."""
    return name.endswith(_ENDINGS)


def of_file(path: str, environment: str | None) -> Sources:
    """The pipeline of a file.

    Raises:
        ConfigError: there is no such file, or it has errors: all of them are in the message.
    """
    from airflow_provider_etl.operators.source import checked

    if not Path(path).is_file():
        raise ConfigError(f"there is no file {path}", expected="a pipeline file, or the id of a DAG")
    pipeline = checked(load_file(path, environment=environment), path)
    return Sources(pipelines=(pipeline,), jobs=1 if pipeline.execution == "fused" else 4)


def of_dag(backend: Backend, dag: Dag, environment: str | None) -> Sources:
    """The pipelines of a DAG's operators, read from its file on this machine.

    Args:
        backend: the Airflow that knows the DAG.
        dag: the DAG.
        environment: name or path that is used in place of the one the DAG says.
    """
    try:
        if is_file(dag.path):
            return of_file(dag.path, environment)
        return _of_operators(backend.source(dag), environment)
    except EtlError as error:
        return Sources(problem=str(error))


def _of_operators(dag: Any, environment: str | None) -> Sources:
    from airflow_provider_etl.operators.base import EtlOperator

    tasks = [task for task in dag.tasks if isinstance(task, EtlOperator)]
    if not tasks:
        return Sources(problem=f"{dag.dag_id} has no task of airflow-provider-etl")
    found: dict[str, Pipeline] = {}
    for task in tasks:
        pipeline = task.read(environment)
        found[pipeline.name] = pipeline
    return Sources(pipelines=tuple(found.values()), jobs=len(tasks))
