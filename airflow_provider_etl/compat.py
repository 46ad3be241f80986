"""Every difference between the Airflow versions that we run on, and nowhere else: 2.11, 3.1 and later."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Final, cast

from airflow import __version__ as _airflow_version
from airflow.configuration import conf
from airflow.exceptions import SerializationError
from airflow.providers.common.compat.sdk import (
    AirflowException,
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseHook,
    BaseOperatorLink,
    BaseSensorOperator,
    Stats,
    TaskDeferred,
    XCom,
)

try:
    from airflow.sdk import CronPartitionTimetable
except ImportError:  # until Airflow 3.1
    CronPartitionTimetable = None

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # until Airflow 3.1
    from airflow.exceptions import AirflowRescheduleException

AIRFLOW_VERSION: Final = tuple(int(part) for part in _airflow_version.split(".")[:2])
AIRFLOW_3: Final = AIRFLOW_VERSION >= (3, 0)
_CONTEXT: Final = "_AIRFLOW_PROCESS_CONTEXT"

if AIRFLOW_3:
    from airflow.sdk import DAG, Asset, BaseOperator, Context, Param, Variable, get_parsing_context
else:
    from airflow.datasets import Dataset
    from airflow.models.baseoperator import BaseOperator
    from airflow.models.dag import DAG
    from airflow.models.param import Param
    from airflow.models.variable import Variable
    from airflow.utils.context import Context
    from airflow.utils.dag_parsing_context import get_parsing_context

    def Asset(*, name: str) -> Any:  # noqa: N802
        """What 3.x calls an asset: 2.11 knows it by its URI alone, so the name is the URI."""
        return Dataset(name)  # noqa: AIR311


if AIRFLOW_VERSION >= (3, 2):
    from airflow.sdk import CronDataIntervalTimetable, DeltaDataIntervalTimetable
else:
    from airflow.timetables.interval import CronDataIntervalTimetable, DeltaDataIntervalTimetable

if AIRFLOW_VERSION >= (3, 2):
    from airflow.sdk import DeadlineAlert, DeadlineReference, SyncCallback  # type: ignore[attr-defined]
elif AIRFLOW_3:
    from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineAlert, DeadlineReference

# How the dag-processor finds the file that an error belongs to is no documented interface: known of these versions.
# 2.11 asks a DAG that doesn't validate for its `fileloc`, later ones a DAG that doesn't serialise: 3.1 for its
# `fileloc`, 3.2 to 3.4 for its `relative_fileloc`.
ERRORS_PER_FILE: Final = AIRFLOW_VERSION <= (3, 4)
ERRORS_AT_VALIDATION: Final = not AIRFLOW_3

# 2.11 has no deadlines: there a task of the run watches that it isn't late (`sensors/freshness.py`).
WATCHED_BY_TASK: Final = not AIRFLOW_3

# Tasks that wait for a person's answer came with 3.1.
CAN_ASK: Final = AIRFLOW_VERSION >= (3, 1)

# Where a DAG that nobody schedules begins: 2.11 takes none without a start.
NO_START: Final = None if AIRFLOW_3 else datetime(1970, 1, 1, tzinfo=UTC)


def importers() -> set[str]:
    """Class paths of the DAG importers that are configured, for all bundles or for one; there are none before 3.4."""
    if AIRFLOW_VERSION < (3, 4):
        return set()
    bundles = conf.getjson("dag_processor", "dag_bundle_config_list", fallback=None) or []
    listed = [conf.getjson("dag_processor", "dag_importer_configs", fallback=None) or []]
    listed += [bundle.get("importers") or [] for bundle in bundles]
    return {item if isinstance(item, str) else item.get("classpath", "") for found in listed for item in found}


def backoff(*, doubles: bool) -> bool | int:
    """What an operator's `retry_exponential_backoff` takes: the factor from 3.2 on, before that whether it is 2."""
    return (2 if doubles else 0) if AIRFLOW_VERSION >= (3, 2) else doubles


def asset_name(asset: Any) -> str | None:
    """The name of an asset, of its key in a context, or of a 2.11 dataset; None for what is no asset."""
    return asset if isinstance(asset, str) else getattr(asset, "name", None) or getattr(asset, "uri", None)


def deadline(interval: timedelta, callback: str, awaited: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """What a DAG is told, so that a callback is called where a run takes too long; nothing without deadlines.

    Args:
        interval: from the moment the run was queued: a backfill of the past isn't late before it begins.
        callback: dotted path of a function; it is called where tasks run.
        awaited: dotted path of a coroutine function that does the same; 3.1 knows no other, and awaits it in the
            triggerer.
        arguments: of either, JSON.
    """
    if WATCHED_BY_TASK:
        return {}
    if AIRFLOW_VERSION >= (3, 2):
        called = SyncCallback(callback, kwargs=arguments)
    else:
        called = AsyncCallback(awaited, kwargs=arguments)
    return {"deadline": DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, interval, called)}


def queued_at(context: Context) -> datetime | None:
    """When a run of 2.11 was queued; None where nobody queued it, as in `dag.test()`.

    2.11's own backfill starts its runs itself, those too that were queued long before for the schedule.
    """
    run = context["dag_run"]
    backfilled = getattr(run.run_type, "value", run.run_type) == "backfill"
    return cast("datetime | None", run.start_date if backfilled else run.queued_at)


def ended(dag_id: str, run_id: str, task_ids: list[str]) -> bool:
    """Whether tasks of a run of 2.11 have ended, however; asked where tasks and triggers run: both have its database.

    Args:
        dag_id: the DAG.
        run_id: its run; one that was deleted has ended too.
        task_ids: the tasks.
    """
    from airflow.models import TaskInstance as Task
    from airflow.utils.session import create_session
    from airflow.utils.state import State
    from sqlalchemy import select

    asked = select(Task.state).where(Task.dag_id == dag_id, Task.run_id == run_id, Task.task_id.in_(task_ids))
    with create_session() as session:
        return all(state in State.finished for state in session.scalars(asked))


def triggerer_runs() -> bool:
    """Whether a triggerer of 2.11 has given a sign of life within the time that Airflow gives it."""
    from airflow.jobs.job import most_recent_job

    job = most_recent_job("TriggererJob")
    return job is not None and bool(job.is_alive())


def noted_first(context: Context, event: str) -> bool:
    """Note an event of a run in the audit log of 2.11; False where it is noted already, by a try before this one.

    Args:
        context: the task's.
        event: what the log calls it; at most 60 characters.
    """
    from airflow.models import Log
    from airflow.utils.session import create_session
    from sqlalchemy import select

    ti, run = context["ti"], f"dag_run {context['dag_run'].id}"  # a run that was deleted and made anew has a new number
    known = select(Log.id).where(Log.dag_id == ti.dag_id, Log.task_id == ti.task_id, Log.run_id == ti.run_id)
    with create_session() as session:
        first = session.scalar(known.where(Log.event == event, Log.extra == run).limit(1)) is None
        if first:
            session.add(Log(event=event, task_instance=ti, extra=run))
    return first


def partition_start(context: Context) -> datetime | None:
    """The instant that a partitioned run is there for; None for other runs."""
    return getattr(context.get("dag_run"), "partition_date", None)


def connection_of(name: str) -> Any:
    """An Airflow connection.

    Raises:
        AirflowNotFoundException: there is none of that name.
    """
    with with_the_database():
        return BaseHook.get_connection(name)


@contextmanager
def with_the_database() -> Iterator[None]:
    """Let commands find what is in the metadata database, as `airflow connections` does: 3.x asks it only for them.

    A task asks its supervisor first, whatever stands here; a triggerer has said what it is.
    """
    if not AIRFLOW_3 or _CONTEXT in os.environ:
        yield
        return
    os.environ[_CONTEXT] = "server"
    try:
        yield
    finally:
        os.environ.pop(_CONTEXT, None)


def shared(name: str) -> str | None:
    """The text of a Variable, which all tasks share; None where there is none."""
    return cast("str | None", Variable.get(name, **{"default" if AIRFLOW_3 else "default_var": None}))


def share(name: str, text: str, about: str) -> None:
    """Set a Variable, described in the UI by `about`; the last to set it wins."""
    Variable.set(name, text, about)


def redacted(text: str) -> str:
    """A text without what Airflow takes out of its logs: in what is cut afterwards it would find no whole secret."""
    if AIRFLOW_3:
        from airflow.sdk._shared.secrets_masker import redact
    else:
        from airflow.utils.log.secrets_masker import redact
    return str(redact(text))


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
    return _run_type(context) in ("asset_triggered", "dataset_triggered") or bool(_triggering(context))


def _run_type(context: Context) -> str:
    kind = getattr(context.get("dag_run"), "run_type", "")
    return str(getattr(kind, "value", kind))


def triggering_extras(context: Context) -> list[tuple[str, dict[str, Any]]]:
    """(asset name, extra) of the asset events that a run is there for, oldest first; empty for other runs."""
    events = _triggering(context)
    listed = [
        (event.timestamp, str(asset_name(asset)), dict(event.extra or {}))
        for asset in events
        for event in [*events[asset], *_overlooked(context, asset)]
    ]
    return [(name, extra) for _, name, extra in sorted(listed, key=lambda item: item[0])]


def _triggering(context: Context) -> Any:
    """Asset -> the events that started the run; 2.11 names them otherwise and keys them by URI.

    2.11 looks for them in the database, whatever started the run, and fails where `dag.test` has changed the run in
    memory: only runs that events have started are asked for.
    """
    if not AIRFLOW_3 and _run_type(context) != "dataset_triggered":
        return {}
    return context.get("triggering_asset_events" if AIRFLOW_3 else "triggering_dataset_events") or {}


def _overlooked(context: Context, asset: Any) -> list[Any]:
    """Events that came after the one that asked for the run, and before the run was there.

    Airflow hands a run the events up to the first one that was queued, and forgets that others were queued since: it
    hands them out only when one more comes (2.11.2 and 3.3.2, `jobs/scheduler_job_runner.py`,
    `_create_dag_runs_asset_triggered`). A run at `max_active_runs` makes that a wait of hours. The asset must be among
    the task's inlets.
    """
    run = context["dag_run"]
    known = [inlet for inlet in context.get("inlets") or [] if asset_name(inlet) == asset_name(asset)]
    if not known or cleared(context):
        return []
    asked = run.run_after if AIRFLOW_3 else run.execution_date
    since = _since(context["inlet_events"][known[0]], asked)
    return [event for event in since if asked < event.timestamp <= run.start_date]


def _since(events: Any, moment: datetime) -> Iterable[Any]:
    """The events of an asset after a moment; until 3.1 nobody can be asked for them: they are read from the newest."""
    if AIRFLOW_VERSION >= (3, 2):
        found: Iterable[Any] = events.after(moment.isoformat())
        return found
    return takewhile(lambda event: event.timestamp > moment, reversed(events))


def default_wait_mode() -> str:
    """Where a wait that doesn't say so itself waits: `[etl] wait_mode`, else in the triggerer.

    `[operators] default_deferrable: false` means something only where the deployment has set it by variable: Airflow 3
    writes its defaults, this one too, into every airflow.cfg that it makes (3.3.2, `airflow db migrate`).
    """
    said = str(conf.get("etl", "wait_mode", fallback="") or "").strip()
    refused = os.environ.get("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "").strip().lower() in ("false", "f", "0")
    return said or ("reschedule" if refused else "deferrable")


def defers_by_default() -> bool:
    """Whether operators that can wait in the triggerer do, where nobody says otherwise."""
    return bool(conf.getboolean("operators", "default_deferrable", fallback=False))


def injects_lineage() -> tuple[bool, bool]:
    """Whether Spark's settings get (OpenLineage's parent job, its transport), as the openlineage provider's options."""
    names = ("spark_inject_parent_job_info", "spark_inject_transport_info")
    parent, transport = (bool(conf.getboolean("openlineage", name, fallback=False)) for name in names)
    return parent, transport


# A trigger is told by `on_kill` that a user has cleared or marked its task; before that it is only stopped.
TELLS_TRIGGERS: Final = AIRFLOW_VERSION >= (3, 3)


def still_deferred(ti: Any) -> bool:
    """Whether a task instance still waits for its trigger: one that a user has cleared or marked doesn't.

    Asked before 3.3 alone, by a trigger that is stopped: a triggerer that restarts stops it too, and then it waits.

    Args:
        ti: the trigger's.
    """
    if AIRFLOW_3:
        from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

        where = {"dag_id": ti.dag_id, "task_ids": [ti.task_id], "run_ids": [ti.run_id], "map_index": ti.map_index}
        found = RuntimeTaskInstance.get_task_states(**where)
        state = next(iter((found.get(ti.run_id) or {}).values()), None)
        return str(getattr(state, "value", state)) == "deferred"
    from airflow.models import TaskInstance as Task
    from airflow.utils.session import create_session
    from sqlalchemy import select

    asked = select(Task.state).where(
        Task.dag_id == ti.dag_id,
        Task.task_id == ti.task_id,
        Task.run_id == ti.run_id,
        Task.map_index == ti.map_index,
    )
    with create_session() as session:
        return str(session.scalar(asked)) == "deferred"


def state_store(context: Context) -> Any:
    """What a task instance remembers over its tries and clears (`get`, `set`); None before 3.3."""
    return context.get("task_state_store")


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
    "AIRFLOW_3",
    "AIRFLOW_VERSION",
    "CAN_ASK",
    "DAG",
    "ERRORS_AT_VALIDATION",
    "ERRORS_PER_FILE",
    "NO_START",
    "TELLS_TRIGGERS",
    "WATCHED_BY_TASK",
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowRescheduleException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "Asset",
    "BaseOperator",
    "BaseOperatorLink",
    "BaseSensorOperator",
    "Context",
    "CronDataIntervalTimetable",
    "CronPartitionTimetable",
    "DeltaDataIntervalTimetable",
    "Param",
    "SerializationError",
    "Stats",
    "TaskDeferred",
    "XCom",
    "asset_name",
    "asset_triggered",
    "backoff",
    "cleared",
    "connection_of",
    "deadline",
    "default_wait_mode",
    "defers_by_default",
    "ended",
    "first_asked",
    "first_try",
    "generation",
    "get_parsing_context",
    "importers",
    "injects_lineage",
    "noted_first",
    "object_store",
    "partition_start",
    "queued_at",
    "redacted",
    "share",
    "shared",
    "state_store",
    "still_deferred",
    "successful_runs",
    "triggerer_runs",
    "triggering_extras",
    "with_the_database",
]
