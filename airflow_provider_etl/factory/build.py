"""A pipeline as a DAG."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.compat import AIRFLOW_VERSION, CAN_ASK, DAG, NO_START, WATCHED_BY_TASK, backoff, deadline
from airflow_provider_etl.factory.document import document
from airflow_provider_etl.factory.timetables import assets_of, params_of, schedule_of
from airflow_provider_etl.operators.alarms import Alarm, told_late
from airflow_provider_etl.operators.base import EtlOperator
from airflow_provider_etl.operators.check import CheckOperator
from airflow_provider_etl.operators.events import asset_of
from airflow_provider_etl.operators.extract import ExtractOperator
from airflow_provider_etl.operators.finish import FinishOperator
from airflow_provider_etl.operators.load import LoadOperator
from airflow_provider_etl.operators.transform import TransformOperator
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

_INSTANT: Final = timedelta(microseconds=1)
_FIRST: Final = 1_000_000  # the highest priority that a pipeline can have


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
        dagrun_timeout=pipeline.timeout.run,
        tags=sorted(pipeline.tags),
        owner_links=dict(pipeline.owner_links),
        default_args=_default_args(pipeline),
        **_deadline(pipeline),
    )
    arguments: dict[str, Any] = {"pipeline": source, "environment": environment, "dag": dag}
    outlets = [asset_of(pipeline.id, load) for load in pipeline.load]
    inlets = assets_of(pipeline)
    # What few pipelines have is imported where one has it: every start of a task pays for the imports.
    if pipeline.execution == "fused":
        from airflow_provider_etl.operators.pipeline import PipelineOperator

        first: EtlOperator = PipelineOperator(task_id="pipeline", inlets=inlets, outlets=outlets, **arguments)
    else:
        first = extract = ExtractOperator(task_id="extract", inlets=inlets, **_own(pipeline, "extract"), **arguments)
        transform = TransformOperator(
            task_id="transform", staged=extract.output, **_own(pipeline, "transform"), **arguments
        )
        check = CheckOperator(task_id="check", staged=transform.output, **_own(pipeline, "check"), **arguments)
        answered = _approved(check, dag) if pipeline.asks else check
        load = LoadOperator(
            task_id="load", staged=answered.output, outlets=outlets, **_own(pipeline, "load"), **arguments
        )
        # It has no say in whether the run has succeeded, and runs where something has failed too.
        finish = FinishOperator(task_id="finish", staged=load.output, depends_on_past=False, retries=0, **arguments)
        finish.as_teardown()
    for wait in pipeline.wait_for:
        from airflow_provider_etl.sensors.wait import WaitSensor

        # How long it may wait the item says, and the wait is nobody's work: the tasks' timeout isn't meant.
        WaitSensor(task_id=wait.task, wait=wait.name, inlets=inlets, execution_timeout=None, **arguments) >> first
    if pipeline.freshness is not None and WATCHED_BY_TASK:
        _watch(arguments)
    # Last: a run has the DAG's form whether its tasks carry copies of it or not, and with copies the DAG would be twice
    # as large and take three times as long to store.
    dag.params.update(params_of(pipeline))
    return dag


def _approved(check: CheckOperator, dag: DAG) -> Any:
    """A task that waits for a person where a check that asks has failed.

    Raises:
        ConfigError: this Airflow has no such tasks.
    """
    if not CAN_ASK:
        raise ConfigError(
            "on_fail: ask needs Airflow 3.1 or later",
            where="check",
            expected=f"an Airflow whose tasks can wait for a person; this is {'.'.join(map(str, AIRFLOW_VERSION))}",
            remedy="say on_fail: stop, and clear the check with another on_fail where somebody has looked",
        )
    from airflow_provider_etl.operators.approve import ApproveOperator

    return ApproveOperator(task_id="approve", staged=check.output, dag=dag)


def _deadline(pipeline: Pipeline) -> dict[str, Any]:
    """Whom to tell where the load isn't there in time."""
    if pipeline.freshness is None:
        return {}
    arguments = {"pipeline": pipeline.name, "freshness": str(pipeline.freshness), "notify": told_late(pipeline.notify)}
    late, awaited = (f"airflow_provider_etl.operators.alarms.{name}" for name in ("late", "late_awaited"))
    return deadline(pipeline.freshness, late, awaited, arguments)


def _watch(arguments: dict[str, Any]) -> None:
    """A task that tells where the load isn't there in time; for the Airflow that can't by itself.

    As a teardown it has no say in whether the run has succeeded. It takes nothing of the pipeline's pool and goes
    before every other task: it is short, and no use where it queues behind the work that it watches.
    """
    from airflow_provider_etl.sensors.freshness import FreshnessSensor

    FreshnessSensor(
        task_id="freshness",
        retries=0,
        depends_on_past=False,
        execution_timeout=None,
        pool="default_pool",
        pool_slots=1,
        priority_weight=_FIRST,
        weight_rule="absolute",
        **arguments,
    ).as_teardown()


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
    for event in ("failure", "retry"):
        if any(event in notifier.on for notifier in pipeline.notify):
            more[f"on_{event}_callback"] = Alarm(event, pipeline.name, pipeline.notify)
    return {
        **more,
        "owner": pipeline.owner,
        "retries": retries.attempts,
        "retry_delay": retries.delay,
        "retry_exponential_backoff": backoff(doubles=retries.backoff == "exponential"),
        "max_retry_delay": retries.max_delay,
        "execution_timeout": pipeline.timeout.task,
    }
