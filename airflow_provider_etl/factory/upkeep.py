"""The DAG that keeps a pipeline's tables up, where a `maintenance` block says when, and what lies beside them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.compat import DAG, NO_START, CronDataIntervalTimetable
from airflow_provider_etl.spec.schedule import PRESETS

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

ENDING: Final = ".maintenance"
_LONGEST: Final = timedelta(days=1)
_BESIDE: Final = "@daily"  # rows set aside and results of checks are kept for days, and no longer


def schedules(pipeline: Pipeline) -> dict[str, list[str]]:
    """When, and the loads whose tables are kept up then; none where it is for what is kept beside them."""
    found: dict[str, list[str]] = {}
    for name, (_, kind) in pipeline.load.items():
        when = getattr(getattr(kind, "maintenance", None), "schedule", None)
        if when is not None:
            found.setdefault(when, []).append(name)
    return found or ({_BESIDE: []} if pipeline.quarantine.keep or pipeline.results_keep else {})


def build(pipeline: Pipeline, *, source: str, environment: str | None = None) -> list[DAG]:
    """The DAGs that keep a pipeline's tables up: `<pipeline>.maintenance`, numbered from the second schedule on.

    Args:
        pipeline: a pipeline without errors.
        source: how its operators name the file: relative to the DAG's file.
        environment: what they are told; None leaves it to `[etl] environment`.
    """
    return [
        _dag(pipeline, f"{pipeline.name}{ENDING}{f'_{place}' if place else ''}", when, loads, source, environment)
        for place, (when, loads) in enumerate(schedules(pipeline).items())
    ]


def _dag(  # noqa: PLR0913, PLR0917 - what a DAG is made of
    pipeline: Pipeline, name: str, when: str, loads: list[str], source: str, environment: str | None
) -> DAG:
    from airflow_provider_etl.operators.maintain import MaintainOperator

    dag = DAG(
        name,
        description=f"Upkeep of the tables of {pipeline.name}",
        schedule=CronDataIntervalTimetable(PRESETS.get(when, when), timezone=pipeline.timezone),
        start_date=pipeline.start or NO_START,
        catchup=False,
        max_active_runs=1,
        tags=sorted({*pipeline.tags, "maintenance"}),
        default_args={"owner": pipeline.owner, "retries": 1, "execution_timeout": _LONGEST},
    )
    MaintainOperator(
        task_id="maintain",
        pipeline=source,
        environment=environment,
        pipeline_name=pipeline.name,
        loads=loads,
        tables=bool(loads),
        dag=dag,
    )
    return dag
