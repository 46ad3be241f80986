"""Points of a load at which a process may die: each has a name, so that a test can end it there, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
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


HOOK: Final = _Hook()


def reach(point: str) -> None:
    """A run has come to a point.

    Args:
        point: one of POINTS.
    """
    if HOOK.reached is not None:
        HOOK.reached(point)
