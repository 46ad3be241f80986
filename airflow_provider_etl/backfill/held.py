"""What the tables hold of a backfill's windows, read without Spark; and windows that they would refuse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from airflow_provider_etl.hooks.ledger import LedgerHook
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
    hooks: dict[str, LedgerHook] = {}
    found: dict[Window, Held] = {}
    for window in windows:
        states = {_state(hooks, pipeline, *item) for pipeline in pipelines for item in pipeline.units(window).values()}
        found[window] = next((state for state in _ORDER if state in states), "unknown")
    return found


def _state(hooks: dict[str, LedgerHook], pipeline: Pipeline, unit: LoadUnit, options: Mapping[str, Any]) -> Held:
    path = str(options["path"])
    hook = hooks.setdefault(path, LedgerHook(path))
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

    It is known from the statistics of the table's files: a file that holds rows of several windows says nothing.
    """
    found: dict[Window, str] = {}
    for pipeline in pipelines:
        for _, options in pipeline.units(windows[0]).values() if windows else ():
            if options["write"]["strategy"] == "append":
                spans = _spans(str(options["path"]), pipeline.id)
                found |= {window: cut for window in windows if (cut := _cut(window, spans))}
    return found


def _cut(window: Window, spans: set[tuple[datetime, datetime]]) -> str:
    for start, end in sorted(spans):
        inside = window.start <= start and end <= window.end
        if start < window.end and end > window.start and not inside:
            return f"{start.isoformat()}/{end.isoformat()}"
    return ""


def _spans(path: str, pipeline: str) -> set[tuple[datetime, datetime]]:
    """(start, end) of the windows whose rows stand in files of their own."""
    import pyarrow as pa  # type: ignore[import-untyped]

    try:
        table = LedgerHook(path)._table  # noqa: SLF001 - the same table, opened the same way
    except EtlError:
        return set()
    if table is None:
        return set()
    files = pa.table(table.get_add_actions(flatten=True)).to_pylist()
    return {span for file in files if (span := _span(file, pipeline))}


def _span(file: Mapping[str, Any], pipeline: str) -> tuple[datetime, datetime] | None:
    ends = []
    for column in ("_pipeline", "_window_start", "_window_end"):
        low, high = file.get(f"min.{column}"), file.get(f"max.{column}")
        if low is None or low != high:
            return None
        ends.append(low)
    return (_aware(ends[1]), _aware(ends[2])) if ends[0] == pipeline else None


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
