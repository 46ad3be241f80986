"""What a backfill would do, gathered before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from typing import Final

from airflow_provider_etl.backfill import REPROCESS, dates
from airflow_provider_etl.backfill.choice import Action, Choice
from airflow_provider_etl.backfill.facts import Dag, Order, Progress, Reprocess, Slot
from airflow_provider_etl.backfill.request import Request
from airflow_provider_etl.backfill.sources import Sources
from spark_jobs.window import Window

_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A backfill that hasn't started.

    Args:
        request: what was asked for.
        dag: the DAG.
        range: the logical dates asked for.
        sources: what the DAG loads.
        choices: every window of the range, in the order of time.
        past: seconds that the last runs took.
        active: another backfill that isn't over.
        behind: slots that start on the last day given, but behind the instant as which Airflow reads it.
        left_out: windows of the range that never run, in words.
    """

    request: Request
    dag: Dag
    range: dates.Range
    sources: Sources
    choices: Sequence[Choice]
    past: Sequence[float]
    active: Progress | None
    behind: Sequence[Slot] = ()
    left_out: Sequence[str] = ()

    @property
    def going(self) -> list[Choice]:
        """The windows that the backfill runs."""
        return [choice for choice in self.choices if choice.goes]

    def of(self, action: Action) -> list[Choice]:
        """The windows of one fate."""
        return [choice for choice in self.choices if choice.action == action]

    @property
    def max_active(self) -> int:
        """Windows at once."""
        return self.request.max_active or self.dag.max_active

    @property
    def jobs(self) -> int | None:
        """Spark jobs that it means; None where that isn't known."""
        each = self.sources.jobs
        return None if each is None else each * sum(choice.spark for choice in self.going)

    @property
    def seconds(self) -> float | None:
        """Rough time that it takes; None where no run says how long one takes."""
        if not self.past:
            return None
        working = sum(choice.spark for choice in self.going) if self.sources.jobs else len(self.going)
        return median(self.past) * working / min(self.max_active, max(working, 1))

    @property
    def order(self) -> Order:
        """What Airflow is asked to start: exactly the windows shown, none of which it would leave out."""
        # The ledger has chosen: whatever run a window has, it runs again.
        reprocess: Reprocess = "completed" if self.request.by_ledger else self.request.reprocess
        if reprocess == "none" and self.dag.depends_on_past:
            reprocess = "failed"  # Airflow wants one; none of the slots has a run
        return Order(
            dag=self.dag.name,
            slots=[choice.slot for choice in self.going],
            reprocess=reprocess,
            max_active=self.max_active,
            backwards=self.request.backwards,
            conf=self._conf,
            latest=self.request.latest,
        )

    @property
    def _conf(self) -> Mapping[str, object] | None:
        """A new run of a window that the tables hold must be told to load it again; a cleared one does by itself.

        A partition's run is never cleared: Airflow makes another one beside it.
        """
        new = [choice for choice in self.going if choice.action == "start" or choice.slot.partition is not None]
        if self.request.reprocess == "completed" and any(choice.held == "loaded" for choice in new):
            return {**(self.request.conf or {}), REPROCESS: True}
        return self.request.conf


def zone_of(dag: Dag, found: Sources) -> str:
    """The zone in which a DAG's windows are cut."""
    return found.pipelines[0].timezone if found.pipelines else dag.timezone


def window_of(slot: Slot, timezone: str) -> Window:
    """The window that a slot's run loads."""
    return Window(start=slot.start, end=slot.end, timezone=timezone)


def length(seconds: float) -> str:
    """Seconds as rough time."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{timedelta(minutes=minutes) / timedelta(hours=1):.1f} h"
