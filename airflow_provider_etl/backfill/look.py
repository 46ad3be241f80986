"""Looking at everything that a backfill would meet, before it starts; nothing is changed."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.backfill import dates, sources
from airflow_provider_etl.backfill.backend import Backend
from airflow_provider_etl.backfill.bounds import MOST, Bounded, bounded, too_many
from airflow_provider_etl.backfill.choice import Seen, choose, demand
from airflow_provider_etl.backfill.facts import Dag, Run, Slot, Spot
from airflow_provider_etl.backfill.held import Held, held, overlaps
from airflow_provider_etl.backfill.preview import Preview, window_of, zone_of
from airflow_provider_etl.backfill.request import Request
from airflow_provider_etl.backfill.skips import skips
from airflow_provider_etl.backfill.sources import Sources
from spark_jobs.errors import ConfigError, EtlError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

_INSTANT: Final = timedelta(microseconds=1)
_MANY: Final = 1_000  # windows at which people are told that it takes a while


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
    now = datetime.now(UTC)
    within = bounded(asked, _own(dag, found), now)
    slots = _slots(backend, dag, asked, within, found)
    if len(slots) > _MANY:
        print(f"looking at {len(slots):,} windows", file=sys.stderr, flush=True)
    demand(dag, request, backend.before(dag, slots[0]))
    found, states, cuts = _tables(found, [window_of(slot, zone_of(dag, found)) for slot in slots if slot.cuts])
    if request.by_ledger and found.problem:
        raise ConfigError(
            f"what its tables hold isn't known: {found.problem}",
            where=dag.name,
            remedy="name the pipeline file instead of the DAG, or leave --missing and --outdated out",
        )
    runs = backend.runs(dag, slots)
    choices = [choose(request, seen, now) for seen in _seen(dag, slots, runs, states, cuts)]
    return Preview(
        request=request,
        dag=dag,
        range=asked,
        left_out=within.left_out,
        sources=found,
        choices=skips(request, choices, found.pipelines, zone_of(dag, found)),
        past=backend.seconds(dag),
        active=backend.active(dag),
        behind=_behind(backend, request, dag, asked, found) if request.native else (),
    )


def _own(dag: Dag, found: Sources) -> Pipeline | None:
    """The pipeline whose file makes the DAG: one written by hand has a start and an end of its own."""
    return next((pipeline for pipeline in found.pipelines if pipeline.path and pipeline.name == dag.name), None)


def _range(backend: Backend, request: Request, dag: Dag, found: Sources) -> dates.Range:
    if request.native:
        return dates.native(request.first, request.last, backend.default_timezone())
    return dates.starts(request.first, request.last, zone_of(dag, found))


def _behind(backend: Backend, request: Request, dag: Dag, asked: dates.Range, found: Sources) -> list[Slot]:
    until = dates.starts(request.last, request.last, zone_of(dag, found)).last
    return backend.slots(dag, asked.last + _INSTANT, until) if until > asked.last else []


def _slots(backend: Backend, dag: Dag, asked: dates.Range, within: Bounded, found: Sources) -> list[Slot]:
    first = _aligned(within.first, found.pipelines)
    slots = backend.slots(dag, first, within.last) if first <= within.last else []
    if len(slots) > MOST:
        raise too_many(f"more than {MOST:,}")
    if not slots:
        raise ConfigError(
            "; ".join([f"no window starts in {asked}", *within.left_out]),
            where=dag.name,
            expected="a range in which the schedule starts a window; both ends are included",
        )
    return [_whole(slot, found.pipelines) for slot in slots]


def _whole(slot: Slot, pipelines: Sequence[Pipeline]) -> Slot:
    """A partition says where its window starts; where it ends, the pipeline's own schedule knows."""
    if slot.cuts or slot.partition is None or not pipelines:
        return slot
    return replace(slot, end=pipelines[0].window_of(slot.start.isoformat()).end)


def _aligned(first: datetime, pipelines: Sequence[Pipeline]) -> datetime:
    """The first start of a window: a schedule that counts real time begins wherever it is asked to begin."""
    from airflow_provider_etl.spec.schedule import Every

    counted = (pipeline.cuts for pipeline in pipelines if isinstance(pipeline.schedule, Every))
    return next((cuts.first(first) for cuts in counted if cuts), first)


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
