"""Which cluster a job goes to, and how: what the environment file says, and the Airflow connection that it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError

REST_PORT: Final = 6066
MASTER: Final = re.compile(r"spark://[A-Za-z0-9.\-\[\]:]+:\d+(,[A-Za-z0-9.\-\[\]:]+:\d+)*|yarn|k8s://\S+")
MASTERS: Final = "spark://host:7077, yarn or k8s://https://host:6443"
MODES: Final = ("client", "cluster")
_HERE: Final = ("127.0.0.1", "localhost", "[::1]")


@dataclass(frozen=True, kw_only=True)
class Target:
    """Where Spark's client submits to.

    Args:
        master: `spark://host:port[,host:port]`, `yarn` or `k8s://https://host:port`.
        deploy_mode: `client`: the driver is a process beside the task; `cluster`: it runs on the cluster.
        queue: of YARN.
        namespace, image: of Kubernetes.
        python: the executors' Python; the driver's too where that runs on the cluster.
        rest_port: of a standalone master's REST server, by which drivers are sent.
        jobs: folder that both sides see, for drivers on the cluster.
    """

    master: str
    deploy_mode: str = "client"
    queue: str | None = None
    namespace: str | None = None
    image: str | None = None
    python: str | None = None
    rest_port: int = REST_PORT
    jobs: str | None = None

    @property
    def hosts(self) -> list[tuple[str, int]]:
        """The addresses of a standalone master, several where others stand by; none for other masters."""
        if not self.master.startswith("spark://"):
            return []
        parts = [address.rpartition(":") for address in self.master.removeprefix("spark://").split(",")]
        return [(host, int(port)) for host, _, port in parts]

    @property
    def here(self) -> bool:
        """Whether the whole cluster is on this machine, so that no port need be open to others."""
        return bool(self.hosts) and all(host in _HERE for host, _ in self.hosts)


def target_of(told: Mapping[str, Any], connection: Connection | None) -> Target:
    """Where a job goes; what the environment file says wins over the connection.

    Args:
        told: the plan's `spark.submit`.
        connection: the Airflow connection that it names, if any, read as Airflow's own Spark provider reads one
            (apache-airflow-providers-apache-spark, `SparkSubmitHook._resolve_connection`).

    Raises:
        ConfigError: no master, or a value that Spark's client doesn't know.
    """
    said = _of_connection(connection) if connection is not None else {}
    found = said | {key: value for key, value in told.items() if value is not None and key != "connection"}
    where = f"connection {connection.id!r}" if connection is not None else "engines"
    target = Target(**found)
    if not MASTER.fullmatch(target.master):
        raise ConfigError(f"master {target.master!r} is none that jobs are submitted to", where=where, expected=MASTERS)
    if target.deploy_mode not in MODES:
        raise ConfigError(f"deploy mode {target.deploy_mode!r}", where=where, expected=" or ".join(MODES))
    if target.deploy_mode == "cluster" and target.hosts and not target.jobs:
        raise ConfigError(
            "staging is a URI, and a driver on the cluster takes its job from a folder",
            where=where,
            remedy="name a folder that tasks and cluster see under one path: jobs",
        )
    if target.deploy_mode == "cluster" and not target.hosts:
        raise ConfigError(
            f"a driver is sent to standalone masters alone, not to {target.master}",
            where=where,
            remedy="say deploy_mode: client, and let the executors run there",
        )
    return target


def _of_connection(found: Connection) -> dict[str, Any]:
    """The master is `host` where that is a whole address or the type is `spark` and there is no port."""
    whole = found.kind == "spark" and found.host and ("://" in found.host or not found.port)
    master = found.host if whole else f"{found.kind}://{found.host}"
    extra = {"queue": "queue", "deploy-mode": "deploy_mode", "namespace": "namespace", "rest-port": "rest_port"}
    said = {name: found.extra[key] for key, name in extra.items() if found.extra.get(key) not in (None, "")}
    if "rest_port" in said:
        said["rest_port"] = _port(said["rest_port"], found)
    return {"master": f"{master}:{found.port}" if found.port else master} | said


def _port(value: Any, found: Connection) -> int:
    if not str(value).isdecimal() or not 0 < int(value) < 1 << 16:
        raise ConfigError("rest-port is no port", where=f"connection {found.id!r}", expected="such as 6066")
    return int(value)
