"""A PostgreSQL that holds Airflow's metadata, can be killed, and comes back with what it had."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil

from airflow_provider_etl.engines import guard
from tests.servers.guarded import PASSWORD, as_user, folder_of, free_port, missing, own
from tests.servers.postgres import BIN, _init

_PATIENCE: Final = 60  # seconds
_CONF: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "dynamic_shared_memory_type": "mmap",
    "max_connections": "200",
}


@dataclass
class Metadata:
    """A database server.

    Args:
        folder: where all of it lies.
        port: on 127.0.0.1.
    """

    folder: Path
    port: int
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def settings(self) -> dict[str, str]:
        """What Airflow is told."""
        address = f"postgresql+psycopg://etl:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/postgres"
        return {f"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN{end}": address for end in ("", "_ASYNC")}

    @property
    def processes(self) -> list[psutil.Process]:
        """The one that holds the server, which is its child; none where it has been killed."""
        return [psutil.Process(self._process.pid)] if self._process else []

    def start(self) -> None:
        """Start it, and wait until it answers; after a crash it recovers first."""
        conf = [item for key, value in _CONF.items() for item in ("-c", f"{key}={value}")]
        server = [*as_user("postgres"), str(BIN / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, "-", *server, *conf],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=own(self.folder),
            )
        ready = [str(BIN / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.2)  # while it recovers it says so at once
        raise RuntimeError((self.folder / "server.log").read_text(errors="replace")[-3000:])

    def kill(self) -> None:
        """As by `kill -9` of all its processes."""
        if self._process is None:
            return
        family = psutil.Process(self._process.pid).children(recursive=True)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=_PATIENCE)
        self._process.communicate()
        self._process = None


@contextmanager
def metadata() -> Iterator[Metadata]:
    """A fresh one until the end of the block."""
    if not (BIN / "postgres").exists():
        missing("apt-get install postgresql-15")
    with folder_of("metadata", "postgres") as folder:
        _init(folder, folder / "data")
        made = Metadata(folder, free_port())
        made.start()
        try:
            yield made
        finally:
            made.kill()
