"""Any endpoint of Spark Connect: a thin client beside the task, no Java; the work is the server's.

The client ends with the task that owns it, as a local Spark does. What it ran on the server is tagged with the job's
token, in a session that is named by it: whoever cancels interrupts it by the tag, and so does the next try of the same
task before it begins.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from airflow_provider_etl.engines.base import Handle, Job
from airflow_provider_etl.engines.local import LocalEngine, child_environment
from spark_jobs.connect.limits import REMEDY
from spark_jobs.errors import ConfigError
from spark_jobs.orders import is_order


class ConnectEngine(LocalEngine):
    """Spark behind an endpoint of Spark Connect."""

    where: ClassVar[str] = "engine connect"

    def __init__(self, command: tuple[str, ...] = (sys.executable, "-m", "spark_jobs.run")) -> None:
        super().__init__(command)
        self._remotes: dict[str, Mapping[str, Any]] = {}

    def submit(self, job: Job) -> Handle:
        """Start the client.

        Raises:
            ConfigError: the job is an order for whole tables.
        """
        if found := self.find(job.token):
            return found
        if any(map(is_order, job.plans)):
            told = "orders for whole tables don't run over Spark Connect"
            raise ConfigError(told, where=self.where, expected="windows", remedy=REMEDY)
        remote = self._remote(job) | {"token": job.token}
        plans = [{**plan, "spark": {**plan.get("spark", {}), "remote": remote}} for plan in job.plans]
        self._remotes[job.token] = remote
        return super().submit(replace(job, plan=plans[0] if isinstance(job.plan, Mapping) else plans))

    def cancel(self, handle: Handle) -> None:
        """End the client, and have the server interrupt what it ran. Safe in a signal handler, and twice."""
        running, remote = self.find(handle.token) is not None, self._remotes.get(handle.token)
        super().cancel(handle)
        if running and remote is not None:
            interrupt(remote)

    def report(self, handle: Handle) -> Any:
        """As the base says."""
        self._remotes.pop(handle.token, None)
        return super().report(handle)

    def _remote(self, job: Job) -> dict[str, Any]:
        """Where the server is, as the environment file says."""
        return dict(job.plans[0]["spark"]["remote"])

    def _require(self, environment: Mapping[str, str]) -> None:
        """No Java."""
        del environment


def interrupt(remote: Mapping[str, Any]) -> None:
    """Have a process of its own interrupt a job's operations: gRPC is no matter for a signal handler."""
    told = subprocess.Popen(
        [sys.executable, "-m", "spark_jobs.connect.client"],
        env=child_environment(os.environ),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert told.stdin is not None  # noqa: S101 - for mypy
    told.stdin.write(json.dumps(dict(remote)).encode())
    told.stdin.close()
