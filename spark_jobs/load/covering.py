"""Units whose windows cover each other: which of them count, and which a window replaces."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from spark_jobs.tables.spans import overlaps, window_of_unit
from spark_jobs.window import Window


def _windows(units: Mapping[str, int], timezone: str) -> dict[str, Window]:
    found = {unit: window_of_unit(unit, timezone) for unit in units}
    return {unit: window for unit, window in found.items() if window is not None}


def _covers(one: Window, other: Window) -> bool:
    return one.start <= other.start and other.end <= one.end


def current(units: Mapping[str, int], timezone: str) -> dict[str, int]:
    """The units that count: a window loaded later takes the place of those that it covers.

    Args:
        units: unit -> number, of one load.
        timezone: of the windows.
    """
    windows = _windows(units, timezone)
    # Only a longer window covers another one, and most are equally long.
    longer = {length: [unit for unit in windows if _length(windows[unit]) > length] for length in _lengths(windows)}
    return {
        unit: units[unit]
        for unit, window in windows.items()
        if not any(_covers(windows[other], window) and units[other] > units[unit] for other in longer[_length(window)])
    }


def _length(window: Window) -> timedelta:
    return window.end - window.start


def _lengths(windows: Mapping[str, Window]) -> set[timedelta]:
    return {_length(window) for window in windows.values()}


def covered_by(unit: str, units: Mapping[str, int], timezone: str) -> list[str]:
    """The units whose windows a unit's covers, its own among them.

    Args:
        unit: what is written.
        units: unit -> number, of the same load.
        timezone: of the windows.
    """
    mine = window_of_unit(unit, timezone)
    found = [name for name, window in _windows(units, timezone).items() if mine is not None and _covers(mine, window)]
    return list(dict.fromkeys([unit, *found]))


def cut(unit: str, units: Mapping[str, int], timezone: str) -> Window | None:
    """A window that counts and that a unit's overlaps without covering it; None where there is none.

    Args:
        unit: what is written.
        units: unit -> number, of the same load.
        timezone: of the windows.
    """
    mine = window_of_unit(unit, timezone)
    for name in current(units, timezone):
        other = window_of_unit(name, timezone)
        if mine is not None and other is not None and overlaps(mine, other) and not _covers(mine, other):
            return other
    return None
