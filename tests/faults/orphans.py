"""Processes whose parent is killed: remembered while they can be found, and ended by their own pids."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import psutil

_GRACE: Final = 20.0  # seconds


class Orphans:
    """The children of processes that a test kills.

    Airflow's workers write their title over the environment that they were started with, so no mark finds them once
    their parent is gone. psutil compares the time of each start, so a pid that another process has got since is left.
    """

    def __init__(self) -> None:
        self._found: set[psutil.Process] = set()

    def remember(self, parents: Iterable[psutil.Process]) -> None:
        """Remember who is below some processes that may end by themselves."""
        for parent in parents:
            with suppress(psutil.NoSuchProcess):
                self._found.update(parent.children(recursive=True))

    def kill(self, parent: psutil.Process) -> bool:
        """Kill a process alone, as `kill -9` does, and remember who is below it; whether it was there."""
        with suppress(psutil.NoSuchProcess):
            parent.suspend()  # else it starts one more between the look and its end
            self.remember([parent])
            parent.kill()
            return True
        return False

    def alive(self) -> list[psutil.Process]:
        """Those that live still, and all who are below them."""
        found = dict.fromkeys(process for process in self._found if _lives(process))
        for process in list(found):
            with suppress(psutil.NoSuchProcess):
                found |= dict.fromkeys(process.children(recursive=True))
        return list(found)

    def end(self) -> None:
        """Kill them.

        Raises:
            AssertionError: some live on.
        """
        ended(self.alive())
        assert not self.alive(), f"these stay: {self.alive()}"


def ended(processes: Iterable[psutil.Process]) -> None:
    """Kill processes, and wait for their end."""
    killed = list(processes)
    for process in killed:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(killed, timeout=_GRACE)


def _lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
