"""Whether windows cover a span of time, and which windows a schedule cuts over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from airflow_provider_etl.spec.schedule import Cuts
from spark_jobs.errors import ConfigError
from spark_jobs.window import iso

Span = tuple[datetime, datetime]
_MOST: Final = 10_000  # windows of one question


def gap(wanted: Span, windows: Iterable[Span]) -> Span | None:
    """The first part of a span that no window covers; None where they cover all of it.

    Args:
        wanted: start and end, the end exclusive.
        windows: likewise, in any order; they may overlap.
    """
    reached, end = wanted
    for first, last in sorted(windows):
        if first > reached:
            return reached, min(first, end)
        reached = max(reached, last)
        if reached >= end:
            return None
    return reached, end


def cut(cuts: Cuts, wanted: Span) -> Iterator[Span]:
    """The windows of a schedule that overlap a span, in order.

    Raises:
        ConfigError: they are too many to ask for.
    """
    start = wanted[0]
    here = start if cuts.first(start) == start else cuts.previous(start)
    for _ in range(_MOST):
        following = cuts.next(here)
        yield here, following
        here = following
        if here >= wanted[1]:
            return
    raise ConfigError(
        f"more than {_MOST} windows lie in {iso(wanted[0])}/{iso(wanted[1])}", expected="fewer: shorten the lookback"
    )
