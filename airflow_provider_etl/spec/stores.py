"""Stores of objects: how the environment says that a bucket is reached, and what of it a plan gets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from airflow_provider_etl.spec.diagnostics import shown
from airflow_provider_etl.spec.language import StoreFile
from airflow_provider_etl.spec.nodes import MapNode
from airflow_provider_etl.spec.problems import Problems
from spark_jobs.connections import misnamed
from spark_jobs.object_store.s3 import bucket_of

_BUCKET: Final = re.compile(r"s3a://[a-z0-9][a-z0-9.\-]{1,61}[a-z0-9]")


@dataclass(frozen=True, kw_only=True)
class Store:
    """How a bucket is reached.

    Args:
        connection: Airflow connection id; None leaves it to AWS's own chain.
        endpoint: address of the service; None for AWS's.
        region: of the bucket; None where the connection or the chain says it.
        path_style: whether the bucket stands in the address's path and not in its host.
    """

    connection: str | None = None
    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False

    def to_json(self) -> dict[str, Any]:
        """What a plan says of it: no secrets, only the connection's id."""
        return {
            "connection": self.connection,
            "endpoint": self.endpoint,
            "region": self.region,
            "path_style": self.path_style,
        }


def stores_of(read: Mapping[str, StoreFile]) -> dict[str, Store]:
    """The stores of an environment file by bucket."""
    return {
        bucket: Store(
            connection=store.connection, endpoint=store.endpoint, region=store.region, path_style=store.path_style
        )
        for bucket, store in read.items()
    }


def check(node: MapNode, read: Mapping[str, StoreFile], problems: Problems) -> None:
    """Tell of stores that are none.

    Args:
        node: the environment file.
        read: its `stores`.
        problems: where problems go.
    """
    found = node.get("stores")
    for bucket, store in read.items():
        if not isinstance(found, MapNode):
            return
        entry = found.entries[bucket]
        if not _BUCKET.fullmatch(bucket):
            message = f"{shown(bucket)} is no bucket"
            problems.add(entry.key, "invalid-value", message, "such as s3a://lake: the whole bucket, and nothing below")
        for key, complaint in _complaints(store):
            inner = entry.value.get(key) if isinstance(entry.value, MapNode) else None
            problems.add(inner or entry.value, "invalid-value", *complaint)


def _complaints(store: StoreFile) -> Iterator[tuple[str, tuple[str, str]]]:
    if store.connection is not None and (why := misnamed(store.connection)):
        yield "connection", (f"{shown(store.connection)} is no connection: {why}", "name an Airflow connection")
    if store.endpoint is not None and not _is_endpoint(store.endpoint):
        message = "the endpoint is no address of a service"
        yield "endpoint", (message, "such as https://minio.example.com:9000, with neither path nor login")


def _is_endpoint(text: str) -> bool:
    try:
        parts = urlsplit(text)
        sound = parts.port != 0
    except ValueError:
        return False
    rest = parts.path.strip("/") or parts.query or parts.fragment or parts.username or parts.password
    return sound and parts.scheme in ("http", "https") and bool(parts.hostname) and not rest


def named(stores: Mapping[str, Store], values: Any) -> dict[str, dict[str, Any]]:
    """The buckets that values name, each with what the environment says of it.

    Args:
        stores: those of the environment.
        values: texts, or JSON made of them: options of kinds, paths.
    """
    return {bucket: stores.get(bucket, Store()).to_json() for bucket in buckets_in(values)}


def buckets_in(values: Any) -> list[str]:
    """The buckets that values name, `s3a://bucket`, sorted; values as above."""
    return sorted({bucket for text in _texts(values) if (bucket := bucket_of(text))})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
