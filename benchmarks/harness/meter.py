"""A command measured from outside: `python -m benchmarks.harness.meter RESULT LOG COMMAND…` writes JSON to RESULT.

This process adopts whatever its descendants leave behind (PR_SET_CHILD_SUBREAPER) and waits for all of it: so the
kernel's own sum of CPU time holds driver, workers and JVMs, however short they lived. What still runs when the command
has ended is killed: nothing that a contender started outlives its turn.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_SUBREAPER: Final = 36  # PR_SET_CHILD_SUBREAPER, linux/prctl.h
_DEATH: Final = 1  # PR_SET_PDEATHSIG
_EVERY: Final = 0.1  # seconds between two looks at memory, at least
_SHARE: Final = 20  # a look takes a twentieth of the time at most: the kernel walks page tables for it


def main(result: str, log: str, *command: str) -> int:
    """Run the command to its end and write wall (s), cpu (s), memory (MiB) and code."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "this kernel adopts no orphans: CPU time would be missed")
    libc.prctl(_DEATH, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_end()))
    before, begun, looking = _cpu(), time.monotonic(), _Looking()
    with Path(log).open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    looking.start()
    code = process.returncode = _waited(process.pid)
    wall = time.monotonic() - begun
    looking.stop()
    _end()
    told = {"wall": wall, "cpu": _cpu() - before, "memory": looking.peak / 2**20, "code": code}
    Path(result).write_text(json.dumps(told), encoding="utf-8")
    return 0


def _waited(process: int) -> int:
    """The exit code of a process; orphans are waited for as they end, as init does."""
    while True:
        ended, status = os.wait()
        if ended == process:
            return os.waitstatus_to_exitcode(status)


def _cpu() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


class _Looking(threading.Thread):
    """Looks at the memory of all descendants until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._done = threading.Event()

    def run(self) -> None:
        """Keep the highest sum; bytes."""
        pause = 0.0
        while not self._done.wait(pause):
            begun = time.thread_time()
            self.peak = max(self.peak, sum(map(_proportional, descendants(os.getpid()))))
            pause = max(_EVERY, _SHARE * (time.thread_time() - begun))

    def stop(self) -> None:
        """Let the last look end."""
        self._done.set()
        self.join()


def descendants(root: int) -> list[int]:
    """The ids of all processes below one."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, left = list[int](), [root]
    while left:
        below = children.get(left.pop(), [])
        found += below
        left += below
    return found


def _proportional(process: int) -> int:
    """Bytes of memory that are a process's share: pages of several count for each in part (PSS, proc(5))."""
    with suppress(OSError):  # it has ended, or ends now
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def _end() -> int:
    """Kill what is left and wait for it, so that its CPU time is in the sum too."""
    while left := descendants(os.getpid()):
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        with suppress(ChildProcessError):
            os.waitpid(-1, 0)
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
