"""A real MariaDB 10.11 on loopback, whose passwords count and whose own time zone is nobody's."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spark_jobs.connections import Connection
from tests.servers.guarded import PASSWORD, as_user, folder_of, free_port, guarded, missing

SERVER, INSTALL = Path("/usr/sbin/mariadbd"), Path("/usr/bin/mariadb-install-db")
_CONF = {
    "bind-address": "127.0.0.1",
    "default-time-zone": "+05:30",  # a client that leans on the server's zone is half an hour and more beside the truth
    "character-set-server": "utf8mb4",
    "innodb-flush-log-at-trx-commit": "0",
    "innodb-buffer-pool-size": "64M",
    "max-allowed-packet": "64M",
    "local-infile": "1",
    "general-log": "1",
}


@dataclass(frozen=True)
class Server:
    """A running server.

    Args:
        log: what it was told, statement by statement.
    """

    host: str
    port: int
    user: str
    database: str
    log: Path
    password: str = field(repr=False, default=PASSWORD)

    def connection(self, name: str = "maria", **extra: Any) -> Connection:
        """As Airflow would know it; its type for MariaDB is `mysql`."""
        return Connection(
            id=name,
            kind="mysql",
            host=self.host,
            port=self.port,
            schema=self.database,
            login=self.user,
            password=self.password,
            extra=extra,
        )

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A PyMySQL connection, for transactions that stay open."""
        import pymysql

        made = pymysql.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
            charset="utf8mb4",
            local_infile=True,
        )
        with closing(made):
            yield made

    def run(self, *statements: str) -> None:
        """Run statements, in one transaction as far as they can be in one."""
        with self.connected() as made, made.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            made.commit()

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.connected() as made, made.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())


@contextmanager
def mariadb_server() -> Iterator[Server]:
    """A fresh server until the end of the block."""
    if not SERVER.exists():
        missing("apt-get install mariadb-server")
    with folder_of("mariadb", "mysql") as folder:
        data, port, log = folder / "data", free_port(), folder / "statements.log"
        _init(folder, data)
        paths = {"datadir": data, "socket": folder / "s", "pid-file": folder / "pid", "general-log-file": log}
        told = {**_CONF, **paths, "port": port, "init-file": folder / "init.sql"}
        conf = [f"--{key}={value}" for key, value in told.items()]
        server = Server("127.0.0.1", port, "etl", "etl", log)
        with guarded(
            folder,
            [*as_user("mysql"), str(SERVER), "--no-defaults", *conf],
            signal.SIGTERM,
            lambda: _answers(server),
        ):
            yield server


def _init(folder: Path, data: Path) -> None:
    secret = PASSWORD.replace("\\", "\\\\").replace("'", "''")
    (folder / "init.sql").write_text(
        "CREATE DATABASE etl;\n"
        f"CREATE USER etl@'127.0.0.1' IDENTIFIED BY '{secret}';\n"
        "GRANT ALL ON *.* TO etl@'127.0.0.1';\n"
        "DROP USER root@localhost;\n"
    )
    options = ["--no-defaults", f"--datadir={data}", "--skip-test-db", "--auth-root-authentication-method=normal"]
    subprocess.run([*as_user("mysql"), str(INSTALL), *options], check=True, capture_output=True, cwd=folder)


def _answers(server: Server) -> bool:
    import pymysql

    with suppress(pymysql.err.OperationalError):
        return bool(server.rows("SELECT 1"))
    return False
