"""A pipeline as a DAG."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.compat import DAG, NO_START, backoff
from airflow_provider_etl.factory.document import document
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


def build(pipeline: Pipeline, *, source: str, environment: str | None = None, text: str = "") -> DAG:
    """The DAG of a pipeline: a task per verb, or one task where its execution is fused.

    Args:
        pipeline: a pipeline without errors.
        source: how its operators name the file: relative to the DAG's file.
        environment: what its operators are told; None leaves it to `[etl] environment`.
        text: the pipeline file, for the DAG's documentation; empty where the Code tab shows it.
    """
    dag = DAG(
        pipeline.name,
        description=pipeline.description.strip().partition("\n")[0] or None,
        doc_md=document(pipeline, source=source, text=text) or None,
        schedule=schedule_of(pipeline),
        start_date=pipeline.start or NO_START,
        # Airflow's end is the start of the last interval, ours the end of the last window.
        end_date=pipeline.end - _INSTANT if pipeline.end else None,
        catchup=pipeline.catchup,
        max_active_runs=pipeline.max_active_windows,
        tags=sorted(pipeline.tags),
        default_args=_default_args(pipeline),
    )
    arguments: dict[str, Any] = {"pipeline": source, "environment": environment, "dag": dag}
    outlets = [asset_of(pipeline.name, load) for load in pipeline.load]
    inlets = assets_of(pipeline)
    if pipeline.execution == "fused":
        PipelineOperator(task_id="pipeline", inlets=inlets, outlets=outlets, **arguments)
    else:
        extract = ExtractOperator(task_id="extract", inlets=inlets, **arguments)
        transform = TransformOperator(task_id="transform", staged=extract.output, **arguments)
        check = CheckOperator(task_id="check", staged=transform.output, **arguments)
        LoadOperator(task_id="load", staged=check.output, outlets=outlets, **arguments)
    # Last: a run has the DAG's form whether its tasks carry copies of it or not, and with copies the DAG would be twice
    # as large and take three times as long to store.
    dag.params.update(params_of(pipeline))
    return dag


def _default_args(pipeline: Pipeline) -> dict[str, Any]:
    retries = pipeline.retries
    return {
        "owner": pipeline.owner,
        "retries": retries.attempts,
        "retry_delay": retries.delay,
        "retry_exponential_backoff": backoff(doubles=retries.backoff == "exponential"),
        "max_retry_delay": retries.max_delay,
        "execution_timeout": pipeline.timeout,
    }
