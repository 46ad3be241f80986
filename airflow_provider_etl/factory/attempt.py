"""A pipeline as DAGs, or why this Airflow takes none such: whatever it raises is that one file's error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_provider_etl.factory.build import build
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.compat import DAG
    from airflow_provider_etl.spec import Pipeline


def attempt(
    pipeline: Pipeline, name: str, *, source: str, environment: str | None = None, text: str = ""
) -> tuple[list[DAG], str]:
    """The DAG of a pipeline and those beside it, and nothing; or no DAG, and why in one line.

    Airflow validates each DAG of a file as it takes it up, and one that isn't valid takes the others with it: so it is
    asked here, while only this pipeline is at stake.

    Args:
        pipeline: a pipeline without errors.
        name: the file, as people know it.
        source: as `build` takes it.
        environment: as `build` takes it.
        text: as `build` takes it.
    """
    try:
        dags = [build(pipeline, source=source, environment=environment, text=text)]
        dags += _beside(pipeline, source=source, environment=environment)
        for dag in dags:
            dag.validate()
    except ConfigError as error:  # what this Airflow can't do, which no reader of the file can know
        return [], f"{name}:1:1: error[airflow-version]: {error}"
    except Exception as error:  # noqa: BLE001 - Airflow's own checks raise what they like
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return [], f"{name}:1:1: error[airflow-refuses]: Airflow takes no such DAG ({told})"
    return dags, ""


def _beside(pipeline: Pipeline, *, source: str, environment: str | None = None) -> list[DAG]:
    """The DAGs that a pipeline has beside its own: what is imported for them few files need."""
    kinds = [kind for _, kind in pipeline.load.values()]
    scheduled = any(getattr(getattr(kind, "maintenance", None), "schedule", None) for kind in kinds)
    if not scheduled and pipeline.quarantine.keep is None and pipeline.results_keep is None:
        return []
    from airflow_provider_etl.factory.upkeep import build as build_upkeep

    return build_upkeep(pipeline, source=source, environment=environment)
