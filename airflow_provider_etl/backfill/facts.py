"""What a backfill needs to know of an Airflow: the same words for every version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Reprocess = Literal["none", "failed", "completed"]
Spot = tuple[datetime | None, str | None]


@dataclass(frozen=True, kw_only=True)
class Dag:
    """A DAG as Airflow knows it.

    Args:
        name: its id.
        timezone: IANA name of the zone in which its timetable cuts time.
        paused: whether its runs wait.
        refused: why no backfill of it is possible at all; empty where one is.
        depends_on_past: whether a task waits until the same task of the run before has succeeded.
        max_active: runs that go on at once.
        tasks: how many a run has.
        path: its file on this machine; empty where that isn't known.
        bundle: its DAG bundle; empty before Airflow 3.
        catchup: whether its schedule makes up for the past as soon as it isn't paused.
        end: its last logical date, aware; a later run's tasks would never start.
    """

    name: str
    timezone: str
    paused: bool
    refused: str = ""
    depends_on_past: bool = False
    max_active: int
    tasks: int
    path: str = ""
    bundle: str = ""
    catchup: bool = False
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Slot:
    """A run that the timetable cuts: there, or only possible.

    Args:
        logical: its logical date; None where it is a partition.
        partition: its partition's key; None elsewhere.
        start, end: the window, aware; equal where nothing cuts one.
        info: Airflow's own object of it.
    """

    logical: datetime | None
    partition: str | None = None
    start: datetime
    end: datetime
    info: Any = field(default=None, compare=False, repr=False)

    @property
    def spot(self) -> Spot:
        """What tells it from every other slot of its DAG."""
        return self.logical, self.partition

    @property
    def cuts(self) -> bool:
        """Whether it has a window."""
        return self.start < self.end


@dataclass(frozen=True, kw_only=True)
class Run:
    """The run of a slot: its id and state, as Airflow says."""

    run_id: str
    state: str

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in ("success", "failed")


@dataclass(frozen=True, kw_only=True)
class Order:
    """A backfill to start.

    Args:
        dag: its id.
        slots: in the order of time.
        reprocess: what becomes of slots that have a run.
        max_active: runs of the backfill that go on at once.
        backwards: the latest slot first.
        conf: every run's configuration; None leaves those of runs that are there as they are.
        latest: whether runs use the bundle's latest version; None: as the DAG or the deployment says.
    """

    dag: str
    slots: Sequence[Slot]
    reprocess: Reprocess
    max_active: int
    backwards: bool = False
    conf: Mapping[str, Any] | None = None
    latest: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Part:
    """One run of a backfill.

    Args:
        slot: logical date and partition.
        run_id: empty where the backfill has none: `reason` says why.
        state: as Airflow says.
        seconds: since it began, or that it took; None before.
        tasks: task -> state, in no order.
        again: whether it had run before this backfill.
    """

    slot: Spot
    run_id: str
    state: str
    reason: str = ""
    seconds: float | None = None
    tasks: Mapping[str, str] = field(default_factory=dict)
    again: bool = False

    @property
    def over(self) -> bool:
        """Whether nothing more happens to it."""
        return not self.run_id or self.state in ("success", "failed")


@dataclass(frozen=True, kw_only=True)
class Progress:
    """A backfill at a moment.

    Args:
        id: Airflow's number of it.
        dag: the DAG's id.
        timezone: of the DAG.
        begun: when it was created.
        paused: whether the backfill itself is paused.
        dag_paused: whether its DAG is.
        completed: whether Airflow counts it as over.
        parts: its runs, in their order.
    """

    id: int
    dag: str
    timezone: str
    begun: datetime
    paused: bool
    dag_paused: bool
    completed: bool
    parts: Sequence[Part]

    @property
    def over(self) -> bool:
        """Whether nothing more happens."""
        return self.completed or (bool(self.parts) and all(part.over for part in self.parts))
