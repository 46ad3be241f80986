"""A real REST catalog of Iceberg tables on loopback: Iceberg's own servlet for tests of its clients, behind passwords.

`python -m tests.servers.iceberg` fetches its jars, once.
"""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.cli import jars
from airflow_provider_etl.spec.locks import of_lock
from spark_jobs.connections import Connection
from tests.servers import embedded
from tests.servers.guarded import PASSWORD, folder_of, free_port, guarded, listens, missing, properties

ROOT: Final = Path(__file__).resolve().parent.parent.parent
JARS: Final = ROOT / ".cache/iceberg"
LOCK: Final = Path(__file__).with_name("iceberg.lock")
SOURCE: Final = Path(__file__).with_name("IcebergServer.java")
_OF_SPARK: Final = ("hadoop-client-api-*.jar", "hadoop-client-runtime-*.jar", "jcl-over-slf4j-*.jar")


@dataclass(frozen=True)
class RestCatalog:
    """A running catalog.

    Args:
        port: on 127.0.0.1.
        folder: where its tables lie.
    """

    port: int
    folder: Path
    client: str = "etl"
    secret: str = field(repr=False, default=PASSWORD)
    token: str = field(repr=False, default="tok-marker-0123456789")

    @property
    def address(self) -> str:
        """Its address, without what comes after the host."""
        return f"http://127.0.0.1:{self.port}"

    def connection(self, name: str = "vendor", **changed: Any) -> Connection:
        """As Airflow would know it: by a client's login and password."""
        told = {"host": self.address, "login": self.client, "password": self.secret, **changed}
        return Connection(id=name, kind="http", **told)


@contextmanager
def rest_catalog() -> Iterator[RestCatalog]:
    """A fresh one, without a table, until the end of the block."""
    if not JARS.is_dir() or not embedded.JARS.is_dir():
        missing("make catalog")
    if shutil.which("javac") is None:
        missing("apt-get install openjdk-17-jdk-headless")
    with folder_of("iceberg", "root") as folder:
        server = RestCatalog(free_port(), folder / "tables")
        conf = folder / "server.properties"
        conf.touch(mode=0o600)
        conf.write_text(_configured(server), encoding="ascii")
        command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m", "-cp", _classes()]
        with guarded(folder, [*command, str(SOURCE), str(conf)], signal.SIGTERM, lambda: listens(server.port)):
            yield server


def _classes() -> str:
    spec = find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    spark = Path(spec.origin).parent / "jars"
    of_spark = [str(path) for pattern in _OF_SPARK for path in spark.glob(pattern)]
    return ":".join([f"{JARS}/*", f"{embedded.JARS}/*", *of_spark])


def _configured(server: RestCatalog) -> str:
    told = {
        "port": str(server.port),
        "warehouse": str(server.folder),
        "client": server.client,
        "secret": server.secret,
        "token": server.token,
    }
    return properties(told)


if __name__ == "__main__":
    for path in jars.fetch(JARS, of_lock(LOCK.read_text(encoding="utf-8"))):
        print(f"fetched  {path}")  # noqa: T201
