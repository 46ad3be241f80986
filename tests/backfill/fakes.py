"""A fake Airflow: what it knows is given, what it is asked to do is kept. No scheduler, no database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_etl.backfill.facts import Dag, Order, Part, Progress, Run, Slot, Spot

DAY = timedelta(days=1)
FIRST = datetime(2013, 1, 1, 5, tzinfo=UTC)


@dataclass
class FakeAirflow:
    """Daily slots from the first of January 2013, 5 o'clock UTC, on; a backfill loads all but the days in `fails`."""

    known: Dag = field(default_factory=lambda: Dag(name="flights", timezone="UTC", paused=False, max_active=2, tasks=4))
    there: dict[Spot, Run] = field(default_factory=dict)
    past: list[float] = field(default_factory=list)
    going: Progress | None = None
    fails: tuple[datetime, ...] = ()
    orders: list[Order] = field(default_factory=list)
    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    unpaused: bool = False
    follows: bool = True

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Nothing to silence."""
        yield

    def default_timezone(self) -> str:
        return "UTC"

    def dag(self, name: str) -> Dag:
        assert name == self.known.name
        return self.known

    def source(self, _dag: Dag) -> Any:
        raise AssertionError("the pipeline file was named")

    def slots(self, _dag: Dag, first: datetime, last: datetime) -> list[Slot]:
        days = [FIRST + DAY * number for number in range(400)]
        return [slot(day) for day in days if first <= day <= last]

    def runs(self, _dag: Dag, _slots: Sequence[Slot]) -> dict[Spot, Run]:
        return self.there

    def before(self, _dag: Dag, _slot: Slot) -> Run | None:
        return None

    def seconds(self, _dag: Dag) -> list[float]:
        return self.past

    def active(self, _dag: Dag) -> Progress | None:
        return self.going

    def unpause(self, _dag: Dag) -> None:
        self.unpaused = True

    def start(self, order: Order) -> int:
        self.orders.append(order)
        return 7

    def progress(self, backfill: int) -> Progress:
        parts = [
            Part(
                slot=item.spot, run_id=f"run {item.start:%d}", state="failed" if item.start in self.fails else "success"
            )
            for item in self.orders[-1].slots
        ]
        return progress(parts, number=backfill)

    def cancel(self, _backfill: int) -> Progress:
        raise AssertionError("nobody asked for it")

    def loaded(self, _dag: Dag, runs: Sequence[str], note: str) -> None:
        self.notes |= dict.fromkeys(runs, note)

    def close(self, _backfill: int) -> None:
        self.going = None

    def happened(self, asset: str, extra: Mapping[str, Any]) -> bool:
        self.events.append((asset, extra))
        return True


def slot(start: datetime) -> Slot:
    """A day's slot."""
    return Slot(logical=start, start=start, end=start + DAY)


def day(number: int) -> datetime:
    """The start of a day of January 2013 in New York."""
    return FIRST + DAY * (number - 1)


def progress(parts: Sequence[Part], *, number: int = 3, paused: bool = False, completed: bool = True) -> Progress:
    """A backfill at a moment."""
    return Progress(
        id=number,
        dag="flights",
        timezone="America/New_York",
        begun=datetime.now(UTC),
        paused=paused,
        dag_paused=False,
        completed=completed,
        parts=parts,
    )
