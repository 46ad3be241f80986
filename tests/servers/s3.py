"""A real S3 server on loopback, s3proxy: it checks signatures and keeps its objects as files.

`python -m tests.servers.s3` fetches its jars, once.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.cli import jars
from airflow_provider_etl.spec.locks import of_lock
from spark_jobs.connections import Connection
from tests.servers.guarded import PASSWORD, folder_of, free_port, guarded, listens, missing, properties

ROOT: Final = Path(__file__).resolve().parent.parent.parent
JARS: Final = ROOT / ".cache/s3proxy"
LOCK: Final = Path(__file__).with_name("s3proxy.lock")
BUCKET: Final = "lake"
_KEY: Final = "AKIA" + "0TESTS0TESTS0TES"


@dataclass(frozen=True)
class Server:
    """A running server.

    Args:
        port: on 127.0.0.1.
        folder: where its buckets are folders and its objects files.
    """

    port: int
    folder: Path
    key: str = _KEY
    secret: str = field(repr=False, default=PASSWORD)

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def bucket(self) -> Path:
        """The objects of the bucket."""
        return self.folder / BUCKET

    def connection(self, name: str = "lake_store", **extra: Any) -> Connection:
        """As Airflow would know it."""
        return Connection(id=name, kind="aws", login=self.key, password=self.secret, extra=extra)

    def settings(self, connection: str = "lake_store") -> dict[str, Any]:
        """What an environment file says of its bucket."""
        return {"connection": connection, "endpoint": self.endpoint, "region": "us-east-1", "path_style": True}

    def options(self) -> dict[str, str]:
        """What delta-rs opens its tables with."""
        access = {"aws_access_key_id": self.key, "aws_secret_access_key": self.secret}
        return access | {"aws_endpoint_url": self.endpoint, "aws_region": "us-east-1", "aws_allow_http": "true"}

    def client(self) -> Any:
        """A boto3 client."""
        import boto3

        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )


@contextmanager
def s3_server() -> Iterator[Server]:
    """A fresh server with an empty bucket until the end of the block."""
    if not JARS.is_dir() or not (ROOT / "jars/s3").is_dir():
        missing("make s3")
    with folder_of("s3", "root") as folder:
        server = Server(free_port(), folder / "objects")
        server.bucket.mkdir(parents=True)
        conf = folder / "s3proxy.conf"
        conf.touch(mode=0o600)
        conf.write_text(_configured(server), encoding="ascii")
        command = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-cp", f"{JARS}/*"]
        command += ["org.gaul.s3proxy.Main", "--properties", str(conf)]
        with guarded(folder, command, signal.SIGTERM, lambda: listens(server.port)):
            yield server


def _configured(server: Server) -> str:
    told = {
        "s3proxy.endpoint": server.endpoint,
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": server.key,
        "s3proxy.credential": server.secret,
        "jclouds.provider": "filesystem-nio2",
        "jclouds.filesystem.basedir": str(server.folder),
    }
    return properties(told)


if __name__ == "__main__":
    for path in jars.fetch(JARS, of_lock(LOCK.read_text(encoding="utf-8"))):
        print(f"fetched  {path}")  # noqa: T201
