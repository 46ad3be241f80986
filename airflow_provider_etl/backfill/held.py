"""What the tables hold of a backfill's windows, read without Spark; and windows that they would refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_etl.hooks.tables import TableLedger, ledger_of, place_of
from spark_jobs.errors import EtlError
from spark_jobs.ledger import LoadUnit, attempt_number
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

Held = Literal["loaded", "outdated", "missing", "superseded", "unknown"]
_ORDER: tuple[Held, ...] = ("missing", "outdated", "superseded", "loaded")  # what a window is when its loads differ


def held(pipelines: Sequence[Pipeline], windows: Iterable[Window]) -> dict[Window, Held]:
    """How each window stands in the ledgers of all loads of all pipelines.

    Args:
        pipelines: those that a run of the DAG loads; none means that nothing is known.
        windows: what would be loaded.

    Returns:
        `loaded`: with today's configuration; `outdated`: with another; `missing`: not at all; `superseded`: a snapshot
        of a newer window is there; the first of missing, outdated, superseded, loaded that is true of a load.

    Raises:
        EtlError: a ledger can't be read.
    """
    hooks: dict[str, TableLedger] = {}
    found: dict[Window, Held] = {}
    for window in windows:
        states = {_state(hooks, pipeline, *item) for pipeline in pipelines for item in pipeline.units(window).values()}
        found[window] = next((state for state in _ORDER if state in states), "unknown")
    return found


def _state(hooks: dict[str, TableLedger], pipeline: Pipeline, unit: LoadUnit, options: Mapping[str, Any]) -> Held:
    place = place_of(options)
    if place not in hooks:
        hooks[place] = ledger_of(options)
    hook = hooks[place]
    number = hook.number(unit)
    if number is None:
        return "missing"
    if hook.holds(unit, pipeline.fingerprint):
        return "loaded"
    if not unit.snapshot or unit.last_attempt(number):
        return "outdated"
    newer = number > unit.commit_number(attempt_number(pipeline.fingerprint))
    return "superseded" if newer else "missing"


def overlaps(pipelines: Sequence[Pipeline], windows: Sequence[Window]) -> dict[Window, str]:
    """Windows that an `append` refuses, since rows of a window that they cut in two are there; and which that is.

    Of a Delta table it is known from the statistics of its files: one with rows of several windows says nothing.
    """
    found: dict[Window, str] = {}
    for pipeline in pipelines:
        for _, options in pipeline.units(windows[0]).values() if windows else ():
            if options["write"]["strategy"] == "append":
                spans = _spans(options, pipeline.id)
                found |= {window: cut for window in windows if (cut := _cut(window, spans))}
    return found


def _cut(window: Window, spans: set[tuple[datetime, datetime]]) -> str:
    for start, end in sorted(spans):
        inside = window.start <= start and end <= window.end
        if start < window.end and end > window.start and not inside:
            return f"{start.isoformat()}/{end.isoformat()}"
    return ""


def _spans(options: Mapping[str, Any], pipeline: str) -> set[tuple[datetime, datetime]]:
    """(start, end) of the windows whose rows are known to stand in a table."""
    try:
        return ledger_of(options).appended(pipeline)
    except EtlError:
        return set()
