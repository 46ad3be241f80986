"""Engines: where the environment file says that Spark runs, and what of it a plan gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.spec import spot
from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.frozen import FrozenMap
from airflow_provider_etl.spec.language import EngineFile, EnvironmentFile, TolerationFile
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.paths import absolute, is_uri
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.services import SERVICES, taken
from spark_jobs.connections import misnamed

LOCAL: Final = ("local", "local_warm", "local_connect")  # the kinds of engine whose Spark runs beside the task
_SERVICE: Final = (
    *("connection", "application", "role", "cluster", "bucket", "region", "volume", "runtime", "node_type"),
    *("driver_node_type", "spot", "libraries", "scope", "project", "subnetwork"),
)
_DATAPROC: Final = ("image", "service_account")
_KUBERNETES: Final = (
    *("namespace", "image", "bucket_connection", "service_account", "node_selector", "script", "spark", "spot_nodes"),
)
_SUBMIT: Final = ("connection", "master", "deploy_mode", "queue", "namespace", "image", "python", "rest_port", "jobs")
SIZES: Final = {
    "spark.executor.instances": "executors",
    "spark.executor.cores": "executor_cores",
    "spark.executor.memory": "executor_memory",
}
_HERE: Final = ("cores", "archive")
_JARS: Final = ("jars", "packages")  # a service brings its own, and those that `conf` names
_HINTS: Final = {
    "cores": "executor_cores are a cluster's",
    "jars": "name them in conf: spark.jars",
    "packages": "name them in conf: spark.jars, or spark.jars.packages",
}
_ADDRESS: Final = r"[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:]+\]"  # Spark takes no underscore in a host's name
_MASTER: Final = re.compile(rf"spark://(?:{_ADDRESS}):\d+(?:,(?:{_ADDRESS}):\d+)*|yarn|k8s://\S+")
_MASTERS: Final = "spark://host:7077, yarn or k8s://https://host:6443"
_IMAGE: Final = "spark.kubernetes.container.image"
_ALONE: Final = {"spark.master": "master", "spark.submit.deployMode": "deploy_mode"}
_OPTIONS: Final = {  # said twice, one of them would win unseen
    **SIZES,
    "spark.driver.memory": "memory",
    "spark.yarn.queue": "queue",
    "spark.kubernetes.namespace": "namespace",
    _IMAGE: "image",
    "spark.pyspark.python": "python",
}


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Where Spark runs.

    Args:
        name: as the environment file calls it.
        kind: `local`, `local_warm`, `local_connect`, `connect`, `spark_submit`, `emr_serverless`, `emr`,
            `kubernetes`, `databricks` or `dataproc`.
        cores: threads of a local Spark.
        memory: the driver's, such as `2g`.
        jars: absolute folder, or a URI.
        small: tune for small windows.
        archive: absolute path of a class data sharing archive, or None.
        conf: more Spark settings.
        retention: how long staged files of a run that succeeded are kept.
        spark: version of Spark, or its line.
        packages: `folder` or `resolve`: where jars come from.
        submit: which cluster, and how a job gets there; empty where Spark's own client isn't asked.
        service: which service, and where its jobs' files are; empty where none is asked. Names alone, no secrets.
        remote: endpoint of Spark Connect: `url`, `secret_file`; empty for any other kind.
    """

    name: str
    kind: str = "local"
    cores: int = 2
    memory: str = "2g"
    jars: str = "jars"
    small: bool = False
    archive: str | None = None
    conf: Mapping[str, str] = field(default_factory=FrozenMap)
    retention: timedelta = timedelta(days=1)
    spark: str = "4.1"
    packages: str = "folder"
    submit: Mapping[str, Any] = field(default_factory=FrozenMap)
    service: Mapping[str, Any] = field(default_factory=FrozenMap)
    remote: Mapping[str, Any] = field(default_factory=FrozenMap)

    def options(self) -> dict[str, Any]:
        """What an engine whose jobs outlive their task needs beside the plan, JSON; empty for others."""
        return dict(self.service)

    def settings(self) -> dict[str, Any]:
        """The plan's `spark`."""
        told: dict[str, Any] = {
            "memory": self.memory,
            "small": self.small,
            "conf": dict(self.conf),
            "retention_hours": self.retention / timedelta(hours=1),
        }
        if self.service:
            return told | {"provided": True}
        if self.remote:
            return told | {"remote": dict(self.remote)}
        told |= {"master": f"local[{self.cores}]", "jars": self.jars, "archive": self.archive}
        return told | {"master": "", "submit": dict(self.submit)} if self.submit else told


def made(name: str, read: EngineFile, project: Path, jobs: str) -> Engine:
    """An engine of the environment file.

    Args:
        name: as the file calls it.
        read: its options.
        project: the folder that relative paths start from.
        jobs: the folder for drivers on a cluster, where the file names none.
    """
    submit = {key: getattr(read, key) for key in _SUBMIT} if read.kind == "spark_submit" else {}
    if submit:
        submit["jobs"] = absolute(read.jobs, project) if read.jobs else jobs
        submit["jobs"] = None if is_uri(submit["jobs"]) else submit["jobs"]
    return Engine(
        name=name,
        kind=read.kind,
        cores=read.cores,
        memory=read.memory,
        jars=absolute(read.jars, project),
        small=read.small,
        archive=absolute(read.archive, project) if read.archive else None,
        conf=FrozenMap(
            spot.settings(read) | sizes_of(read, SIZES) | {key: _setting(value) for key, value in read.conf.items()}
        ),
        retention=read.retention,
        spark=read.spark,
        packages=read.packages,
        submit=FrozenMap(submit),
        remote=FrozenMap(_remote(read, project)),
        service=FrozenMap(_service(read) if read.kind in SERVICES else {}),
    )


def _remote(read: EngineFile, project: Path) -> dict[str, Any]:
    if read.kind != "connect" or read.url is None:
        return {}
    return {"url": read.url} | ({"secret_file": absolute(read.token_file, project)} if read.token_file else {})


def _service(read: EngineFile) -> dict[str, Any]:
    told = {name: getattr(read, name) for name in _SERVICE}
    if read.kind == "kubernetes":
        told |= {name: getattr(read, name) for name in _KUBERNETES}
        told |= {name: list(map(_said, getattr(read, name))) for name in ("tolerations", "spot_tolerations")}
    if read.kind == "dataproc":
        told |= {name: getattr(read, name) for name in _DATAPROC}
    return {name: value for name, value in told.items() if value} | {"poll": read.poll.total_seconds()}


def _said(toleration: TolerationFile) -> dict[str, str]:
    return {key: value for key, value in asdict(toleration).items() if value is not None}


def sizes_of(said: Any, names: Mapping[str, str]) -> dict[str, str]:
    """The sizes that somebody says, as Spark's settings.

    Args:
        said: an engine's options, or what a pipeline needs.
        names: Spark's setting -> the option.
    """
    told = {key: getattr(said, name) for key, name in names.items()}
    return {key: str(value) for key, value in told.items() if value is not None}


def _setting(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check(node: MapNode, read: EnvironmentFile, problems: Problems) -> None:
    """Tell of options that mean nothing for an engine's kind, and of those that Spark's client would refuse.

    Args:
        node: the environment file.
        read: what it says.
        problems: where problems go.
    """
    found = node.get("engines")
    staging = read.variables.get("staging", "")
    for name, engine in read.engines.items():
        place = found.get(name) if isinstance(found, MapNode) else None
        if not isinstance(place, MapNode):
            continue
        submits = engine.kind == "spark_submit"
        for key in _foreign(engine.kind):
            if key in place.entries:
                message = f"{key!r} means nothing to an engine of kind {engine.kind}"
                hint = _HINTS.get(key, "leave it out")
                problems.add(place.entries[key].key, "conflicting-keys", message, hint)
        for where, *complaint in _complaints(engine, place, staging) if submits else ():
            problems.add(where, *complaint)


def _foreign(kind: str) -> tuple[str, ...]:
    """Options that other kinds have; those of services: services.py."""
    if kind == "spark_submit":
        return _HERE
    if kind in SERVICES:
        return (*_HERE, *_JARS, *(key for key in _SUBMIT if key not in ("connection", *taken(kind))))
    return (*_SUBMIT, *SIZES.values(), *((*_HERE, *_JARS) if kind == "connect" else ()))


def _complaints(engine: EngineFile, node: MapNode, staging: str) -> Iterator[tuple[Node, str, str, str]]:
    def at(key: str) -> Node:
        return node.get(key) or node

    if engine.master is not None and engine.connection is not None:
        message = "both master and connection say where the cluster is"
        yield node.entries["master"].key, "conflicting-keys", message, "leave one of them out"
    if engine.master is None and engine.connection is None:
        yield node.holder, "missing-key", "neither master nor connection says where the cluster is", _MASTERS
    if engine.connection is not None and (why := misnamed(engine.connection)):
        yield at("connection"), "invalid-value", f"{shown(engine.connection)} is no connection: {why}", "name one"
    if engine.master is not None and not _MASTER.fullmatch(engine.master):
        hint = "kind: local runs Spark beside the task" if engine.master.startswith("local") else f"such as {_MASTERS}"
        yield at("master"), "invalid-value", f"{shown(engine.master)} is no cluster's master", hint
    if (engine.master or "").startswith("k8s") and not engine.image and _IMAGE not in engine.conf:
        yield node.holder, "missing-key", "key 'image' is missing", "Kubernetes starts executors from an image of Spark"
    yield from _on_cluster(engine, at, staging)
    yield from _twice(node)


def _on_cluster(engine: EngineFile, at: Any, staging: str) -> Iterator[tuple[Node, str, str, str]]:
    master = engine.master or ""
    if engine.deploy_mode == "cluster" and master and not master.startswith("spark://"):
        message = f"this release sends no driver to {master.partition(':')[0]}, only to standalone masters"
        yield at("deploy_mode"), "invalid-value", message, "deploy_mode: client; the executors run there all the same"
    if engine.deploy_mode == "cluster" and is_uri(engine.jobs or staging):
        message = f"{shown(engine.jobs or staging)} is no folder that a task can write to"
        yield at("jobs"), "invalid-value", message, "jobs: a folder that tasks and cluster see under one path"
    for key, prefix in (("queue", "yarn"), ("namespace", "k8s"), ("image", "k8s"), ("rest_port", "spark:")):
        if getattr(engine, key) is not None and master and not master.startswith(prefix):
            yield at(key), "conflicting-keys", f"{key!r} means nothing to {shown(master)}", "leave it out"


def _twice(node: MapNode) -> Iterator[tuple[Node, str, str, str]]:
    conf = node.get("conf")
    for key, entry in conf.entries.items() if isinstance(conf, MapNode) else ():
        option = _ALONE.get(key) or _OPTIONS.get(key, "")
        if key in _ALONE or option in node.entries:
            yield entry.key, "conflicting-keys", f"{key} is the engine's option {option!r}", f"say {option}: there"
