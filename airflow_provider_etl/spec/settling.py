"""`settle`: how long after its end a window of a database is read, since transactions commit later than they write."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.verbs import Verbs
from spark_jobs.window import Window

_HINT: Final = "such as `settle: 10m`, longer than any transaction that writes there; `settle: 0s` where none is open"


def check(verbs: Verbs, problems: Problems) -> None:
    """Report sources that choose rows by a column, may miss some that are committed late, and don't say how long."""
    for name, placed in verbs.extract.items():
        kind = placed.kind
        if kind is FAILED or not hasattr(kind, "settled") or kind.settle is not None:
            continue
        column = getattr(kind.window, "column", None)
        if column is not None or (kind.window is None and "${window." in kind.query):
            by = f"by {column!r}" if column else "by its query"
            message = f"source {name!r} reads a window {by} as soon as it ends: rows that are committed later are lost"
            problems.add(verbs.sources[name], "settle-missing", message, _HINT, severity="warning")


def ready(sources: Mapping[str, Any], window: Window) -> datetime:
    """The instant from which on all sources may be read for a window."""
    return max((source.settled(window) for source in sources.values() if _waits(source)), default=window.end)


def _waits(source: Any) -> bool:
    return getattr(source, "settle", None) is not None and source.window != "all"
