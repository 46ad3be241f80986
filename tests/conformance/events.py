"""What the windows of a schedule bring: few keys, few sequences, many collisions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

DAYS: Final = 4
FIRST: Final = datetime(2013, 1, 1)  # noqa: DTZ001 - Spark's session is in UTC
SCHEMA: Final = "id INT, seq INT, at TIMESTAMP, name STRING, op STRING"
"""The columns of an event; `op` is c, u, d or t."""
_OLD_ID: Final = "IF(op = 'u' AND seq % 3 = 0, id % 3 + 1, id)"
ENVELOPES: Final = (
    "op",
    "seq",
    f"IF(op IN ('u', 'd'), named_struct('id', {_OLD_ID}, 'at', at, 'name', name), NULL) AS before",
    "IF(op IN ('c', 'u'), named_struct('id', id, 'at', at, 'name', name), NULL) AS after",
)
"""The same events as a change stream's envelopes: an update of every third sequence has changed the key."""


@dataclass(frozen=True)
class Event:
    """One row of a source."""

    id: int | None
    seq: int
    at: datetime
    name: str | None
    op: str

    @property
    def row(self) -> tuple[Any, ...]:
        """In the order of SCHEMA."""
        return (self.id, self.seq, self.at, self.name, self.op)

    @property
    def day(self) -> int:
        """Of the window that brings it."""
        return (self.at - FIRST).days

    @property
    def old_id(self) -> int | None:
        """The key that it had before: an update of every third sequence has changed it."""
        return self.id % 3 + 1 if self.id is not None and self.op == "u" and self.seq % 3 == 0 else self.id


def events(day: int, *, truncates: bool = False, one_per_key: bool = False) -> st.SearchStrategy[tuple[Event, ...]]:
    """The events of a day: their sequences are of any day, since sources deliver late and out of order.

    Args:
        day: from 0.
        truncates: whether a truncate may be among them.
        one_per_key: whether a key has one event at most.
    """
    keyed = st.builds(
        Event,
        id=st.integers(1, 3),
        seq=st.integers(0, 6),
        at=st.integers(0, 23).map(lambda hour: FIRST + timedelta(days=day, hours=hour)),
        name=st.sampled_from(["a", "b", None]),
        op=st.sampled_from("cuud"),
    )
    unique = (lambda event: event.id) if one_per_key else (lambda event: event)
    found = st.lists(keyed, max_size=4, unique_by=unique).map(tuple)
    if not truncates:
        return found
    cut = st.integers(0, 6).map(lambda seq: (Event(None, seq, FIRST + timedelta(days=day, hours=12), None, "t"),))
    return st.builds(lambda some, more: some + more, found, st.one_of(st.just(()), st.just(()), cut))
