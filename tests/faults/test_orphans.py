"""Given a process that is killed alone, when its test ends, then nobody of those below it lives on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from tests.faults.orphans import Orphans, ended
from tests.faults.scene import MARK, marked

# As Airflow's workers do: the title stands where the environment stood.
WORKER = "import setproctitle, time; setproctitle.setproctitle('airflow worker -- idle'); time.sleep(600)"
PARENT = f"""
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {WORKER!r}])
time.sleep(600)
"""


@pytest.fixture
def parent(monkeypatch: pytest.MonkeyPatch) -> Iterator[psutil.Process]:
    """A process with one worker, whose title is written."""
    monkeypatch.setenv(MARK, "orphans")
    with subprocess.Popen([sys.executable, "-c", PARENT]) as started:
        found = psutil.Process(started.pid)
        family = [found]
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and not _titled(found):
                time.sleep(0.05)
            family += found.children()
            yield found
        finally:
            ended(family)


def _titled(parent: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return any(child.cmdline()[0].startswith("airflow worker") for child in parent.children())
    return False


def test_a_worker_that_wrote_its_title_over_its_mark_is_ended_by_its_pid(parent: psutil.Process) -> None:
    orphans = Orphans()
    (worker,) = parent.children()
    assert worker not in marked("orphans"), "no mark tells whose it is"
    assert orphans.kill(parent)
    parent.wait(10)
    assert orphans.alive() == [worker]
    orphans.end()
    assert not orphans.alive()
    assert not worker.is_running()


def test_a_pid_that_another_process_has_got_since_is_left_alone(parent: psutil.Process) -> None:
    orphans = Orphans()
    (worker,) = parent.children()
    assert orphans.kill(parent)
    for process in orphans._found:
        process._ident = (process.pid, -1.0)  # the start of the one that had the pid before
    orphans.end()
    assert worker.is_running()


def test_a_process_that_has_ended_leaves_nobody() -> None:
    orphans = Orphans()
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        process = psutil.Process(gone.pid)
    assert not orphans.kill(process)
    assert orphans.alive() == []
