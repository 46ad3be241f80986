"""What happens to the windows: any order, repeats, smaller and larger ones, zombies, several at once, deaths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

from spark_jobs.points import POINTS
from tests.conformance.events import DAYS, Event, events

AT_LOAD: Final = tuple(point for point in POINTS if "commit" in point)
"""The points that a destination's own code comes to; the others are a run's."""


@dataclass(frozen=True)
class Load:
    """One attempt at a span of days.

    Args:
        first: the span's first day.
        days: its length.
        dies_at: the point at which it dies; None where it lives.
        zombie: whether it was submitted before all that ran until now, and comes last.
        retried: whether the task tries again where it died.
        draft: whether the source says something else yet: the events of the next version replace these.
    """

    first: int
    days: int = 1
    dies_at: str | None = None
    zombie: bool = False
    retried: bool = False
    draft: bool = False

    @property
    def span(self) -> range:
        """Its days."""
        return range(self.first, self.first + self.days)


@dataclass(frozen=True)
class Schedule:
    """Sources and what is done with them.

    Args:
        source: day -> its events.
        drafts: day -> what its source said before it was mended.
        steps: groups of loads; those of one group run at once.
        wide: the days whose sources have a column more, `more`.
    """

    source: tuple[tuple[Event, ...], ...]
    drafts: tuple[tuple[Event, ...], ...]
    steps: tuple[tuple[Load, ...], ...]
    wide: frozenset[int] = frozenset()

    def rows(self, load: Load) -> list[Event]:
        """What a load reads."""
        read = self.drafts if load.draft else self.source
        return [event for day in load.span for event in read[day]]


def schedules(
    *,
    truncates: bool = False,
    one_per_key: bool = False,
    spans: bool = True,
    mended: bool = True,
    widens: bool = False,
) -> st.SearchStrategy[Schedule]:
    """Schedules in which every day is loaded at last.

    Args:
        truncates: whether sources have truncates.
        one_per_key: whether a day has one event of a key at most.
        spans: whether a window may be of several days.
        mended: whether a source may have said something else before.
        widens: whether some days have a column that others lack.
    """
    days = [events(day, truncates=truncates, one_per_key=one_per_key) for day in range(DAYS)]
    loads = st.builds(
        Load,
        first=st.integers(0, DAYS - 1),
        dies_at=st.one_of(st.none(), st.none(), st.sampled_from(AT_LOAD)),
        zombie=st.booleans(),
        retried=st.booleans(),
        draft=st.booleans() if mended else st.just(False),
    )
    # At once only days that differ: two attempts of one window are ordered by their numbers, not by us.
    group = st.lists(loads, min_size=1, max_size=3, unique_by=lambda load: load.first).map(tuple)
    last = st.permutations(range(DAYS)).map(lambda order: tuple((Load(day),) for day in order))
    whole = st.just(((Load(0, days=DAYS),),)) if spans else last
    ends = st.one_of(last, whole, last.map(lambda steps: (tuple(load for step in steps for load in step),)))
    return st.builds(
        Schedule,
        source=st.tuples(*days),
        drafts=st.tuples(*days),
        steps=st.builds(lambda some, end: (*some, *end), st.lists(group, max_size=3), ends),
        wide=st.frozensets(st.integers(0, DAYS - 1)) if widens else st.just(frozenset()),
    )
