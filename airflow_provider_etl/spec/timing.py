"""Schedules, windows and durations that are each allowed and together make no sense."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Final

from airflow_provider_etl.spec.class_plan import option_node
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.pipeline import Pipeline
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.verbs import Placed, Verbs
from spark_jobs.errors import ConfigError
from spark_jobs.outline import Outline, family
from spark_jobs.window import Window

_SPARK_STARTS: Final = timedelta(seconds=30)  # a task that may not take longer hardly sees its first row
_LAST: Final = datetime(2199, 1, 1, tzinfo=UTC)
_FIRST: Final = datetime(2013, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Timed:
    """A pipeline without errors, and where its keys stand.

    Args:
        pipeline: the pipeline.
        node: its keys, defaults included.
        verbs: what was read.
        outlines: dataset -> columns.
        problems: where problems go.
    """

    pipeline: Pipeline
    node: MapNode
    verbs: Verbs
    outlines: Mapping[str, Outline]
    problems: Problems

    def check(self) -> None:
        """Report what makes no sense."""
        self._durations()
        windows = list(itertools.islice(self._windows(), 2))
        if not windows and self.pipeline.end is not None and self.pipeline.cuts:
            message = "no window of the schedule lies between start and end: the pipeline never runs"
            self._warn("end", "no-window", message, "a window must lie inside whole: move start or end")
        read = [window for window in map(self._read, windows) if not window.whole_days]
        if read:
            self._dates(read[0])

    def _durations(self) -> None:
        pipeline, retries = self.pipeline, self.pipeline.retries
        for item in fields(pipeline.timeout):
            span = getattr(pipeline.timeout, item.name)
            if span is not None and span < _SPARK_STARTS:
                message = f"{item.name} may take {_told(span)}: Spark alone takes some of that to start"
                self._warn("timeout", "timeout-short", message, "give it a minute at least")
        if retries.attempts and retries.max_delay < retries.delay:
            message = f"max_delay {_told(retries.max_delay)} is shorter than delay {_told(retries.delay)}"
            self._warn("retries", "retries-inverted", message, "the longest wait is at least the first one")
        if pipeline.freshness is not None and retries.attempts and pipeline.freshness <= retries.delay:
            message = (
                f"freshness {_told(pipeline.freshness)} is over before the first retry, after {_told(retries.delay)}"
            )
            self._warn("freshness", "freshness-short", message, "expect the load later, or retry sooner")

    def _windows(self) -> Iterator[Window]:
        pipeline = self.pipeline
        if pipeline.cuts is None:
            return
        try:
            yield from pipeline.windows(pipeline.start or _FIRST, pipeline.end or _LAST)
        except (ConfigError, OverflowError):
            return  # told with the schedule

    def _read(self, window: Window) -> Window:
        """What is read for a window, or the window itself where that cuts days already."""
        return (self.pipeline.reach(window) or window) if window.whole_days else window

    def _dates(self, window: Window) -> None:
        """A date can't say to which of a day's windows a row belongs, nor whether it lies in a part of a day."""
        for name, placed in self.verbs.extract.items():
            column = getattr(getattr(placed.kind, "window", None), "column", None)
            self._date(placed, "window", column, self.outlines.get(name), window)
        for name, placed in self.verbs.load.items():
            column = getattr(getattr(placed.kind, "write", None), "column", None)
            self._date(placed, "write", column, self.outlines.get(self.pipeline.load[name][0]), window)

    def _date(self, placed: Placed, key: str, column: str | None, rows: Outline | None, window: Window) -> None:
        if column is None or rows is None or family(rows.columns.get(column)) != "date":
            return
        found = option_node(type(placed.kind), placed.node, key)
        node: Node = (found.get("column") if isinstance(found, MapNode) else found) or placed.node
        message = f"column {column!r} is a date, and {window} isn't whole days in {window.timezone}"
        self.problems.add(node, "date-window", message, "name a timestamp, or whole days of windows and lookback")

    def _warn(self, key: str, code: str, message: str, hint: str) -> None:
        node = self.node.get(key) or self.node
        self.problems.add(node, code, message, hint, severity="warning")


def _told(span: timedelta) -> str:
    """A duration as the file writes it."""
    seconds = int(span.total_seconds())
    unit, size = next((item for item in (("d", 86400), ("h", 3600), ("m", 60)) if seconds % item[1] == 0), ("s", 1))
    return f"{seconds // size}{unit}"
