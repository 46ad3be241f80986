"""A real MariaDB 10.11 on loopback, whose passwords count and whose own time zone is nobody's."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.guarded import PASSWORD, as_user, folder_of, free_port, guarded, missing, own
from tests.servers.server import Server

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


class MariaDB(Server):
    """A running MariaDB; Airflow calls its connections `mysql`."""

    kind: ClassVar[str] = "mysql"

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


@contextmanager
def mariadb_server() -> Iterator[MariaDB]:
    """A fresh server until the end of the block."""
    if not SERVER.exists():
        missing("apt-get install mariadb-server")
    with folder_of("mariadb", "mysql") as folder:
        data, port, log = folder / "data", free_port(), folder / "statements.log"
        _init(folder, data)
        paths = {"datadir": data, "socket": folder / "s", "pid-file": folder / "pid", "general-log-file": log}
        told = {**_CONF, **paths, "port": port, "init-file": folder / "init.sql"}
        conf = [f"--{key}={value}" for key, value in told.items()]
        server = MariaDB("127.0.0.1", port, "etl", "etl", log)
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
    options += ["--innodb-flush-method=nosync", "--innodb-log-file-size=8M", "--skip-innodb-doublewrite"]
    subprocess.run(
        [*as_user("mysql"), str(INSTALL), *options], check=True, capture_output=True, cwd=folder, env=own(folder)
    )


def _answers(server: MariaDB) -> bool:
    import pymysql

    with suppress(pymysql.err.OperationalError):
        return bool(server.rows("SELECT 1"))
    return False
