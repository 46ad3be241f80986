"""Engines of services: what each kind needs, and what means nothing beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from airflow_provider_etl.spec import kubernetes
from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.language import EngineFile
from airflow_provider_etl.spec.nodes import MapNode, Node
from airflow_provider_etl.spec.problems import Problems

Shape = tuple[re.Pattern[str], str]
_CLUSTER: Final = re.compile(r"j-[A-Z0-9]+"), "a cluster's id, such as j-2AXXXXXXGAPLF"
_BRICKS: Final = re.compile(r"\d{4}-\d{6}-[a-z0-9]+(-[a-z0-9]+)*"), "a cluster's id, such as 1234-567890-abcde123"
_GOOGLE: Final[Mapping[str, Shape]] = {
    "bucket": (re.compile(r"gs://[a-z0-9][a-z0-9.\-_]{1,220}[a-z0-9](/\S*)?"), "a folder, such as gs://company-etl/jobs"),
    "cluster": (re.compile(r"[a-z]([a-z0-9\-]{0,50}[a-z0-9])?"), "a cluster's name, such as farm"),
    "region": (re.compile(r"[a-z]+-[a-z]+\d+"), "a region, such as europe-west3"),
    "runtime": (re.compile(r"([3-9]|[1-9]\d)\.\d+"), 'a runtime with Spark 4, such as "3.0"'),
    "service_account": (re.compile(r"[^@\s]+@[^@\s]+"), "an account, such as etl@company.iam.gserviceaccount.com"),
}  # fmt: skip
_SHAPES: Final = {
    "application": (re.compile(r"[0-9a-z]{1,64}"), "an application's id, such as 00f1r1…"),
    "role": (re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+"), "an ARN, such as arn:aws:iam::123456789012:role/etl"),
    "bucket": (re.compile(r"s3a?://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9](/\S*)?"), "a folder, such as s3://company-etl/jobs"),
    "volume": (re.compile(r"/Volumes(/(?!\.\.?(/|$))[^/\s]+){3,}/?"), "a folder, such as /Volumes/main/etl/jobs"),
    "runtime": (re.compile(r"\d+\.\d+\.[\w.\-]+"), "a runtime, such as 18.0.x-scala2.13"),
    "node_type": (re.compile(r"[\w.\-]+"), "a type of machine, such as i3.xlarge"),
    "driver_node_type": (re.compile(r"[\w.\-]+"), "a type of machine, such as i3.xlarge"),
    "scope": (re.compile(r"[\w.\-]{1,128}"), "the name of a secret scope, such as airflow-etl"),
    "project": (re.compile(r"([a-z0-9.\-]+:)?[a-z][a-z0-9\-]{4,28}[a-z0-9]"), "a project's id, such as company-etl"),
    "subnetwork": (re.compile(r"[\w.\-/:]+"), "a subnetwork's name or URI, such as inner"),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """What a kind of engine knows beside `poll`.

    Args:
        needs: options that it can't be without.
        takes: those that it may have.
        shapes: option -> its shape, and what is meant, where this kind has one of its own.
        fresh: what describes a new cluster, where `cluster` may be left out.
        described: of them, how many are needed then, from the first on.
        instead: what is meant by them.
        unsaid: options of all services that mean nothing to this one -> what to do.
    """

    needs: tuple[str, ...]
    takes: tuple[str, ...] = ()
    shapes: Mapping[str, Shape] = field(default_factory=dict)
    fresh: tuple[str, ...] = ()
    described: int = 0
    instead: str = "a new cluster"
    unsaid: Mapping[str, str] = field(default_factory=dict)


_BY_NODE: Final = "node_type decides it"
_KINDS: Final = {
    "emr_serverless": _Kind(needs=("application", "role", "bucket"), takes=("region",)),
    "emr": _Kind(needs=("cluster", "bucket"), takes=("region",), shapes={"cluster": _CLUSTER}),
    "kubernetes": _Kind(needs=("namespace", "image", "bucket"), takes=("region", *kubernetes.MAY)),
    "databricks": _Kind(
        needs=("volume",),
        takes=("scope", "libraries", "cluster"),
        shapes={"cluster": _BRICKS},
        fresh=("runtime", "node_type", "driver_node_type", "spot", "executors"),
        described=2,
        unsaid={"memory": _BY_NODE, "executor_cores": _BY_NODE, "executor_memory": _BY_NODE},
    ),
    "dataproc": _Kind(
        needs=("region", "bucket"),
        takes=("project", "cluster"),
        shapes=_GOOGLE,
        fresh=("runtime", "image", "service_account", "subnetwork"),
        described=1,  # the one that Google takes by itself has Spark 3
        instead="a batch",
    ),
}
SERVICES: Final = tuple(_KINDS)  # the kinds whose jobs a service runs, far from this machine's files
_OWN: Final = (*(key for key in _SHAPES), "cluster", "region", "poll", "libraries", *kubernetes.MAY)
_SHAPED: Final = _SHAPES | kubernetes.SHAPES  # some of them are spark_submit's too
_SOONEST: Final = timedelta(seconds=1)


def taken(kind: str) -> tuple[str, ...]:
    """The options that an engine of a service knows beside those of all services; none for other kinds."""
    known = _KINDS.get(kind)
    return (*known.needs, *known.takes, *known.fresh) if known else ()


def check(node: MapNode, engines: Mapping[str, EngineFile], problems: Problems) -> None:
    """Refuse engines that lack what their kind needs, or have what it doesn't know.

    Args:
        node: the environment file.
        engines: name -> engine, as read.
        problems: takes what is wrong.
    """
    found = node.get("engines")
    for name, engine in engines.items():
        place = found.get(name) if isinstance(found, MapNode) else None
        if isinstance(place, MapNode):
            _check(place, engine, problems)
        if isinstance(place, MapNode) and engine.kind == "kubernetes":
            kubernetes.check(place, engine, problems)


def _check(node: MapNode, engine: EngineFile, problems: Problems) -> None:
    kind = _KINDS.get(engine.kind)
    for key, hint in _missing(engine, kind) if kind else ():
        problems.add(node.holder, "missing-key", f"key {key!r} is missing", hint)
    for key, hint in _foreign(kind).items():
        if key in node.entries:
            message = f"{key!r} means nothing to an engine of kind {engine.kind}"
            problems.add(node.entries[key].key, "conflicting-keys", message, hint)
    for key in kind.fresh if kind and engine.cluster is not None else ():
        if kind and key in node.entries:
            message = f"both 'cluster', one that is there, and {key!r} of {kind.instead} are given"
            problems.add(node.entries[key].key, "conflicting-keys", message, "leave one of them out")
    for key, (shape, meant) in _shapes(kind).items():
        value, place = getattr(engine, key), node.get(key)
        if value is not None and place is not None and not shape.fullmatch(value):
            problems.add(place, "invalid-value", f"{shown(value)} is no {key}", meant)
    _patience(node.get("poll"), engine, problems)


def _missing(engine: EngineFile, kind: _Kind) -> Iterator[tuple[str, str]]:
    """(option, hint) of what isn't there."""
    for key in kind.needs:
        if getattr(engine, key) is None:
            yield key, f"kind {engine.kind} needs {_shapes(kind)[key][1]}"
    for key in kind.fresh[: kind.described] if engine.cluster is None else ():
        if getattr(engine, key) is None:
            yield key, f"{kind.instead} needs {_shapes(kind)[key][1]}; or name one that is there: cluster"


def _shapes(kind: _Kind | None) -> Mapping[str, Shape]:
    return _SHAPED | dict(kind.shapes if kind else {})


def _foreign(kind: _Kind | None) -> dict[str, str]:
    """Option -> what to do, of those that a kind doesn't know."""
    known = (*kind.needs, *kind.takes, *kind.fresh, "poll") if kind else ()
    others = {key: "leave it out, or see the kind" for key in _OWN if key not in known}
    return others | dict(kind.unsaid if kind else {})


def _patience(place: Node | None, engine: EngineFile, problems: Problems) -> None:
    if place is not None and engine.poll < _SOONEST:
        problems.add(place, "invalid-value", "poll is less than a second", "such as 15s")
