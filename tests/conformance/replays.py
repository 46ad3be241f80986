"""Runs of a pipeline with decisions about its quarantine between them, and what they must leave: no Spark in it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from hypothesis import strategies as st

from spark_jobs.points import POINTS

DAYS: Final = 2
LIMITS: Final = (2, 3)
FILTERED: Final = 1
"""The value of rows that a step leaves out."""
_DIES_AT: Final = tuple(point for point in POINTS if "side" not in point)

Record = tuple[int, int, int | None]
"""A row of the source: its hour, its id, its value; None where that can't be read."""
Known = dict[Record, str]
"""Record -> its state in quarantine."""


@dataclass(frozen=True)
class Go:
    """A run of a day; or of the days with rows that wait.

    Args:
        day: from 1; None for a replay.
        version: which of the source's states it reads, 0 or 1.
        limit: the largest value that its check lets pass: another limit is another configuration.
        dies_at: the point at which it dies; None where it lives.
        retried: whether the same task tries again where it died.
        zombie: whether it was submitted before all others.
        alone: of a replay, whether it is of the rows alone, and not of their windows.
    """

    day: int | None = None
    version: int = 1
    limit: int = LIMITS[-1]
    dies_at: str | None = None
    retried: bool = False
    zombie: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Drop:
    """Rows that wait are given up: those of a day, or of all days."""

    day: int | None


@dataclass(frozen=True)
class Export:
    """Rows that wait are written to a file."""


Action = Go | Drop | Export


@dataclass(frozen=True)
class Told:
    """Sources, and what is done.

    Args:
        sources: day -> version -> its rows, each (id, value).
        actions: in this order.
    """

    sources: tuple[tuple[tuple[tuple[int, int | None], ...], ...], ...]
    actions: tuple[Action, ...]

    def records(self, day: int, version: int) -> list[Record]:
        """What the source of a day says."""
        return [(hour, 10 * day + id_, value) for hour, (id_, value) in enumerate(self.sources[day - 1][version])]


@dataclass(frozen=True)
class Outcome:
    """Where each row of a window goes, by one source and one configuration.

    Args:
        rows: those in the table.
        refused: those set aside.
        filtered, deduplicated: how many a step leaves out.
    """

    rows: frozenset[Record] = frozenset()
    refused: frozenset[Record] = frozenset()
    filtered: int = 0
    deduplicated: int = 0


def outcome(records: list[Record], limit: int, *, dedupes: bool) -> Outcome:
    """What a plain run makes of a source: unreadable rows go, small ones are left out, of an id the largest stays."""
    broken = {record for record in records if record[2] is None}
    kept = [record for record in records if record[2] is not None and record[2] != FILTERED]
    best: dict[int, Record] = {}
    for record in sorted(kept, key=lambda item: (item[2], item[0])):
        best[record[1] if dedupes else record[0]] = record
    over = {record for record in best.values() if (record[2] or 0) > limit}
    return Outcome(
        rows=frozenset(set(best.values()) - over),
        refused=frozenset(broken | over),
        filtered=len(records) - len(kept) - len(broken),
        deduplicated=len(kept) - len(best),
    )


@dataclass
class Window:
    """What a window's table and quarantine hold, as the actions that counted have left it.

    Args:
        now: of the last run that counted.
        known: the records that runs which counted have refused.
        seen: those that any run has: the mark of one is right, and none is needed where that run died.
    """

    now: Outcome = field(default_factory=Outcome)
    known: Known = field(default_factory=dict)
    seen: set[Record] = field(default_factory=set)

    def loaded(self, made: Outcome) -> None:
        """A run of the window has committed: what it refuses waits, unless it was given up; the rest is settled."""
        gone = {record: "replayed" for record in self.known if record not in made.refused}
        again = {record: "dropped" if self.known.get(record) == "dropped" else "waiting" for record in made.refused}
        self.now, self.known = made, gone | again

    def added(self, limit: int) -> None:
        """A replay of rows alone has committed: those that wait and pass today are loaded, the others wait on."""
        passed = {record for record in self.of("waiting") if record[2] is not None and record[2] <= limit}
        self.now = replace(self.now, rows=self.now.rows | passed, refused=self.now.refused - passed)
        self.known |= dict.fromkeys(passed, "replayed")

    def dropped(self) -> int:
        """Rows that wait are given up; how many."""
        mine = [record for record, state in self.known.items() if state == "waiting"]
        self.known |= dict.fromkeys(mine, "dropped")
        return len(mine)

    def of(self, *states: str) -> set[Record]:
        """The records in some states."""
        return {record for record, state in self.known.items() if state in states}


def schedules(*, alone: bool = False) -> st.SearchStrategy[Told]:
    """Schedules in which every day is loaded at last, and decisions about its quarantine are made after that.

    Args:
        alone: whether rows may be replayed alone.
    """
    row = st.tuples(st.integers(1, 2), st.sampled_from([FILTERED, 2, 3, 4, 4, None]))
    rows = st.lists(row, min_size=1, max_size=4).map(tuple)
    sources = st.tuples(*[st.tuples(rows, rows) for _ in range(DAYS)])
    fate: dict[str, Any] = {"dies_at": st.one_of(st.none(), st.sampled_from(_DIES_AT)), "retried": st.booleans()}
    today: dict[str, Any] = {"version": st.integers(0, 1), "limit": st.sampled_from(LIMITS)}
    run = st.builds(Go, day=st.integers(1, DAYS), zombie=st.booleans(), **today, **fate)
    replay = st.builds(Go, alone=st.booleans() if alone else st.just(False), **today, **fate)
    decision = st.one_of(st.builds(Drop, st.sampled_from([None, 1, 2])), st.just(Export()))
    first = st.lists(st.one_of(run, run, replay, decision), min_size=2, max_size=5).map(tuple)
    last = st.permutations(range(1, DAYS + 1)).map(lambda days: tuple(Go(day, limit=LIMITS[0]) for day in days))
    # A looser check, a replay of what waits, and the same once more: the second finds nothing to do.
    ends = st.sampled_from(
        [
            (Go(alone=alone), Go(alone=alone)),
            (Drop(1), Go(alone=alone)),
            (Go(limit=LIMITS[0], alone=alone), Drop(None)),
            (Go(), Drop(None), Go(limit=LIMITS[0])),
        ]
    )
    actions = st.builds(lambda some, all_, end: (*some, *all_, *end), first, last, ends)
    return st.builds(Told, sources=sources, actions=actions)
