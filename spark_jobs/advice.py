"""What the last windows' usage says of an engine's sizes, in words: pure, from numbers alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

LAST: Final = 10  # windows that count for more
LEAST: Final = 3  # below which nothing is said
_FLOOR: Final = 1 << 30  # less is never advised: Spark keeps 300 MiB for itself, and windows differ
_SAMPLED: Final = 60.0  # seconds of a window from which on executors' peaks mean something: they tell every ten
_ROOM: Final = 0.6  # of a memory, the peak takes this at most after the advice: windows differ
_LOW: Final = 0.5  # below which a memory is called too large
_COLLECTING: Final = 0.2  # share of the tasks' time in Java's collector, from which on memory is short
_BUSY: Final = 0.3  # share of the cores' time below which they are called too many
_WORK: Final = 30.0  # seconds of work in the middle, below which Spark's own steps are most of it
_STEPS: Final = tuple(
    size << 20 for size in (512, 1024, 2048, 3072, 4096, 6144, 8192, 12288, 16384, 24576, 32768, 65536)
)

Entry = Mapping[str, Any]


def advice(entries: Sequence[Entry]) -> list[str]:
    """What to change, a sentence each; empty where all is well or too little is known.

    Args:
        entries: usages, the newest last; those count that had the newest one's memory and cores. For less memory all
            of them do: the window of a month's end may be long ago.
    """
    alike = [entry for entry in entries if _sizes(entry) == _sizes(entries[-1])]
    if len(alike) < LEAST:
        return []
    short = list(_short(alike[-LAST:]))
    return [*(short or _large(alike)), *_cores(alike[-LAST:])]


def _sizes(entry: Entry) -> tuple[Any, ...]:
    """What has to be equal. The cores of a cluster are those that were there at the end: they come and go."""
    return entry["heap_max"], entry["executor_max"], None if entry["executors"] else entry["cores"]


def _short(entries: Sequence[Entry]) -> Iterator[str]:
    """Why there should be more memory."""
    which, most = ("executor_memory", "executor_max") if entries[-1]["executors"] else ("driver_memory", "heap_max")
    more = f"{which}: {text_of(_next(entries[-1][most] or 0))}"
    failed = sum(1 for entry in entries if entry.get("failed"))
    if failed:
        yield f"{failed} of the last {len(entries)} windows ran out of memory: {more}"
    spilled = [entry["bytes_spilled"] for entry in entries if entry["bytes_spilled"]]
    if len(spilled) * 2 >= len(entries):
        yield (
            f"{len(spilled)} of the last {len(entries)} windows wrote to disk what memory had no room for, "
            f"{text_of(max(spilled))} at most: {more}, or more shuffle partitions"
        )
    tasks, collecting = (sum(entry[key] for entry in entries) for key in ("task_seconds", "gc_seconds"))
    if tasks > _WORK and collecting > _COLLECTING * tasks:
        share = round(100 * collecting / tasks)
        yield f"Java's collector took {share} % of the tasks' time in the last {len(entries)} windows: {more}"


def _large(entries: Sequence[Entry]) -> Iterator[str]:
    """Which memory could be less, by the pipeline's own keys: an engine's `memory` is that of all its pipelines.

    The driver's peak counts what the collector hasn't removed yet: still less might do.
    """
    if any(entry.get("failed") for entry in entries):
        return  # one of them ran out of memory, whatever it had time to tell
    for who, peak, most, key in (
        ("the driver", "heap_peak", "heap_max", "driver_memory"),
        ("the executor that used most", "executor_peak", "executor_max", "executor_memory"),
    ):
        peaks, limit = [entry[peak] for entry in entries], entries[-1][most]
        if not limit or None in peaks or max(peaks) >= _LOW * limit:
            continue
        if peak == "executor_peak" and min(entry["seconds"] for entry in entries) < _SAMPLED:
            continue
        enough = next((step for step in _STEPS if step >= _FLOOR and max(peaks) <= _ROOM * step), limit)
        if enough < 0.9 * limit:  # Java's limit is a little less than what it was told
            share = round(100 * max(peaks) / limit)
            yield (
                f"{who} used {share} % of its memory at most in the last {len(entries)} windows "
                f"({text_of(max(peaks))} of {text_of(limit)}): {key}: {text_of(enough)} would do"
            )


def _cores(entries: Sequence[Entry]) -> Iterator[str]:
    seconds, cores = sum(entry["seconds"] for entry in entries), entries[-1]["cores"]
    if cores < 2 or seconds < _WORK * len(entries) or any(entry["cores"] != cores for entry in entries):
        return
    busy = sum(entry["task_seconds"] for entry in entries) / (seconds * cores)
    if busy < _BUSY:
        fewer = max(1, round(busy * cores / _ROOM + 0.5))
        if fewer < cores:
            share = round(100 * busy)
            last = f"in the last {len(entries)} windows"
            yield f"the {cores} cores were busy {share} % of the time {last}: {fewer} would do"


def _next(size: int) -> int:
    """The next memory that is clearly more."""
    return next((step for step in _STEPS if step > 1.2 * size), 2 * size)


def text_of(size: float) -> str:
    """Bytes as Spark and people write them: 512m, 2g, 1.4g, 37k."""
    for unit, letter in ((1 << 30, "g"), (1 << 20, "m"), (1 << 10, "k")):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + letter
    return f"{size:.0f} bytes"
