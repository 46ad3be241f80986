"""Spark on this machine that stays warm between tasks: the second small window costs its work, not a start of Spark.

A task owns a driver (`spark_jobs.serve`) by its connection: the driver serves nobody else meanwhile, and kills itself
where the connection ends before the report. So nothing outlives its task but idle drivers, which end after a minute.
"""

from __future__ import annotations

import hashlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import spark_jobs
from airflow_provider_etl.engines.base import Handle, Job, State
from airflow_provider_etl.engines.java import require_java
from airflow_provider_etl.engines.local import child_environment
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.hiding import Hiding
from spark_jobs.serve import receive, send

_IDLE: Final = 60  # seconds
_LOOK: Final = 1.0  # seconds between two looks at whether the owner's parent is still there
_CHUNK: Final = 65536  # bytes; a longer line is passed on in pieces
_PASSING: Final = ("_", "PWD", "OLDPWD", "SHLVL")  # variables that differ from one process to the next
_ANSWER: Final = 5.0  # seconds for a driver to say that it is ours


class LocalWarmEngine:
    """Warm drivers on this machine, one task each at a time."""

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._jobs: dict[str, socket.socket] = {}
        self._reports: dict[str, Any] = {}
        self._refused: dict[str, str] = {}
        self._hiding: dict[str, Hiding] = {}

    def submit(self, job: Job) -> Handle:
        """Give the job to an idle driver of the same settings, or to a new one.

        Raises:
            ConfigError: Java is missing or too old.
            InfrastructureError: a new driver didn't come.
        """
        if found := self.find(job.token):
            return found
        environment = child_environment(os.environ)
        require_java(environment)
        folder = pool(job.plans[0].get("spark", {}), environment)
        work = {"plan": job.plan, "connections": job.connections.to_json()}
        driver = _given(folder, environment, json.dumps(work).encode())
        self._jobs[job.token], self._hiding[job.token] = driver, job.connections.hiding
        return Handle(token=job.token, id=str(driver.fileno()))

    def find(self, token: str) -> Handle | None:
        """The running job of a token."""
        driver = self._jobs.get(token)
        return Handle(token=token, id=str(driver.fileno())) if driver and driver.fileno() >= 0 else None

    def status(self, handle: Handle) -> State:
        """Whether the job still runs."""
        return "ended" if handle.token in self._reports or self.find(handle.token) is None else "running"

    def output(self, handle: Handle) -> Iterator[str]:
        """The job's lines as they come; left early, the driver ends.

        Raises:
            InfrastructureError: this process lost its own parent, Airflow's supervisor: nobody would get the result.
        """
        driver, hide = self._jobs[handle.token], self._hiding[handle.token].text
        rest = b""
        try:
            while True:
                what, body = _frame(driver, self._parent)
                if what != b"o":
                    break
                *whole, rest = (rest + body).split(b"\n")
                if len(rest) >= _CHUNK:
                    whole, rest = [*whole, rest], b""
                yield from (hide(line.decode("utf-8", errors="replace").rstrip("\r")) for line in whole)
            if rest:
                yield hide(rest.decode("utf-8", errors="replace"))
            if what == b"r":
                self._reports[handle.token] = json.loads(body)
            elif what == b"e":
                self._refused[handle.token] = body.decode()
        finally:
            driver.close()

    def cancel(self, handle: Handle) -> None:
        """Let go of the driver: it kills itself. Safe in a signal handler, and twice."""
        driver = self._jobs.get(handle.token)
        if driver is not None and driver.fileno() >= 0:
            with suppress(OSError):
                driver.shutdown(socket.SHUT_RDWR)

    def report(self, handle: Handle) -> Any:
        """The report, or the reports.

        Raises:
            ConfigError: the driver can't read the plan.
            InfrastructureError: the driver ended without one.
        """
        self._jobs.pop(handle.token, None)
        self._hiding.pop(handle.token, None)
        if handle.token in self._refused:
            raise ConfigError(self._refused.pop(handle.token), where="engine local_warm")
        if handle.token not in self._reports:
            raise InfrastructureError(
                "the warm Spark ended before it had a report",
                where="engine local_warm",
                remedy="if nobody cancelled it: raise the engine's `memory`, or run fewer windows at once",
            )
        return self._reports.pop(handle.token)


def root(airflow_home: str) -> Path:
    """The folder of all warm drivers of this user and this Airflow; short, since a socket's path may have 107 bytes."""
    home = hashlib.sha256(airflow_home.encode()).hexdigest()[:12]
    return Path("/tmp", f"etl-warm-{os.getuid()}-{home}")  # noqa: S108 - made private and checked in `pool`


def pool(settings: Mapping[str, Any], environment: Mapping[str, str]) -> Path:
    """The folder of the drivers that were started with these settings, in this environment, with this code.

    Raises:
        InfrastructureError: somebody else made it.
    """
    own = {name: value for name, value in environment.items() if name not in _PASSING}
    code = max(path.stat().st_mtime_ns for path in Path(spark_jobs.__file__).parent.rglob("*.py"))
    told = json.dumps([settings, own, sys.executable, spark_jobs.__file__, code], sort_keys=True)
    folder = root(os.environ.get("AIRFLOW_HOME", ""))
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder.lstat()
    if made.st_uid != os.getuid() or made.st_mode & 0o077 or folder.is_symlink():
        raise InfrastructureError("the folder is not ours alone", where=str(folder), remedy="remove it")
    inner = folder / hashlib.sha256(told.encode()).hexdigest()[:16]
    inner.mkdir(mode=0o700, exist_ok=True)
    return inner


def close_all(airflow_home: str) -> None:
    """End all idle drivers of an Airflow, and wait until they have ended: they look once a second."""
    folder = root(airflow_home)
    drivers = [int(path.stem) for path in folder.glob("*/*.sock")]
    for path in folder.glob("*/*.sock"):
        path.unlink(missing_ok=True)
    deadline = time.monotonic() + _ANSWER
    while any(Path(f"/proc/{driver}/cmdline").exists() for driver in drivers) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)


def _given(folder: Path, environment: Mapping[str, str], job: bytes) -> socket.socket:
    """A driver that has the job; one that ends before it took it is passed over, since nothing has run."""
    while driver := _idle(folder):
        with suppress(OSError):
            send(driver, b"j", job)
            return driver
        driver.close()
    driver = _new(folder, environment)
    send(driver, b"j", job)
    return driver


def _idle(folder: Path) -> socket.socket | None:
    for path in sorted(folder.glob("*.sock")):
        if driver := _owned(path):
            return driver
    return None


def _owned(path: Path) -> socket.socket | None:
    """A connection to a driver that says it is ours; None where another task was quicker."""
    driver = socket.socket(socket.AF_UNIX)
    driver.settimeout(_ANSWER)
    try:
        driver.connect(str(path))
        if receive(driver)[0] == b"a":
            driver.settimeout(None)
            return driver
    except OSError:
        pass
    driver.close()
    return None


def _new(folder: Path, environment: Mapping[str, str]) -> socket.socket:
    """A connection to a new driver, which is ours from its first moment on.

    Raises:
        InfrastructureError: it ended before it answered.
    """
    scratch = Path(tempfile.mkdtemp(prefix="spark-", dir=folder))
    ours, its = socket.socketpair()
    with its, (scratch / "driver.log").open("wb") as log:
        serve = [sys.executable, "-m", "spark_jobs.serve", "--folder", str(folder), "--scratch", str(scratch)]
        subprocess.Popen(
            [*serve, "--first", str(its.fileno()), "--idle", str(_IDLE)],
            cwd=scratch,
            env={"SPARK_LOCAL_DIRS": str(scratch)} | dict(environment) | {"TMPDIR": str(scratch)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[its.fileno()],
            start_new_session=True,
        )
    if _frame(ours, os.getppid())[0] != b"a":
        ours.close()
        said = (scratch / "driver.log").read_text(errors="replace")[-2000:]
        raise InfrastructureError(f"no warm Spark came: {said}", where="engine local_warm")
    return ours


def _frame(driver: socket.socket, parent: int) -> tuple[bytes, bytes]:
    """The next frame; (b"", b"") where the driver has gone.

    Raises:
        InfrastructureError: this process lost its parent.
    """
    try:
        while not select.select([driver], [], [], _LOOK)[0]:
            if os.getppid() != parent:
                driver.close()
                raise InfrastructureError("the process that owns this task is gone", where="engine local_warm")
        return receive(driver)
    except (OSError, ValueError):  # reset, or closed by a cancel
        return b"", b""
