"""Points of a load at which a process may die: each has a name, so that a test can end it there, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

POINTS: Final = (
    "before staging",
    "staged",
    "audited",
    "before side commit",
    "after side commit",
    "before commit",
    "after commit",
    "before report",
)


class _Hook:
    """Who is told; nobody but in tests."""

    reached: Callable[[str], None] | None = None
    elsewhere: Callable[[], Callable[[str], None]] | None = None
    """Gives what can be told in another process, where an executor's task comes to the points."""


HOOK: Final = _Hook()


def reach(point: str) -> None:
    """A run has come to a point.

    Args:
        point: one of POINTS.
    """
    if HOOK.reached is not None:
        HOOK.reached(point)


def carried() -> Callable[[str], None] | None:
    """Who a task is to tell; it is sent with the task."""
    return HOOK.elsewhere() if HOOK.elsewhere is not None else None


@contextmanager
def telling(told: Callable[[str], None] | None) -> Iterator[None]:
    """Tell somebody else within the block: a worker of Spark's is used for many tasks."""
    before, HOOK.reached = HOOK.reached, told
    try:
        yield
    finally:
        HOOK.reached = before
