"""A Spark Connect server on this machine, and its guard: it ends with the guard, and the guard when nobody wants it.

`python -m spark_jobs.connect.serve --folder FOLDER --idle SECONDS`

In the folder: `engine.json` (settings, read), `secret` (the token, made here), `server.json` (written last: it takes
connections), `lease` (clients hold a lock on it), `lock` (whoever starts or ends a server holds it).
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

_LOOK: Final = 0.5  # seconds between two looks at the lease
_CLASS: Final = "org.apache.spark.sql.connect.service.SparkConnectServer"
_DEATH: Final = 1  # PR_SET_PDEATHSIG of Linux
_PATIENCE: Final = 120.0  # seconds


class Server:
    """A server, from its start to its end.

    Args:
        folder: where its files are; nobody else may open it.
        idle: seconds without a client after which it ends.
    """

    def __init__(self, folder: Path, idle: float) -> None:
        self._folder, self._idle = folder, idle
        self._port = _free_port()
        self._scratch = folder / "scratch"
        self._java: subprocess.Popen[bytes] | None = None

    def serve(self) -> NoReturn:
        """Start, serve, end."""
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        self._java = self._started(json.loads((self._folder / "engine.json").read_text()))
        self._wait()
        told = self._folder / "server.json.writing"
        told.write_text(json.dumps({"port": self._port, "guard": os.getpid(), "java": self._java.pid}))
        told.replace(self._folder / "server.json")
        self._until_nobody_wants_it()

    def _started(self, engine: Mapping[str, Any]) -> subprocess.Popen[bytes]:
        import pyspark

        from spark_jobs import session

        secret = secrets.token_hex(32)
        with open(os.open(self._folder / "secret", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secret)
        conf = session.settings(engine) | {
            "spark.connect.grpc.binding.address": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(self._port),
            "spark.app.name": "airflow-etl connect",
        }
        said = [part for key, value in conf.items() for part in ("--conf", f"{key}={value}")]
        submit = str(Path(pyspark.__file__).with_name("bin") / "spark-submit")
        command = [
            submit,
            "--class",
            _CLASS,
            "--master",
            str(engine.get("master", "local[2]")),
            *said,
            "spark-internal",
        ]
        own = {"SPARK_CONNECT_AUTHENTICATE_TOKEN": secret, "SPARK_LOCAL_IP": "127.0.0.1"}
        dirs = {"SPARK_LOCAL_DIRS": str(self._scratch)}
        self._scratch.mkdir(exist_ok=True)
        # What starts it is a shell that becomes Java: the death signal stays.
        return subprocess.Popen(command, env={**os.environ, **own, **dirs}, cwd=self._scratch, preexec_fn=_die_with_us)  # noqa: PLW1509

    def _wait(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline and self._java is not None and self._java.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self._port), 1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        self._end()

    def _until_nobody_wants_it(self) -> NoReturn:
        lease = os.open(self._folder / "lease", os.O_RDWR | os.O_CREAT, 0o600)
        wanted = time.monotonic()
        while self._java is not None and self._java.poll() is None:
            time.sleep(_LOOK)
            if not _free(lease):
                wanted = time.monotonic()
            elif time.monotonic() - wanted > self._idle and self._gives_up(lease):
                break
        self._end()

    def _gives_up(self, lease: int) -> bool:
        """Whether nobody starts a task at this very moment; from then on nobody finds us."""
        with (self._folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if not _free(lease):
                return False
            (self._folder / "server.json").unlink(missing_ok=True)
            return True

    def _end(self) -> NoReturn:
        told = self._folder / "server.json"
        told.unlink(missing_ok=True)
        if self._java is not None:
            self._java.kill()  # it holds nothing that isn't elsewhere too
            self._java.wait()
        shutil.rmtree(self._scratch, ignore_errors=True)
        sys.exit(0)


def _free(lease: int) -> bool:
    """Whether no client holds the lease."""
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    fcntl.flock(lease, fcntl.LOCK_UN)
    return True


def _die_with_us() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH, signal.SIGKILL)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser(prog="python -m spark_jobs.connect.serve", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", required=True, type=Path, help="where its files are")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds without a client after which it ends")
    options = parser.parse_args()
    Server(options.folder, options.idle).serve()


if __name__ == "__main__":
    main()
