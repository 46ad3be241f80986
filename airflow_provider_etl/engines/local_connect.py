"""One warm Spark Connect server on this machine, for all tasks that want the same settings: a window is a thin client.

The first task that needs it starts it; tasks hold a lease (a lock on a file, which ends with their process), and the
server ends a minute after the last one. `python -m airflow_provider_etl.engines.local_connect stop` ends it at once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar, Final

import spark_jobs
from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.connect import ConnectEngine
from airflow_provider_etl.engines.java import require_java
from airflow_provider_etl.engines.local import child_environment
from spark_jobs.errors import InfrastructureError

_IDLE: Final = 60  # seconds
_PATIENCE: Final = 120.0  # seconds for a server to come
# Variables that Java, Hadoop or Spark may go by: others, which differ from task to task, part no server.
_COUNTING: Final = (
    *("JAVA", "SPARK", "PYSPARK", "HADOOP", "AWS_", "GOOGLE_", "AZURE_", "PYTHONPATH", "PATH", "LD_", "LANG", "LC_"),
    *("TZ", "HTTP", "http", "NO_PROXY", "no_proxy", "SSL_"),
)


class LocalConnectEngine(ConnectEngine):
    """Thin clients of one warm server."""

    where: ClassVar[str] = "engine local_connect"

    def __init__(
        self, command: tuple[str, ...] = (sys.executable, "-m", "spark_jobs.run"), idle: float = _IDLE
    ) -> None:
        super().__init__(command)
        self._idle = idle
        self._leases: dict[str, int] = {}

    def report(self, handle: Handle) -> Any:
        """As the base says; the server may end from then on."""
        try:
            return super().report(handle)
        finally:
            if handle.token in self._leases:
                os.close(self._leases.pop(handle.token))

    def _remote(self, job: Job) -> dict[str, Any]:
        """The server of these settings, started where there is none.

        Raises:
            ConfigError: Java is missing or too old.
            InfrastructureError: it didn't come.
        """
        engine = {key: value for key, value in job.plans[0].get("spark", {}).items() if key != "remote"}
        folder = pool(engine)
        with _locked(folder):
            if not _answers(folder):
                _start(folder, engine, self._idle)
            self._leases[job.token] = _lease(folder)
        port = json.loads((folder / "server.json").read_text())["port"]
        # By this name alone a client trusts the connection with a token and no certificate.
        return {"url": f"sc://localhost:{port}", "secret_file": str(folder / "secret"), "ours": True}


def root(airflow_home: str) -> Path:
    """The folder of all servers of this user and this Airflow."""
    home = hashlib.sha256(airflow_home.encode()).hexdigest()[:12]
    return Path("/tmp", f"etl-connect-{os.getuid()}-{home}")  # noqa: S108 - made private and checked in `pool`


def pool(engine: Mapping[str, Any]) -> Path:
    """The folder of the server of these settings, in this environment, with this code.

    Raises:
        InfrastructureError: somebody else made it.
    """
    own = {name: value for name, value in child_environment(os.environ).items() if name.startswith(_COUNTING)}
    told = json.dumps([dict(engine), own, sys.executable, spark_jobs.__file__], sort_keys=True)
    folder = root(os.environ.get("AIRFLOW_HOME", ""))
    folder.mkdir(mode=0o700, exist_ok=True)
    made = folder.lstat()
    if made.st_uid != os.getuid() or made.st_mode & 0o077 or folder.is_symlink():
        raise InfrastructureError("the folder is not ours alone", where=str(folder), remedy="remove it")
    inner = folder / hashlib.sha256(told.encode()).hexdigest()[:16]
    inner.mkdir(mode=0o700, exist_ok=True)
    return inner


def close_all(airflow_home: str) -> None:
    """End all servers of an Airflow, whoever uses them, and wait until they have ended."""
    for told in root(airflow_home).glob("*/server.json"):
        server = _told(told.parent)
        if server is None or not _ours(server["guard"], told.parent):
            continue
        os.kill(server["guard"], signal.SIGTERM)
        deadline = time.monotonic() + 15
        while _ours(server["guard"], told.parent) and time.monotonic() < deadline:
            time.sleep(0.05)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """While nobody else starts or ends the server."""
    with (folder / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _lease(folder: Path) -> int:
    held = os.open(folder / "lease", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def _told(folder: Path) -> dict[str, int] | None:
    try:
        told: dict[str, int] = json.loads((folder / "server.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    return told


def _ours(process: int, folder: Path) -> bool:
    """Whether a process is the guard of a folder's server: numbers are given anew."""
    with suppress(OSError):
        return str(folder).encode() in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0")
    return False


def _answers(folder: Path) -> bool:
    server = _told(folder)
    return server is not None and _ours(server["guard"], folder)


def _start(folder: Path, engine: Mapping[str, Any], idle: float) -> None:
    """Start a server, and wait until it takes connections.

    Raises:
        InfrastructureError: it ended, or took too long.
    """
    environment = child_environment(os.environ)
    require_java(environment)
    (folder / "server.json").unlink(missing_ok=True)
    (folder / "engine.json").write_text(json.dumps(dict(engine)))
    with (folder / "server.log").open("wb") as log:
        serve = [sys.executable, "-m", "spark_jobs.connect.serve", "--folder", str(folder), "--idle", str(idle)]
        guard = subprocess.Popen(
            serve, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    deadline = time.monotonic() + _PATIENCE
    while _told(folder) is None:
        if guard.poll() is not None or time.monotonic() > deadline:
            guard.terminate()
            said = (folder / "server.log").read_text(errors="replace")[-2000:]
            raise InfrastructureError(f"no Spark Connect server came: {said}", where="engine local_connect")
        time.sleep(0.05)


def main() -> None:
    """`stop`: end all servers of this Airflow (AIRFLOW_HOME)."""
    if sys.argv[1:] != ["stop"]:
        sys.exit("usage: python -m airflow_provider_etl.engines.local_connect stop")
    close_all(os.environ.get("AIRFLOW_HOME", ""))


if __name__ == "__main__":
    main()
