"""A Spark that stays warm: one driver that runs one job after the other, each for one owner, none beyond its owner.

`python -m spark_jobs.serve --folder POOL --scratch FOLDER --first DESCRIPTOR --idle SECONDS`

Its first owner is there from the start, by an inherited socket; for the next ones it listens on a Unix socket in the
folder. While a job runs nobody else can connect, and when the owner is gone the driver kills itself with its JVM,
whatever it does: so no work outlives its task. It ends after a job that failed, when nobody has come for a while, and
when its socket was removed; its scratch folder goes with it.

Frames, both ways: one byte that says what, four bytes of length (big endian), the bytes. The owner sends `j` (JSON:
`plan`, which may be several or an order, and `connections`); the driver answers `a` (it is yours), `o` (output) any
number of times, and `r` (report or reports, JSON) or `e` (why the plan can't be read).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from spark_jobs import gateway
from spark_jobs.connections import Connections
from spark_jobs.errors import EtlError
from spark_jobs.run import parsed, perform
from spark_jobs.session import Shared

_LOOK: Final = 1.0  # seconds between two looks at whether the socket is still there
_SETTLE: Final = 0.05  # seconds for output that the JVM wrote last
_JOBS: Final = 500  # then it makes room for a fresh one


class Driver:
    """One driver.

    Args:
        folder: where its socket goes; the drivers of one configuration share it.
        scratch: its own folder, removed at its end.
        first: its first owner.
        idle: seconds without a job after which it ends.
    """

    def __init__(self, folder: Path, scratch: Path, first: socket.socket, idle: float) -> None:
        self.path, self.scratch, self.first, self.idle = folder / f"{os.getpid()}.sock", scratch, first, idle
        self._spark = Shared()
        self._owner: socket.socket | None = None
        self._sending = threading.Lock()

    def serve(self) -> None:
        """Run jobs until nobody comes any more, then end this process and its JVM."""
        self._take_output()
        owner: socket.socket | None = self.first
        try:
            for _ in range(_JOBS):
                if owner is None or not self._run(owner):
                    break
                owner = self._next()
        finally:
            self.end()

    def end(self) -> None:
        """End the JVM, then this whole process group, at once; the scratch folder goes when nobody writes to it."""
        gateway.kill()
        shutil.rmtree(self.scratch, ignore_errors=True)
        os.killpg(os.getpid(), signal.SIGKILL)

    def _next(self) -> socket.socket | None:
        """The next owner; the socket is gone as soon as there is one."""
        with socket.socket(socket.AF_UNIX) as listener:
            self.path.unlink(missing_ok=True)  # of a driver that was killed and had our number
            listener.bind(str(self.path))
            listener.listen(1)
            listener.settimeout(_LOOK)
            deadline = time.monotonic() + self.idle
            try:
                while time.monotonic() < deadline and self.path.exists() and gateway.alive():
                    try:
                        return listener.accept()[0]
                    except TimeoutError:
                        continue
            finally:
                self.path.unlink(missing_ok=True)
        return None

    def _run(self, owner: socket.socket) -> bool:
        """Run a job; whether the driver may run another one."""
        owner.settimeout(None)
        send(owner, b"a", b"")
        what, body = receive(owner)
        if what != b"j":
            return False
        over, self._owner = threading.Event(), owner
        threading.Thread(target=self._hold, args=(owner, over), daemon=True).start()
        try:
            told = self._reports(json.loads(body))
        except EtlError as error:
            send(owner, b"e", str(error).encode())
            return False
        sys.stdout.flush()
        time.sleep(_SETTLE)
        with self._sending:
            self._owner = None
            over.set()
            send(owner, b"r", json.dumps(told).encode())
        with suppress(OSError):  # the owner has its report and may be gone
            owner.shutdown(socket.SHUT_RDWR)
        last = told[-1] if isinstance(told, list) else told
        return bool(last["state"] != "failed")

    def _reports(self, job: Any) -> Any:
        return perform(parsed(job["plan"]), self._spark, Connections.from_json(job["connections"]))

    def _hold(self, owner: socket.socket, over: threading.Event) -> None:
        """Wait for the owner's end: before the job's own it ends everything."""
        with suppress(OSError):  # reset: it went with output unread
            while owner.recv(4096):
                pass
        if not over.is_set():
            self.end()

    def _take_output(self) -> None:
        """From now on what this process and its JVM print goes to the owner of the moment."""
        reading, writing = os.pipe()
        for number in (1, 2):
            os.dup2(writing, number)
        os.close(writing)
        threading.Thread(target=self._pass_on, args=(reading,), daemon=True).start()

    def _pass_on(self, reading: int) -> None:
        while chunk := os.read(reading, 65536):
            with self._sending:
                if self._owner is not None:
                    try:
                        send(self._owner, b"o", chunk)
                    except OSError:
                        self.end()


def send(to: socket.socket, what: bytes, body: bytes) -> None:
    """Send a frame."""
    to.sendall(what + len(body).to_bytes(4, "big") + body)


def receive(of: socket.socket) -> tuple[bytes, bytes]:
    """Receive a frame: (what, bytes); (b"", b"") where the other side has gone."""
    head = _exactly(of, 5)
    body = _exactly(of, int.from_bytes(head[1:], "big")) if head else b""
    return head[:1], body


def _exactly(of: socket.socket, size: int) -> bytes:
    got = b""
    while len(got) < size:
        chunk = of.recv(size - len(got))
        if not chunk:
            return b""
        got += chunk
    return got


def main() -> None:
    """Serve, as the leader of a process group of its own."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs.serve", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=Path, help="where the socket goes")
    parser.add_argument("--scratch", required=True, type=Path, help="a folder of its own")
    parser.add_argument("--first", required=True, type=int, help="file descriptor of the first owner's socket")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds without a job after which it ends")
    options = parser.parse_args()
    Driver(options.folder, options.scratch, socket.socket(fileno=options.first), options.idle).serve()


if __name__ == "__main__":
    main()
