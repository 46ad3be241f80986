"""Every difference between the Airflow versions that we run on, and nowhere else."""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import Any, Final, cast

from airflow import __version__ as _airflow_version
from airflow.exceptions import SerializationError
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseHook,
    BaseSensorOperator,
    Stats,
    conf,
)
from airflow.sdk import DAG, Asset, BaseOperator, Context, Param, get_parsing_context

try:
    from airflow.sdk import CronDataIntervalTimetable, DeltaDataIntervalTimetable
except ImportError:  # until Airflow 3.1
    from airflow.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable

try:
    from airflow.sdk import CronPartitionTimetable
except ImportError:  # until Airflow 3.1
    CronPartitionTimetable = None

try:
    from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback  # type: ignore[attr-defined]
except ImportError:  # until Airflow 3.1
    DeadlineAlert = None

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # until Airflow 3.1
    from airflow.exceptions import AirflowRescheduleException

AIRFLOW_VERSION: Final = tuple(int(part) for part in _airflow_version.split(".")[:2])

# Until 3.3 a file that fails to serialise is listed under the path that the DAG names (facts of the dag-processor, not
# a documented interface); 3.4 has importers for that.
ERRORS_PER_FILE: Final = (3, 0) <= AIRFLOW_VERSION <= (3, 3)


def deadline(interval: timedelta, callback: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a DAG is told, so that a callback is called where a run takes too long; nothing without deadlines.

    Args:
        interval: from the moment the run was queued: a backfill of the past isn't late before it begins.
        callback: dotted path of a function.
        arguments: its arguments, JSON.
    """
    if DeadlineAlert is None:
        return {}
    reference = DeadlineReference.DAGRUN_QUEUED_AT
    return {"deadline": DeadlineAlert(reference, interval, SyncCallback(callback, kwargs=arguments))}


def partition_start(context: Context) -> datetime | None:
    """The instant that a partitioned run is there for; None for other runs."""
    return getattr(context.get("dag_run"), "partition_date", None)


def connection_of(name: str) -> Any:
    """An Airflow connection.

    Raises:
        AirflowNotFoundException: there is none of that name.
    """
    return BaseHook.get_connection(name)


def generation(context: Context) -> int:
    """The generation of a task instance: constant over its retries, raised by every clear of a task that has run."""
    return int(context["ti"].max_tries)


def cleared(context: Context) -> bool:
    """Whether the task instance was cleared after it had run."""
    return generation(context) > int(context["ti"].task.retries or 0)


def first_try(context: Context) -> bool:
    """Whether the task instance has never run before: neither a retry nor cleared."""
    return int(context["ti"].try_number) <= 1


def asset_triggered(context: Context) -> bool:
    """Whether asset events started the run: its sources have changed, whatever the ledger says."""
    kind = getattr(context.get("dag_run"), "run_type", "")
    return getattr(kind, "value", kind) == "asset_triggered" or bool(context.get("triggering_asset_events"))


def triggering_extras(context: Context) -> list[tuple[str, dict[str, Any]]]:
    """(asset name, extra) of the asset events that a run is there for, oldest first; empty for other runs."""
    events = context.get("triggering_asset_events") or {}
    listed = [
        (event.timestamp, asset.name, dict(event.extra or {}))
        for asset in events
        for event in [*events[asset], *_overlooked(context, asset)]
    ]
    return [(name, extra) for _, name, extra in sorted(listed, key=lambda item: item[0])]


def _overlooked(context: Context, asset: Any) -> list[Any]:
    """Events that came after the one that asked for the run, and before the run was there.

    Airflow hands a run the events up to the first one that was queued, and forgets that others were queued since: it
    hands them out only when one more comes (3.3.2, `jobs/scheduler_job_runner.py`, `_create_dag_runs_asset_triggered`).
    A run at `max_active_runs` makes that a wait of hours. The asset must be among the task's inlets.
    """
    run = context["dag_run"]
    known = [inlet for inlet in context.get("inlets") or [] if getattr(inlet, "name", None) == asset.name]
    if not known or cleared(context):
        return []
    since = context["inlet_events"][known[0]].after(run.run_after.isoformat())
    return [event for event in since if run.run_after < event.timestamp <= run.start_date]


def default_wait_mode() -> str:
    """Where a wait that doesn't say so itself waits: `[etl] wait_mode`, else in the triggerer.

    `[operators] default_deferrable: false` means something only where the deployment has set it by variable: Airflow 3
    writes its defaults, this one too, into every airflow.cfg that it makes (3.3.2, `airflow db migrate`).
    """
    said = str(conf.get("etl", "wait_mode", fallback="") or "").strip()
    refused = os.environ.get("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "").strip().lower() in ("false", "f", "0")
    return said or ("reschedule" if refused else "deferrable")


def first_asked(context: Context) -> datetime | None:
    """When a task that was rescheduled began the first time since it was cleared; None where it never was."""
    ti = context["ti"]
    if AIRFLOW_VERSION >= (3, 0):
        return cast("datetime | None", ti.get_first_reschedule_date(context))
    from airflow.sensors.base import _orig_start_date  # tasks had the metadata database

    first = int(ti.max_tries) - int(ti.task.retries or 0) + 1
    return cast("datetime | None", _orig_start_date(ti.dag_id, ti.task_id, ti.run_id, ti.map_index, first))


def object_store(uri: str, connection: str | None) -> Any:
    """The fsspec file system of a URI.

    Args:
        uri: with its scheme.
        connection: Airflow connection id, or None.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    return ObjectStoragePath(uri, conn_id=connection).fs


def successful_runs(dag_id: str, logical_dates: list[datetime]) -> int:
    """How many of a DAG's runs with these logical dates have succeeded; asked where tasks and triggers run.

    Args:
        dag_id: the DAG.
        logical_dates: starts of the runs' data intervals.
    """
    if AIRFLOW_VERSION < (3, 0):  # tasks had the metadata database
        from airflow.models import DagRun

        return len(DagRun.find(dag_id=dag_id, execution_date=logical_dates, state="success"))
    from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

    return int(RuntimeTaskInstance.get_dr_count(dag_id=dag_id, logical_dates=logical_dates, states=["success"]))


__all__ = [
    "AIRFLOW_VERSION",
    "DAG",
    "ERRORS_PER_FILE",
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowRescheduleException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "Asset",
    "BaseHook",
    "BaseOperator",
    "BaseSensorOperator",
    "Context",
    "CronDataIntervalTimetable",
    "CronPartitionTimetable",
    "DeltaDataIntervalTimetable",
    "Param",
    "SerializationError",
    "Stats",
    "asset_triggered",
    "cleared",
    "connection_of",
    "deadline",
    "default_wait_mode",
    "first_asked",
    "first_try",
    "generation",
    "get_parsing_context",
    "object_store",
    "partition_start",
    "successful_runs",
    "triggering_extras",
]
