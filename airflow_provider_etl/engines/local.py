"""Spark in a process of this machine that can't outlive the task that owns it.

Three ties hold it: a guard leads its process group, which is killed as a whole; the guard's standard input is a
lifeline pipe, at whose end it kills the group; and while output is read, the loss of the owner's own parent ends it.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final

import spark_jobs
from airflow_provider_etl.engines import guard
from airflow_provider_etl.engines.base import Handle, Job, State
from airflow_provider_etl.engines.java import require_java
from spark_jobs.connections import HANDED, hand_over
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError, ResourceError
from spark_jobs.failures import DISK, MAKE_ROOM
from spark_jobs.hiding import Hiding

_GRACE: Final = 3.0  # seconds between SIGTERM and SIGKILL; Airflow's supervisor gives a task 5 before it kills
_LOOK: Final = 1.0  # seconds between two looks at whether the owner's parent is still there
_LAST: Final = 15  # lines kept for the error of a process that ends without a report
_CHUNK: Final = 65536  # bytes; a longer line is passed on in pieces
_BAD_PLAN: Final = 2  # exit code of spark_jobs.run
_PACKAGES: Final = str(Path(spark_jobs.__file__).resolve().parent.parent)


@dataclass
class _Running:
    """A process that we started."""

    where: str
    process: subprocess.Popen[bytes]
    folder: Path
    memory: str
    hiding: Hiding
    parent: int = field(default_factory=os.getppid)
    last: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST))
    cancelled: bool = False


class LocalEngine:
    """Spark as a child process.

    Args:
        command: the program that takes `--plan FILE --report FILE --lifeline`; another one only in tests.
    """

    where: ClassVar[str] = "engine local"
    """The engine in errors."""

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "spark_jobs.run")) -> None:
        self._command = command
        self._jobs: dict[str, _Running] = {}

    def submit(self, job: Job) -> Handle:
        """Start the process.

        Raises:
            ConfigError: Java is missing or too old.
        """
        if found := self.find(job.token):
            return found
        environment = child_environment(os.environ)
        self._require(environment)
        folder = Path(tempfile.mkdtemp(prefix="etl-"))
        # Whatever Spark leaves behind, killed or not, goes with the folder.
        environment = {"SPARK_LOCAL_DIRS": str(folder)} | environment | {"TMPDIR": str(folder)}
        plan = folder / "plan.json"
        plan.touch(mode=0o600)
        plan.write_text(json.dumps(job.plan), encoding="utf-8")
        if job.connections:
            environment |= {HANDED: str(folder / "connections.json")}
            hand_over(job.connections, Path(environment[HANDED]))
        memory = str(job.plans[0].get("spark", {}).get("memory", "2g"))
        try:
            process, hiding = self._start(folder, *self._prepared(job, folder, environment)), job.connections.hiding
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        running = _Running(where=self.where, process=process, folder=folder, memory=memory, hiding=hiding)
        self._jobs[job.token] = running
        return Handle(token=job.token, id=str(running.process.pid))

    def _require(self, environment: Mapping[str, str]) -> None:
        """See that what the process needs is there."""
        require_java(environment)

    def _prepared(
        self, job: Job, folder: Path, environment: Mapping[str, str]
    ) -> tuple[Sequence[str], Mapping[str, str]]:
        """The program that runs a job, and the environment that it gets; what it needs beside goes to the folder."""
        del job, folder
        return self._command, environment

    def _start(self, folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        paths = ["--plan", str(folder / "plan.json"), "--report", str(folder / "report.json")]
        return subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(folder), *command, *paths, "--lifeline"],
            cwd=folder,  # what Spark leaves where it stands (spark-warehouse, derby.log) goes with the folder
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def find(self, token: str) -> Handle | None:
        """The running job of a token; one of an earlier process can't be there: it died with that process."""
        running = self._jobs.get(token)
        if running is None or _ended(running):
            return None
        return Handle(token=token, id=str(running.process.pid))

    def status(self, handle: Handle) -> State:
        """Whether the process still runs."""
        return "running" if self.find(handle.token) else "ended"

    def output(self, handle: Handle) -> Iterator[str]:
        """The process's lines as it writes them; left early (an error, a timeout), the process is ended.

        Raises:
            InfrastructureError: this process lost its own parent, Airflow's supervisor: nobody would get the result.
        """
        running = self._jobs[handle.token]
        try:
            for line in map(running.hiding.text, _lines(running)):
                running.last.append(line)
                yield line
        finally:
            _reap(running)

    def cancel(self, handle: Handle) -> None:
        """End the process group: SIGTERM, then SIGKILL; the second call kills at once. Safe in a signal handler."""
        running = self._jobs.get(handle.token)
        if running is None:
            return
        if running.process.returncode is not None:
            shutil.rmtree(running.folder, ignore_errors=True)
            return
        again, running.cancelled = running.cancelled, True
        deadline = time.monotonic() + (0 if again else _GRACE)
        _signal(running, signal.SIGTERM)
        while time.monotonic() < deadline and not _ended(running):
            time.sleep(0.05)
        _signal(running, signal.SIGKILL)

    def report(self, handle: Handle) -> Any:
        """The report, or the reports, that the process left.

        Raises:
            EtlError: it left none; the class and the text say why.
        """
        running = self._jobs.pop(handle.token)
        code = _reap(running)
        try:
            report = json.loads((running.folder / "report.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            raise _died(running, code) from None
        finally:
            shutil.rmtree(running.folder, ignore_errors=True)
        return report


def child_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What Spark's process gets of our environment: nothing of Airflow's, where its secrets are.

    Args:
        environment: this process's environment variables.
    """
    child = {name: value for name, value in environment.items() if "AIRFLOW" not in name and name != HANDED}
    if not child.get("SPARK_HOME"):
        child.pop("SPARK_HOME", None)
    known = [path for path in child.get("PYTHONPATH", "").split(os.pathsep) if path]
    return child | {
        "PYTHONPATH": os.pathsep.join([_PACKAGES, *known]),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONUNBUFFERED": "1",
    }


def _lines(running: _Running) -> Iterator[str]:
    """Lines until the process has ended; somebody else may hold its output open for longer."""
    rest = b""
    while chunk := _read(running):
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) >= _CHUNK:
            whole, rest = [*whole, rest], b""
        yield from (line.decode("utf-8", errors="replace").rstrip("\r") for line in whole)
    if rest:
        yield rest.decode("utf-8", errors="replace")
    while not _ended(running):
        time.sleep(0.05)


def _read(running: _Running) -> bytes:
    pipe = running.process.stdout
    while pipe is not None:
        if os.getppid() != running.parent:
            raise InfrastructureError("the process that owns this task is gone", where=running.where)
        if select.select([pipe], [], [], _LOOK)[0]:
            return os.read(pipe.fileno(), _CHUNK)
        if _ended(running):
            break
    return b""


def _ended(running: _Running) -> bool:
    """Whether the leader has ended; its exit code is left where it is, so that its group's number stays ours."""
    if running.process.returncode is not None:
        return True
    return os.waitid(os.P_PID, running.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _signal(running: _Running, number: signal.Signals) -> None:
    if running.process.returncode is None:
        os.killpg(running.process.pid, number)


def _reap(running: _Running) -> int:
    """Kill what is left of the group, the JVM too, let the lifeline go, and take the leader's exit code."""
    _signal(running, signal.SIGKILL)
    code = running.process.wait()
    for pipe in (running.process.stdin, running.process.stdout):
        if pipe:
            pipe.close()
    return code


def _died(running: _Running, code: int) -> EtlError:
    """Why a process ended without a report."""
    said = "\n".join(running.last)
    if running.cancelled:
        return InfrastructureError("Spark was cancelled", where=running.where)
    if code == _BAD_PLAN:
        return ConfigError(running.last[-1] if running.last else "the plan can't be read", where=running.where)
    if full := next((line for line in reversed(running.last) if any(mark in line for mark in DISK)), None):
        return ResourceError(full, where=running.where, remedy=MAKE_ROOM)
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL) or "OutOfMemoryError" in said:
        return ResourceError(
            f"Spark was killed (exit code {code}), most likely for want of memory; it had memory: {running.memory}",
            where=running.where,
            remedy="raise the engine's `memory` in the environment file, or run fewer windows at once",
        )
    return InfrastructureError(
        f"Spark ended with exit code {code} and left no report", where=running.where, remedy=f"it said last:\n{said}"
    )
