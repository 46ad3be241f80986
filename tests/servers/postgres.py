"""A real PostgreSQL 15 on loopback, whose passwords count and whose own time zone is nobody's."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.guarded import PASSWORD, as_user, folder_of, free_port, guarded, missing, own
from tests.servers.server import Server

BIN = Path("/usr/lib/postgresql/15/bin")
_CONF = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "timezone": "Asia/Kolkata",  # a client that leans on the server's zone is half an hour and more beside the truth
    "dynamic_shared_memory_type": "mmap",  # goes with the folder
    "log_statement": "all",
    "log_line_prefix": "%p %a ",
}


class PostgreSQL(Server):
    """A running PostgreSQL."""

    kind: ClassVar[str] = "postgres"

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A psycopg connection, for transactions that stay open."""
        import psycopg

        with psycopg.connect(
            host=self.host, port=self.port, user=self.user, password=self.password, dbname=self.database
        ) as made:
            yield made


@contextmanager
def postgres_server() -> Iterator[PostgreSQL]:
    """A fresh server until the end of the block."""
    if not (BIN / "postgres").exists():
        missing("apt-get install postgresql-15")
    with folder_of("postgres", "postgres") as folder:
        data, port = folder / "data", free_port()
        _init(folder, data)
        conf = [item for key, value in _CONF.items() for item in ("-c", f"{key}={value}")]
        command = [*as_user("postgres"), str(BIN / "postgres"), "-D", str(data), "-p", str(port), *conf]
        server = PostgreSQL("127.0.0.1", port, "etl", "postgres", folder / "server.log")
        with guarded(folder, command, signal.SIGINT, lambda: _answers(server)):
            yield server


def _init(folder: Path, data: Path) -> None:
    secret = folder / "password"
    secret.write_text(PASSWORD)
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--username=etl"]
    command = [*as_user("postgres"), str(BIN / "initdb"), "-D", str(data), f"--pwfile={secret}", *options]
    subprocess.run(command, check=True, capture_output=True, cwd=folder, env=own(folder))
    secret.unlink()


def _answers(server: PostgreSQL) -> bool:
    import psycopg

    with suppress(psycopg.OperationalError):
        return bool(server.rows("SELECT 1"))
    return False
