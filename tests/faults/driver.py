"""Spark's side of a job to which something happens at a kill point; everything else of it is as it always is.

`python -m tests.faults.driver POINT FAULT --plan … --report … --lifeline`
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Final

import psutil

from spark_jobs import run
from spark_jobs.points import HOOK, POINTS


def _die() -> None:
    """As by `kill -9`: no handler runs, and Java is told by nobody."""
    os.kill(os.getpid(), signal.SIGKILL)


def _lose_java() -> None:
    """As the kernel ends the largest process where memory is short: Java goes, Python stays."""
    for process in psutil.Process().children(recursive=True):
        if process.name() == "java":
            process.kill()


def _sleep() -> None:
    """As on a machine that hangs: it goes on where it was once somebody wakes it."""
    os.kill(os.getpid(), signal.SIGSTOP)


FAULTS: Final[dict[str, Callable[[], None]]] = {"die": _die, "lose java": _lose_java, "sleep": _sleep}


def main() -> int:
    """Run, until the point is reached for the first time."""
    point, fault, *rest = sys.argv[1:]
    if point not in POINTS:
        raise SystemExit(f"no such point: {point}")

    def reached(there: str) -> None:
        if there == point:
            HOOK.reached = None
            print(f"[fault] {fault} {point}", flush=True)  # noqa: T201 - whoever waits for it reads this
            FAULTS[fault]()

    HOOK.reached = reached
    return run.main(rest)


if __name__ == "__main__":
    sys.exit(main())
