"""Spark on a cluster, by Spark's own client: standalone masters, YARN, Kubernetes.

In client mode the driver is a process beside the task, held as a local Spark is: no driver outlives its task, and the
cluster takes the executors back when its driver is gone. In cluster mode (`cluster.py`) it outlives the task.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

from airflow_provider_etl.engines import arguments
from airflow_provider_etl.engines.base import Engine, Handle, Job, State
from airflow_provider_etl.engines.cluster import ClusterEngine
from airflow_provider_etl.engines.local import LocalEngine
from airflow_provider_etl.engines.parcel import parcel
from airflow_provider_etl.engines.target import Target, target_of
from spark_jobs.connections import Connections
from spark_jobs.errors import InfrastructureError

_ANSWER: Final = 5.0  # seconds for a master to take a connection
WHERE: Final = "engine spark_submit"


class SparkSubmitEngine:
    """Spark on a cluster; where and how, each job says by its plan's `spark.submit`.

    Args:
        target: where jobs are looked for that another process has submitted, in cluster mode.
    """

    def __init__(self, target: Target | None = None) -> None:
        self._clusters = ClusterEngine(target) if target and target.deploy_mode == "cluster" else None
        self._engines: dict[str, Engine] = {}

    def submit(self, job: Job) -> Handle:
        """Submit a job.

        Raises:
            ConfigError: its settings name no cluster, or Spark's client isn't here.
            InfrastructureError: the cluster doesn't answer.
        """
        if found := self.find(job.token):
            return found
        told = job.plans[0]["spark"]["submit"]
        known = told.get("connection")
        target = target_of(told, job.connections[known] if known else None)
        require_master(target)
        engine = ClusterEngine(target) if target.deploy_mode == "cluster" else ClientEngine(target)
        self._engines[job.token] = engine
        # The driver needs no connection to the cluster: it is there.
        others = Connections(*(item for name, item in job.connections.items() if name != known))
        return engine.submit(replace(job, connections=others))

    def find(self, token: str) -> Handle | None:
        """The running job of a token."""
        engine = self._engines.get(token) or self._clusters
        return engine.find(token) if engine else None

    def status(self, handle: Handle) -> State:
        """Whether the job still runs."""
        return self._of(handle).status(handle)

    def output(self, handle: Handle) -> Iterator[str]:
        """The job's lines as they come."""
        return self._of(handle).output(handle)

    def cancel(self, handle: Handle) -> None:
        """End the job."""
        self._of(handle).cancel(handle)

    def report(self, handle: Handle) -> Any:
        """The report, or the reports."""
        return self._of(handle).report(handle)

    def _of(self, handle: Handle) -> Engine:
        """The engine of a job; that of one that another process has submitted is known by its handle alone."""
        if handle.token not in self._engines:
            self._engines[handle.token] = ClusterEngine.of(handle)
        return self._engines[handle.token]


class ClientEngine(LocalEngine):
    """A driver beside the task, executors on a cluster.

    Args:
        target: where it submits to.
    """

    where: ClassVar[str] = WHERE

    def __init__(self, target: Target) -> None:
        super().__init__()
        self._target = target

    def _prepared(
        self, job: Job, folder: Path, environment: Mapping[str, str]
    ) -> tuple[Sequence[str], Mapping[str, str]]:
        home, plan = arguments.spark_home(environment), job.plans[0]
        # Beside the task the driver takes the task's Python, also where executors have another one: that setting of
        # Spark's would win over the variable of the driver's own.
        conf = {"spark.pyspark.driver.python": sys.executable}
        conf |= arguments.settings(plan["spark"], self._target, str(folder))
        arguments.write_properties(folder / "spark.conf", conf)
        name = arguments.name_of(plan, job.token)
        told = arguments.arguments(self._target, name, folder / "spark.conf", parcel(folder), conf)
        pythons = {"PYSPARK_DRIVER_PYTHON": sys.executable, "PYSPARK_PYTHON": self._target.python or sys.executable}
        local = {"SPARK_LOCAL_IP": "127.0.0.1"} if self._target.here else {}
        return [str(Path(home, "bin", "spark-submit")), *told], {**environment, "SPARK_HOME": home, **pythons, **local}


def require_master(target: Target) -> None:
    """Ask whether a standalone master is there: Spark's own client would take a minute to find out that it isn't.

    Raises:
        InfrastructureError: none of its addresses takes a connection.
    """
    for host, port in target.hosts:
        with suppress(OSError, OverflowError), socket.create_connection((host.strip("[]"), port), timeout=_ANSWER):
            return
    if target.hosts:
        raise InfrastructureError(
            f"the Spark master {target.master} doesn't answer", where=WHERE, remedy="start it, or mend the address"
        )
