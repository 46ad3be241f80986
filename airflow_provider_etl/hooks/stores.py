"""How tables on S3 are opened without Spark: with the connection that Spark gets for their bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from airflow_provider_etl.hooks.connections import resolved
from spark_jobs.object_store.s3 import SCHEME, access_of, bucket_of


def storage_options(path: str, store: Mapping[str, Any] | None) -> dict[str, str] | None:
    """delta-rs's options of a table; None where it needs none.

    Args:
        path: the table's.
        store: what the plan says of its bucket; None leaves it to AWS's own chain.

    Raises:
        ConfigError: a connection that isn't there, or can't be used.
    """
    bucket = bucket_of(path)
    if bucket is None or not store:
        return None
    access = _access(bucket, store)
    in_host = bool(access["endpoint"]) and not store.get("path_style")
    found = {
        "aws_access_key_id": access["key"],
        "aws_secret_access_key": access["secret"],
        "aws_session_token": access["token"],
        # delta-rs takes such an endpoint for one that names the bucket already.
        "aws_endpoint_url": _with_bucket(access["endpoint"], bucket) if in_host else access["endpoint"],
        "aws_region": access["region"],
        "aws_virtual_hosted_style_request": "true" if in_host else None,
        "aws_allow_http": "true" if str(access["endpoint"] or "").startswith("http://") else None,
    }
    return {key: value for key, value in found.items() if value}


def fsspec_options(path: str, store: Mapping[str, Any] | None) -> dict[str, Any]:
    """s3fs's options of a file; none where it needs none. Arguments and errors as above."""
    bucket = bucket_of(path)
    if bucket is None or not store:
        return {}
    access = _access(bucket, store)
    found = {"key": access["key"], "secret": access["secret"], "token": access["token"]}
    client = {"endpoint_url": access["endpoint"], "region_name": access["region"]}
    style = "path" if store.get("path_style") else "virtual"
    return {
        **{key: value for key, value in found.items() if value},
        "client_kwargs": {key: value for key, value in client.items() if value},
        **({"config_kwargs": {"s3": {"addressing_style": style}}} if access["endpoint"] else {}),
    }


def _access(bucket: str, store: Mapping[str, Any]) -> Mapping[str, str | None]:
    name = store.get("connection")
    connection = resolved({name: f"stores.{bucket}.connection"})[name] if name else None
    return access_of(bucket, store, connection)


def _with_bucket(endpoint: str | None, bucket: str) -> str:
    parts = urlsplit(str(endpoint))
    return parts._replace(netloc=f"{bucket.removeprefix(SCHEME)}.{parts.netloc}").geturl()
