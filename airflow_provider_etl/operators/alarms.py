"""Telling people: what the factory hangs on tasks and runs where a pipeline says `notify`."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_etl.compat import Context, Stats, connection_of
from airflow_provider_etl.notify import NOTIFIERS
from airflow_provider_etl.notify.message import Event, Message, Notifier
from spark_jobs import kinds

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Alarm:
    """A callback of a task: tells everybody who wants to know of an event.

    Args:
        event: which one.
        pipeline: the pipeline's name.
        notify: its `notify`.
    """

    event: Event
    pipeline: str
    notify: tuple[Notifier, ...]

    def __call__(self, context: Context) -> None:
        """Airflow calls it where the event has come."""
        ti, error = context["ti"], context.get("exception")
        said = f"task {ti.task_id}, try {ti.try_number}: {error}" if error else f"task {ti.task_id}"
        tell(self.notify, _message(self.event, self.pipeline, context, said))


def told_of(reports: Sequence[Mapping[str, Any]], context: Context, notify: Sequence[Notifier], pipeline: str) -> None:
    """Tell of what was loaded, and of what was set aside.

    Args:
        reports: of the run's windows.
        context: the task's.
        notify: the pipeline's.
        pipeline: its name.
    """
    from airflow_provider_etl.cli.summary import summary

    if not reports or not notify:
        return
    text = "\n".join(summary(report) for report in reports)
    windows = tuple(f"{report['window']['start']}/{report['window']['end']}" for report in reports)
    tell(notify, _message("success", pipeline, context, text, windows))
    if any(report["quarantined"] for report in reports):
        tell(notify, _message("quarantine", pipeline, context, text, windows))


def told_late(notify: Sequence[Notifier]) -> list[dict[str, Any]]:
    """Those of a pipeline's `notify` that want to know `late`, as JSON."""
    return [kinds.dump(notifier) for notifier in notify if "late" in notifier.on]


def late(pipeline: str, freshness: str, notify: list[dict[str, Any]], context: Any = None) -> None:
    """The callback of a deadline: the load isn't there in time.

    Args:
        pipeline: its name.
        freshness: how long it may take, in words.
        notify: the pipeline's, as JSON: it has been to the database and back.
        context: what Airflow tells of the run, which differs from version to version.
    """
    run = (context or {}).get("dag_run") or {}
    run_id = str(run.get("dag_run_id") or run.get("run_id", "")) if isinstance(run, Mapping) else str(run.run_id)
    message = Message(
        event="late",
        pipeline=pipeline,
        run=run_id,
        windows=(),
        text=f"run {run_id or '?'} hasn't loaded within {freshness} of its start: its data is late",
    )
    _log.warning("%s: %s", message.subject, message.text)
    tell([kinds.build(kinds.find(NOTIFIERS, item["type"], "notify"), item) for item in notify], message)


async def late_awaited(pipeline: str, freshness: str, notify: list[dict[str, Any]], context: Any = None) -> None:
    """`late`, for the Airflow that awaits the callback of a deadline in the triggerer; the same arguments."""
    from asgiref.sync import sync_to_async

    # asgiref's thread: in another one Airflow finds no connection.
    await sync_to_async(late, thread_sensitive=False)(pipeline, freshness, notify, context)


def tell(notify: Sequence[Notifier], message: Message) -> None:
    """Send a message to all who want its event; one that can't be reached keeps nobody else from hearing it.

    What happened to the data stays what it was: a message that isn't delivered is an error in the log and a metric.
    """
    for notifier in notify:
        if message.event not in notifier.on:
            continue
        name = getattr(notifier, "connection", "")
        try:
            notifier.deliver(message, connection_of(name))
        except Exception as error:  # noqa: BLE001 - whatever a client raises, the data is what counts
            Stats.incr(f"etl.{message.pipeline}.notify.failed")
            _log.exception("connection %s: the message %r wasn't delivered: %s", name, message.subject, error)


def _message(event: Event, pipeline: str, context: Context, text: str, windows: tuple[str, ...] = ()) -> Message:
    ti = context["ti"]
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if not windows and start and end and start != end:
        windows = (f"{start.isoformat()}/{end.isoformat()}",)
    link = str(getattr(ti, "log_url", "") or "")
    return Message(event=event, pipeline=pipeline, run=str(context["run_id"]), windows=windows, text=text, link=link)
