"""A real server as a child that can't outlive pytest, whatever ends pytest; the product's own guard holds it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from airflow_provider_etl.engines import guard

# What a careless caller would forget to quote, in a URL, a shell, SQL or JSON.
PASSWORD = "p4 'w\"@:/?#&;=%41+$!-long"
_PATIENCE = 30.0


def missing(command: str) -> None:
    """Skip the test, with the command that would help; fail where everything must be there."""
    what = f"a server is missing: {command}"
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def listens(port: int) -> bool:
    """Whether somebody takes connections at a port of 127.0.0.1."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def properties(told: Mapping[str, str]) -> str:
    """Settings as Java's files of properties have them."""
    return "".join(f"{key}={value}\n".replace("\\", "\\\\") for key, value in told.items())


@contextmanager
def folder_of(name: str, user: str) -> Iterator[Path]:
    """A folder of its own that belongs to the server's user; gone at the end."""
    folder = Path(tempfile.mkdtemp(prefix=f"etl-{name}-"))
    if os.getuid() == 0:
        shutil.chown(folder, user)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def as_user(user: str) -> list[str]:
    """What a command starts with to run as another user, where we are root: database servers refuse to be."""
    if os.getuid() != 0:
        return []
    entry = pwd.getpwnam(user)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]


def own(folder: Path) -> dict[str, str]:
    """The environment of a server: what it puts aside goes to its own folder, since ours may not be its user's."""
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder)}


@contextmanager
def guarded(folder: Path, command: Sequence[str], stop: signal.Signals, ready: Callable[[], bool]) -> Iterator[None]:
    """Run a server until the end of the block.

    Args:
        folder: goes with the server where pytest is killed; `server.log` in it has the server's output.
        command: the server, in the foreground.
        stop: the signal that ends it at once and in order.
        ready: whether it answers.
    """
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, str(folder), *command],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=own(folder),
        )
    try:
        deadline = time.monotonic() + _PATIENCE
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "server.log").read_text(errors="replace")[-3000:])
            time.sleep(0.05)
        yield
    finally:
        _stop(process, stop)


def _stop(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Tell the server itself, the guard's child; whatever is left after a while ends with the guard."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    if process.poll() is None:
        for child in children.read_text().split():
            os.kill(int(child), number)
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    if process.stdin:
        process.stdin.close()
