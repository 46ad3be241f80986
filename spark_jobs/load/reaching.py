"""Loads that replace rows of each other's windows: what another run has read later must not be lost.

Two windows of a pipeline with `lookback` do, and so do a span that somebody asks for and the schedule's windows in it.
Runs may overlap, so the one that read first may commit last: it looks in the ledger, in the very transaction that
replaces the rows, and publishes nothing then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.lookback import reach_of
from spark_jobs.plan import Plan
from spark_jobs.tables.spans import overlaps, window_of_unit
from spark_jobs.window import Window

Entries = Callable[[], Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a load puts in the place of rows that are there.

    Args:
        unit: the key of the unit whose rows were read.
        span: what is replaced: the window, or with lookback the reach.
        since: the number of the attempt that read the sources.
        looks_back: whether it is the reach: other windows then replace rows of this one without overlapping it.
        reads_again: whether a retry reads the sources anew: a load of rows that were staged can't.
    """

    unit: str
    span: Window
    since: int
    looks_back: bool = False
    reads_again: bool = True

    def told(self) -> dict[str, Any]:
        """What the commit's entry says of it."""
        return {"since": self.since} | ({"reach": self.span.to_json()} if self.looks_back else {})


def reading_of(plan: Plan, dataset: str, destination: Any, unit: str) -> Reading | None:
    """What a load of a dataset replaces; None where others decide what is newer: a snapshot's window, a key's sequence.

    An attempt that adds rows to another one replaces none: it has named the attempt that must be there.
    """
    if not isinstance(destination.write, (ReplaceWindow, Append)) or plan.attempt.amends:
        return None
    reach = reach_of(plan, dataset, destination)
    return Reading(
        unit=unit,
        span=reach or plan.window,
        since=plan.attempt.since,
        looks_back=reach is not None,
        reads_again="extract" in plan.verbs,
    )


def refuse_overtaken(entries: Entries, units: Mapping[str, int], reading: Reading, where: str) -> None:
    """See that nobody has published rows of a span that were read later.

    Args:
        entries: gives unit -> the entry of its last commit, of the table's ledger; it is asked where it must be.
        units: key -> number of the units that it holds; those alone that may be later will do.
        reading: what is replaced.
        where: the table.

    Raises:
        InfrastructureError: somebody has, and a retry reads the sources again.
        DataError: somebody has, and a retry would bring the same rows.
    """
    near = units if reading.looks_back else _near(units, reading)
    other = overtaken(entries, near, reading.unit, reading.span, reading.since)
    if other is not None:
        clear = "clear the run from its extract task on, so that it reads again"
        kind, remedy = (InfrastructureError, "the retry reads again") if reading.reads_again else (DataError, clear)
        raise kind(
            f"rows of {reading.span} were loaded meanwhile with window {other}, from a source that was read later",
            where=where,
            expected="rows as new as those that they replace",
            remedy=f"nothing was published; {remedy}",
        )


def _near(units: Mapping[str, int], reading: Reading) -> dict[str, int]:
    """Units whose windows share an instant with a span, where windows replace their own rows alone."""
    prefix = "".join(f"{part}:" for part in reading.unit.split(":", 3)[:3])
    later = {key: held for key, held in units.items() if held > reading.since and key.startswith(prefix)}
    windows = {key: window_of_unit(key, reading.span.timezone) for key in later}
    return {key: later[key] for key, window in windows.items() if window and overlaps(window, reading.span)}


def overtaken(entries: Entries, units: Mapping[str, int], mine: str, reach: Window, since: int) -> str | None:
    """Another window of the same load that has replaced a part of a reach with rows read later; None for none.

    Args:
        entries: gives unit -> the entry of its last commit, of the table's ledger.
        units: key -> number of the units that it holds.
        mine: the key of the unit whose rows were read.
        reach: what they are of.
        since: the number of the attempt that read them.

    Returns:
        The other window, `start/end`. Where its commit isn't known any more, or brought many windows, the largest
        number counts as the last read.
    """
    prefix = "".join(f"{part}:" for part in mine.split(":", 3)[:3])
    later = {key: held for key, held in units.items() if key.startswith(prefix) and key != mine and held > since}
    known_of = entries() if later else {}
    for key, held in later.items():
        entry = known_of.get(key, {})
        known = entry if entry.get("number") == held else {}
        replaced = _replaced(known, key, reach)
        if overlaps(replaced, reach) and int(known.get("since", held)) > since:
            return key.removeprefix(prefix)
    return None


def _replaced(entry: Mapping[str, Any], key: str, reach: Window) -> Window:
    """What a commit has replaced; where that isn't known any more, its window and whatever may lie before it."""
    if entry:
        return Window.from_json(entry.get("reach") or entry["window"])
    window = window_of_unit(key, reach.timezone)
    return replace(window, start=min(window.start, reach.start)) if window else reach
