"""A process and all that it starts, measured: seconds on the clock and of CPU, and memory at its peak."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import psutil

_EVERY: Final = 0.1  # seconds between two looks: what a process did after the last one before its end isn't seen


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a command took.

    Args:
        wall: seconds on the clock.
        cpu: seconds of CPU of the whole process tree.
        memory: MiB of the whole tree at its peak (resident; what processes share counts for each).
    """

    wall: float
    cpu: float
    memory: float


def measured(command: Sequence[str], log: Path) -> Cost:
    """Run a command to its end.

    Args:
        command: with its arguments.
        log: where its words go.

    Raises:
        SystemExit: it failed; with its last words.
    """
    import psutil

    begun, cpu, peak = time.monotonic(), dict[tuple[int, float], float](), 0.0
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        tree = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _look(tree, cpu))
            time.sleep(_EVERY)
    wall = time.monotonic() - begun
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}:\n{log.read_text()[-3000:]}")
    return Cost(wall=wall, cpu=sum(cpu.values()), memory=peak / 2**20)


def _look(tree: psutil.Process, cpu: dict[tuple[int, float], float]) -> float:
    """Note the CPU time of each process of a tree; their memory together, in bytes."""
    import psutil

    memory = 0.0
    try:
        processes = [tree, *tree.children(recursive=True)]
    except psutil.Error:
        return 0.0
    for process in processes:
        try:
            times = process.cpu_times()
            cpu[process.pid, process.create_time()] = times.user + times.system
            memory += process.memory_info().rss
        except psutil.Error:
            continue  # it has just ended
    return memory
