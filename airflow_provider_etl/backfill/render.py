"""A preview in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final
from zoneinfo import ZoneInfo

from airflow_provider_etl.backfill.choice import WORDS, Action, Choice
from airflow_provider_etl.backfill.facts import Slot
from airflow_provider_etl.backfill.preview import Preview, length, window_of, zone_of

_DOES: Final[dict[Action, str]] = {
    "start": "runs",
    "again": "runs again",
    "leave": "is left alone",
    "in flight": "is in flight",
    "not yet": "not yet",
    "refused": "refused",
}
_LISTED: Final = 40  # windows shown one by one; of more, those that are alike share a line


def render(preview: Preview) -> Iterator[str]:
    """A preview, line by line."""
    yield from (f"note: {note}" for note in preview.request.notes)
    yield _head(preview)
    if preview.behind:
        zone, request = zone_of(preview.dag, preview.sources), preview.request
        names = " .. ".join(dict.fromkeys(name_of(slot, zone) for slot in (preview.behind[0], preview.behind[-1])))
        yield f"not in it: {names}, which --to {request.last} would mean; {request.last} is an instant here"
    yield from preview.left_out
    yield from _windows(preview)
    yield from _sums(preview)
    yield from _obstacles(preview)


def _head(preview: Preview) -> str:
    zone = ZoneInfo(preview.range.timezone)
    first, last = (moment.astimezone(zone) for moment in (preview.range.first, preview.range.last))
    span = f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    if preview.request.native:
        return (
            f"{preview.dag.name}: logical dates {span}, both included ({preview.range.timezone}, as Airflow reads them)"
        )
    return f"{preview.dag.name}: windows that start from {span}, both included ({preview.range.timezone})"


def _windows(preview: Preview) -> Iterator[str]:
    zone = zone_of(preview.dag, preview.sources)
    rows = [["window", "tables", "run", "this backfill"]]
    for alike in _grouped(preview.choices):
        first, last = name_of(alike[0].slot, zone), name_of(alike[-1].slot, zone)
        named = first if len(alike) == 1 else f"{first} .. {last} ({len(alike)})"
        rows.append([named, *_told(alike[0])])
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _grouped(choices: Sequence[Choice]) -> list[list[Choice]]:
    if len(choices) <= _LISTED:
        return [[choice] for choice in choices]
    return [list(alike) for _, alike in groupby(choices, _told)]


def _told(choice: Choice) -> tuple[str, str, str]:
    run = choice.run.state if choice.run else "none"
    does = _DOES[choice.action]
    return WORDS[choice.held], run, f"{does}: {choice.why}" if choice.why else does


def name_of(slot: Slot, timezone: str) -> str:
    """A slot as people call it: its window's key, its partition, or its logical date."""
    if slot.partition is not None:
        return slot.partition
    if slot.cuts:
        return window_of(slot, timezone).key
    return slot.start.astimezone(ZoneInfo(timezone)).isoformat(timespec="minutes")


def _sums(preview: Preview) -> Iterator[str]:
    counted = [f"{len(found)} {does}" for action, does in _PLURAL.items() if (found := preview.of(action))]
    total = len(preview.choices)
    yield f"{total} window{'s' if total > 1 else ''}: {', '.join(counted)}"
    if preview.sources.problem:
        yield f"what the tables hold isn't known: {preview.sources.problem}"
    if preview.going:
        yield _work(preview)


_PLURAL: Final[dict[Action, str]] = {
    "start": "to run",
    "again": "to run again",
    "leave": "left alone",
    "in flight": "in flight",
    "not yet": "not over yet",
    "refused": "refused",
}


def _work(preview: Preview) -> str:
    if preview.request.batch is not None:
        return f"Spark jobs: one for every {preview.request.batch} of windows, here, before the runs; time: unknown"
    at_once = f"{preview.max_active} window{'s' if preview.max_active > 1 else ''} at once"
    jobs = "Spark jobs: unknown" if preview.jobs is None else f"Spark jobs: {preview.jobs}"
    if preview.seconds is None:
        return f"{jobs}; {at_once}; time: unknown, since no run has succeeded yet"
    return f"{jobs}; {at_once}; time: about {length(preview.seconds)}, by the last {_runs(len(preview.past))}"


def _runs(count: int) -> str:
    return f"{count} runs" if count > 1 else "run"


def _obstacles(preview: Preview) -> Iterator[str]:
    if preview.dag.paused:
        also = " and, since it catches up, makes up for every window that it has missed" if preview.dag.catchup else ""
        yield f"the DAG is paused: nothing starts until it is unpaused, which also lets its schedule run{also}"
    if preview.active is not None and not preview.active.over:
        active, done = preview.active, sum(part.over for part in preview.active.parts)
        state = "paused" if active.paused else "active"
        yield f"backfill {active.id} is {state}, {done} of {len(active.parts)} windows done: a DAG has one at a time"
