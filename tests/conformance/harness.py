"""Runs a schedule on a destination, by its own methods, as a run does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from spark_jobs.connections import Connections
from spark_jobs.errors import DataError
from spark_jobs.flow import Context
from spark_jobs.points import HOOK
from spark_jobs.window import Window
from tests.conformance.events import FIRST, SCHEMA, Event
from tests.conformance.schedule import Load, Schedule
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, plan

_DYING: Final = threading.local()


class Died(BaseException):
    """The process is gone: nobody catches it, and nothing more of it runs."""


def die_at(end: str | None, point: str) -> None:
    """End at a point; in whichever process."""
    if end == point:
        raise Died(f"dead {point}")


def _die(point: str) -> None:
    die_at(getattr(_DYING, "at", None), point)


def _elsewhere() -> Callable[[str], None]:
    return partial(die_at, getattr(_DYING, "at", None))


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A destination under test.

    Args:
        make: gives the destination for a folder of its own and a strategy.
        read: gives the rows of a destination, as dictionaries.
        connections: that the destination names.
        catalogs: that the destination names, for a folder.
    """

    make: Callable[[Path, Any], Any]
    read: Callable[[Any], list[dict[str, Any]]]
    connections: Connections = field(default_factory=Connections)
    catalogs: Callable[[Path], dict[str, Any]] = field(default=lambda _folder: {})


def span(first: int, days: int) -> Window:
    """The window of some days."""
    start = FIRST.replace(tzinfo=UTC) + timedelta(days=first)
    return Window(start=start, end=start + timedelta(days=days), timezone="UTC")


@dataclass(kw_only=True)
class Stage:
    """One destination in one folder, on which a schedule runs.

    Args:
        spark: the suite's session; every load gets one of its own.
        folder: an empty folder.
        destination: what is loaded.
        columns: the columns of SCHEMA that the dataset has.
        connections: that the destination names.
        catalogs: that the destination names.
        shape: SQL: what is made of the columns.
        wide: the days whose sources have the column `more`.
        pipeline: who loads.
    """

    spark: Any
    folder: Path
    destination: Any
    columns: Sequence[str]
    connections: Connections
    catalogs: dict[str, Any] = field(default_factory=dict)
    shape: Sequence[str] = ()
    wide: frozenset[int] = frozenset()
    pipeline: str = "flights"
    second: int = 100

    def run(self, schedule: Schedule) -> None:
        """Do what a schedule says; those of a group at once."""
        HOOK.reached, HOOK.elsewhere = _die, _elsewhere
        try:
            for group in schedule.steps:
                numbered = [(load, self._second(load)) for load in group]
                with ThreadPoolExecutor(len(group)) as pool:
                    for done in [
                        pool.submit(self.load, load, second, schedule.rows(load)) for load, second in numbered
                    ]:
                        done.result()
        finally:
            HOOK.reached = HOOK.elsewhere = None

    def _second(self, load: Load) -> float:
        """When it was submitted: a zombie before everybody else."""
        self.second += 1
        return self.second / 1000 if load.zombie else self.second

    def load(self, load: Load, second: float, events: Sequence[Event]) -> None:
        """One attempt; where it dies, the same task's next try may find what there is."""
        from pyspark.errors import PythonException

        _DYING.at = load.dies_at
        try:
            self._attempt(load, second, events)
        except (Died, PythonException) as end:
            if isinstance(end, PythonException) and "Died: dead" not in str(end):
                raise
            _DYING.at = None
            if load.retried:
                self._attempt(load, second + 0.5, events, second)
        except DataError as refused:
            # A window that cuts through a larger one, which only a strategy that can't tell their rows apart refuses.
            if "cuts through" not in str(refused):
                raise
        finally:
            _DYING.at = None

    def _attempt(self, load: Load, second: float, events: Sequence[Event], first: float | None = None) -> None:
        """Attempt it; `first` is when the task's first try was submitted, whose token is the others' too."""
        window = span(load.first, load.days)
        who = attempt(second, f"{load.first}-{load.days}-{first or second}")
        made = plan(self.folder, window, who, catalogs=self.catalogs, pipeline=self.pipeline)
        session = self.spark.newSession()
        context = Context(spark=session, plan=made, where="load.lake", dataset="result", connections=self.connections)
        if self.destination.done("lake", context) is not None:
            return
        self.destination.publish("lake", self._rows(session, load, events), len(events), context)

    def _rows(self, session: Any, load: Load, events: Sequence[Event]) -> Any:
        """What a load brings: with `more` where one of its days has it."""
        more = [event.name if event.day in self.wide else None for event in events]
        given = [(*event.row, value) for event, value in zip(events, more, strict=True)]
        wide = ("more",) if self.wide & set(load.span) else ()
        rows = frame(session, given, f"{SCHEMA}, more STRING").select(*self.columns, *wide)
        return rows.selectExpr(*self.shape) if self.shape else rows
