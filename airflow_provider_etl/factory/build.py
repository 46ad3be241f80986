"""A pipeline as a DAG."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.compat import DAG
from airflow_provider_etl.factory.timetables import assets_of, params_of, schedule_of
from airflow_provider_etl.operators.check import CheckOperator
from airflow_provider_etl.operators.events import asset_of
from airflow_provider_etl.operators.extract import ExtractOperator
from airflow_provider_etl.operators.load import LoadOperator
from airflow_provider_etl.operators.pipeline import PipelineOperator
from airflow_provider_etl.operators.transform import TransformOperator

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

_INSTANT: Final = timedelta(microseconds=1)


def build(pipeline: Pipeline, *, source: str, environment: str | None = None) -> DAG:
    """The DAG of a pipeline: a task per verb, or one task where its execution is fused.

    Args:
        pipeline: a pipeline without errors.
        source: how its operators name the file: relative to the DAG's file.
        environment: what its operators are told; None leaves it to `[etl] environment`.
    """
    dag = DAG(
        pipeline.name,
        description=pipeline.description.strip().partition("\n")[0] or None,
        doc_md=pipeline.doc or None,
        schedule=schedule_of(pipeline),
        start_date=pipeline.start,
        # Airflow's end is the start of the last interval, ours the end of the last window.
        end_date=pipeline.end - _INSTANT if pipeline.end else None,
        catchup=pipeline.catchup,
        max_active_runs=pipeline.max_active_windows,
        dagrun_timeout=pipeline.timeout.run,
        tags=sorted(pipeline.tags),
        owner_links=dict(pipeline.owner_links),
        params=params_of(pipeline),
        default_args=_default_args(pipeline),
    )
    arguments: dict[str, Any] = {"pipeline": source, "environment": environment, "dag": dag}
    outlets = [asset_of(pipeline.name, load) for load in pipeline.load]
    inlets = assets_of(pipeline)
    if pipeline.execution == "fused":
        PipelineOperator(task_id="pipeline", inlets=inlets, outlets=outlets, **arguments)
    else:
        extract = ExtractOperator(task_id="extract", inlets=inlets, **_own(pipeline, "extract"), **arguments)
        transform = TransformOperator(
            task_id="transform", staged=extract.output, **_own(pipeline, "transform"), **arguments
        )
        check = CheckOperator(task_id="check", staged=transform.output, **_own(pipeline, "check"), **arguments)
        LoadOperator(task_id="load", staged=check.output, outlets=outlets, **_own(pipeline, "load"), **arguments)
    return dag


def _own(pipeline: Pipeline, verb: str) -> dict[str, Any]:
    """What a verb's task has for itself."""
    time = getattr(pipeline.timeout, verb)
    return {"execution_timeout": time} if time is not None else {}


def _default_args(pipeline: Pipeline) -> dict[str, Any]:
    retries, pool = pipeline.retries, pipeline.pool
    more: dict[str, Any] = {"pool": pool.name, "pool_slots": pool.slots} if pool else {}
    if pipeline.priority is not None:
        more |= {"priority_weight": pipeline.priority, "weight_rule": "absolute"}
    if pipeline.depends_on_previous:
        more["depends_on_past"] = True
    return {
        **more,
        "owner": pipeline.owner,
        "retries": retries.attempts,
        "retry_delay": retries.delay,
        "retry_exponential_backoff": 2 if retries.backoff == "exponential" else 0,
        "max_retry_delay": retries.max_delay,
        "execution_timeout": pipeline.timeout.task,
    }
