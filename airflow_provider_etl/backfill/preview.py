"""What a backfill would do, gathered before it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.backfill import dates, sources
from airflow_provider_etl.backfill.backend import Backend
from airflow_provider_etl.backfill.choice import Action, Choice, Seen, choose, demand
from airflow_provider_etl.backfill.facts import REPROCESS, Dag, Order, Progress, Reprocess, Run, Slot, Spot
from airflow_provider_etl.backfill.held import Held, held, overlaps
from airflow_provider_etl.backfill.request import Request
from airflow_provider_etl.backfill.sources import Sources
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

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
    """

    request: Request
    dag: Dag
    range: dates.Range
    sources: Sources
    choices: Sequence[Choice]
    past: Sequence[float]
    active: Progress | None
    behind: Sequence[Slot] = ()

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
        """A new run of a window that the tables hold must be told to load it again; a cleared one does by itself."""
        forced = self.request.reprocess == "completed"
        if forced and any(choice.action == "start" and choice.held == "loaded" for choice in self.going):
            return {**(self.request.conf or {}), REPROCESS: True}
        return self.request.conf


def look(backend: Backend, request: Request) -> Preview:
    """Gather everything; nothing is changed.

    Raises:
        EtlError: the backfill isn't possible; why, and what would be.
    """
    found = sources.of_file(request.dag, request.environment) if sources.is_file(request.dag) else None
    name = found.pipelines[0].name if found else request.dag
    dag = backend.dag(name)
    if dag.refused:
        raise ConfigError(dag.refused, where=dag.name)
    found = found or sources.of_dag(backend, dag, request.environment)
    asked = _range(backend, request, dag, found)
    slots = _slots(backend, dag, asked, found)
    demand(dag, request, backend.before(dag, slots[0]))
    found, states, cuts = _tables(found, [window_of(slot, zone_of(dag, found)) for slot in slots if slot.cuts])
    if request.by_ledger and found.problem:
        raise ConfigError(
            f"what its tables hold isn't known: {found.problem}",
            where=dag.name,
            remedy="name the pipeline file instead of the DAG, or leave --missing and --outdated out",
        )
    runs, now = backend.runs(dag, slots), datetime.now(UTC)
    return Preview(
        request=request,
        dag=dag,
        range=asked,
        sources=found,
        choices=[choose(request, seen, now) for seen in _seen(dag, slots, runs, states, cuts)],
        past=backend.seconds(dag),
        active=backend.active(dag),
        behind=_behind(backend, request, dag, asked, found) if request.native else (),
    )


def _range(backend: Backend, request: Request, dag: Dag, found: Sources) -> dates.Range:
    if request.native:
        return dates.native(request.first, request.last, backend.default_timezone())
    return dates.starts(request.first, request.last, zone_of(dag, found))


def _behind(backend: Backend, request: Request, dag: Dag, asked: dates.Range, found: Sources) -> list[Slot]:
    until = dates.starts(request.last, request.last, zone_of(dag, found)).last
    return backend.slots(dag, asked.last + _INSTANT, until) if until > asked.last else []


def zone_of(dag: Dag, found: Sources) -> str:
    """The zone in which a DAG's windows are cut."""
    return found.pipelines[0].timezone if found.pipelines else dag.timezone


def _slots(backend: Backend, dag: Dag, asked: dates.Range, found: Sources) -> list[Slot]:
    first = _aligned(asked.first, found.pipelines)
    slots = backend.slots(dag, first, asked.last) if first <= asked.last else []
    if not slots:
        raise ConfigError(
            f"no window starts in {asked}",
            where=dag.name,
            expected="a range in which the schedule starts a window; both ends are included",
        )
    return slots


def _aligned(first: datetime, pipelines: Sequence[Pipeline]) -> datetime:
    """The first start of a window: a schedule that counts real time begins wherever it is asked to begin."""
    from airflow_provider_etl.spec.schedule import Cuts, Every

    for pipeline in pipelines:
        if isinstance(pipeline.schedule, Every):
            anchor = pipeline.start or datetime(1970, 1, 1, tzinfo=UTC)
            return Cuts(schedule=pipeline.schedule, timezone=pipeline.timezone, anchor=anchor).first(first)
    return first


def _seen(
    dag: Dag,
    slots: Sequence[Slot],
    runs: Mapping[Spot, Run],
    states: Mapping[datetime, Held],
    cuts: Mapping[datetime, str],
) -> list[Seen]:
    return [
        Seen(
            slot=slot,
            run=runs.get(slot.spot),
            held=states.get(slot.start, "unknown"),
            cut=cuts.get(slot.start, ""),
            end=dag.end,
        )
        for slot in slots
    ]


def _tables(found: Sources, windows: list[Window]) -> tuple[Sources, Mapping[datetime, Held], Mapping[datetime, str]]:
    """What the tables hold and would refuse, by the windows' starts; where they can't be read, that is a problem."""
    try:
        states, cuts = held(found.pipelines, windows), overlaps(found.pipelines, windows)
    except EtlError as error:
        return replace(found, problem=str(error)), {}, {}
    by_start = {window.start: state for window, state in states.items()}
    return found, by_start, {window.start: cut for window, cut in cuts.items()}


def window_of(slot: Slot, timezone: str) -> Window:
    """The window that a slot's run loads."""
    return Window(start=slot.start, end=slot.end, timezone=timezone)


def length(seconds: float) -> str:
    """Seconds as rough time."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{timedelta(minutes=minutes) / timedelta(hours=1):.1f} h"
