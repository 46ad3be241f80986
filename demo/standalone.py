"""A Spark cluster on this machine: a standalone master and workers from the pyspark wheel. For the demo and tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from airflow_provider_etl.engines import guard
from airflow_provider_etl.engines.java import require_java
from demo.airflow_home import free_port

_HOST: Final = "127.0.0.1"
_READY: Final = 60.0  # seconds until the workers have registered
_GRACE: Final = 10.0  # seconds until a process has ended
_CLASS: Final = "org.apache.spark.deploy.{0}.{1}"


class StandaloneError(Exception):
    """The cluster didn't start; the message ends with what it printed last."""


class Standalone:
    """A master and its workers; each a process of its own that ends with this one.

    Args:
        folder: where they write, made where it doesn't exist.
        workers: how many.
        cores: of each worker.
        memory: of each worker, for its executors and drivers.
    """

    def __init__(self, folder: Path, *, workers: int = 2, cores: int = 2, memory: str = "3g") -> None:
        self.folder, self.workers = folder.resolve(), workers
        self._size = ("--cores", str(cores), "--memory", memory)
        self.port, self.rest_port, self.ui_port = free_port(), free_port(), free_port()
        self._processes: list[subprocess.Popen[bytes]] = []

    @property
    def master(self) -> str:
        """Its address, as Spark's clients take it."""
        return f"spark://{_HOST}:{self.port}"

    @property
    def connection(self) -> dict[str, Any]:
        """An Airflow connection to it."""
        extra = {"rest-port": self.rest_port}
        return {"conn_type": "spark", "host": f"spark://{_HOST}", "port": self.port, "extra": extra}

    @property
    def state(self) -> dict[str, Any]:
        """What the master tells of its workers, applications and drivers."""
        with urllib.request.urlopen(f"http://{_HOST}:{self.ui_port}/json/", timeout=10) as answer:
            told: dict[str, Any] = json.load(answer)
        return told

    def start(self) -> None:
        """Start master and workers, and wait until all have registered.

        Raises:
            StandaloneError: they haven't, in time.
        """
        ports = ("--port", str(self.port), "--webui-port", str(self.ui_port))
        rest = ("-Dspark.master.rest.enabled=true", f"-Dspark.master.rest.port={self.rest_port}")
        self._launch("master", "Master", [*rest, f"-Dspark.master.rest.host={_HOST}"], ports)
        for number in range(self.workers):
            place = ("--work-dir", str(self.folder / f"work-{number}"), "--webui-port", str(free_port()))
            self._launch("worker", "Worker", [], (*place, *self._size, self.master), f"-{number}")
        deadline = time.monotonic() + _READY
        while not self._ready():
            if time.monotonic() > deadline or any(process.poll() is not None for process in self._processes):
                self.stop()
                said = "\n".join(path.read_text(errors="replace")[-1500:] for path in self.folder.glob("*.log"))
                raise StandaloneError(f"the Spark cluster didn't start:\n{said}")
            time.sleep(0.1)

    def _ready(self) -> bool:
        try:
            return int(self.state["aliveworkers"]) == self.workers
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def _launch(self, part: str, name: str, options: Sequence[str], arguments: Sequence[str], which: str = "") -> None:
        import pyspark

        home = Path(pyspark.__file__).parent
        java = [require_java(os.environ)[0], "-cp", f"{home / 'jars'}/*", "-Xmx256m", "-XX:+UseSerialGC", *options]
        command = [*java, _CLASS.format(part, name), "--host", _HOST, *arguments]
        self.folder.mkdir(parents=True, exist_ok=True)
        own = {"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13", "SPARK_LOCAL_IP": _HOST}
        own |= {"SPARK_LOCAL_DIRS": str(self.folder), "PYSPARK_PYTHON": sys.executable, "TMPDIR": str(self.folder)}
        kept = {key: os.environ[key] for key in ("PATH", "JAVA_HOME", "LANG") if key in os.environ}
        with (self.folder / f"{part}{which}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", guard.__file__, "-", *command],
                cwd=self.folder,
                env=kept | own,
                stdin=subprocess.PIPE,  # at its end the guard ends the process and all that it started
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._processes.append(process)

    def stop(self) -> None:
        """End them all, executors and drivers too."""
        for process in self._processes:
            if process.stdin:
                process.stdin.close()
        for process in self._processes:
            process.wait(_GRACE)
        self._processes.clear()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()
