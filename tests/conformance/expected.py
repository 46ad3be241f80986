"""What a plain run in order would leave in the table: a few lines of Python for each strategy, and no Spark."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from tests.conformance.events import Event
from tests.conformance.schedule import Schedule

Row = tuple[Any, ...]


def everything(schedule: Schedule) -> list[Event]:
    """All that the sources say at last, day by day."""
    return [event for day in schedule.source for event in day]


def _content(event: Event) -> tuple[Any, ...]:
    """What decides between events of equal sequence: columns by name, null first."""
    return (event.at, event.name is not None, event.name, event.op)


def _rank(event: Event) -> tuple[Any, ...]:
    return (event.seq, event.op == "d", _content(event))


def entities(events: Iterable[Event]) -> list[Row]:
    """`merge` and `cdc`: per key the event of the highest sequence; after a truncate only what is newer."""
    events = list(events)
    cut = max((event.seq for event in events if event.op == "t"), default=-1)
    best: dict[Any, Event] = {}
    for event in events:
        if event.op != "t" and (event.id not in best or _rank(event) > _rank(best[event.id])):
            best[event.id] = event
    kept = [event for event in best.values() if event.op != "d" and event.seq > cut]
    return sorted((event.id, event.seq, event.name) for event in kept)


def softly(events: Iterable[Event]) -> list[Row]:
    """`merge` with `soft_delete`: a deleted key stays, with what its deleting row says."""
    return sorted(((event.id, event.seq, event.name, event.op == "d") for event in _best(events)), key=repr)


def of_envelopes(events: Iterable[Event]) -> list[Row]:
    """`cdc` of envelopes: an update that has changed its key deletes the old one."""
    found = list(events)
    moved = [replace(event, id=event.old_id, op="d") for event in found if event.old_id != event.id]
    return entities([*found, *moved])


def widened(schedule: Schedule, events: Iterable[Event]) -> list[Row]:
    """Rows with the column that only some days have."""
    return [(*event.row, event.name if event.day in schedule.wide else None) for event in events]


def winners(events: Iterable[Event]) -> list[Event]:
    """`merge`: per key the event of the highest sequence, where that is no delete."""
    return [event for event in _best(events) if event.op != "d"]


def _best(events: Iterable[Event]) -> list[Event]:
    best: dict[Any, Event] = {}
    for event in events:
        if event.id not in best or _rank(event) > _rank(best[event.id]):
            best[event.id] = event
    return list(best.values())


def by_window(schedule: Schedule) -> list[Row]:
    """`merge` without a sequence: the latest day's row of a key."""
    best: dict[Any, Event] = {}
    for event in everything(schedule):
        best[event.id] = event
    return sorted((event.id, event.seq, event.name) for event in best.values() if event.op != "d")


def histories(events: Iterable[Event]) -> list[Row]:
    """`scd2` by `at`, ordered by `seq` at one instant, tracking `name`: (id, name, from, to)."""
    found: list[Row] = []
    order = sorted((event for event in events if event.op != "t"), key=lambda event: (event.id, event.at))
    for key, of_key in groupby(order, key=lambda event: event.id):
        decided = [max(same, key=_rank) for _, same in groupby(of_key, key=lambda event: event.at)]
        found += _versions(key, decided)
    return sorted(found, key=repr)


def _versions(key: Any, events: list[Event]) -> list[Row]:
    versions: list[tuple[Any, Any, datetime, datetime | None]] = []
    is_open = False
    for event in events:
        if event.op == "d":
            if is_open:
                versions[-1] = (*versions[-1][:3], event.at)
            is_open = False
        elif not is_open or versions[-1][1] != event.name:
            if is_open:
                versions[-1] = (*versions[-1][:3], event.at)
            versions.append((key, event.name, event.at, None))
            is_open = True
    return versions
