"""Spans of time: windows, merged where they touch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from spark_jobs.window import Window


def merged(windows: Iterable[Window]) -> list[Window]:
    """The spans that windows cover, in order; those that touch or overlap are one."""
    spans: list[Window] = []
    for window in sorted(windows):
        if spans and window.start <= spans[-1].end:
            end = max(window.end, spans[-1].end)
            spans[-1] = Window(start=spans[-1].start, end=end, timezone=window.timezone)
        else:
            spans.append(window)
    return spans


def covered(window: Window, spans: Iterable[Window]) -> bool:
    """Whether a window lies in one of the merged spans whole."""
    return any(span.start <= window.start and window.end <= span.end for span in spans)


def overlaps(one: Window, other: Window) -> bool:
    """Whether two windows share an instant."""
    return one.start < other.end and other.start < one.end


def window_of_unit(key: str, timezone: str) -> Window | None:
    """The window that a unit's key names; None for a snapshot's."""
    start, slash, end = key.split(":", 3)[3].partition("/")
    return Window.from_json({"start": start, "end": end, "timezone": timezone}) if slash else None


def newer(window: Window, number: int, units: Mapping[str, int]) -> bool:
    """Whether the ledger holds a later commit for any part of a window.

    Args:
        window: what was loaded.
        number: of its commit.
        units: key -> number of the units of the same load.
    """
    found = ((window_of_unit(key, window.timezone), held) for key, held in units.items())
    return any(other is not None and overlaps(window, other) and held > number for other, held in found)
