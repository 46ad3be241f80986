"""How tables on S3 are opened without Spark: with the connection that Spark gets for their bucket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_etl.hooks.connections import resolved
from spark_jobs.object_store.s3 import access_of, bucket_of


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
    name = store.get("connection")
    connection = resolved({name: f"stores.{bucket}.connection"})[name] if name else None
    access = access_of(bucket, store, connection)
    found = {
        "aws_access_key_id": access["key"],
        "aws_secret_access_key": access["secret"],
        "aws_session_token": access["token"],
        "aws_endpoint_url": access["endpoint"],
        "aws_region": access["region"],
        "aws_virtual_hosted_style_request": None if store.get("path_style") or not access["endpoint"] else "true",
        "aws_allow_http": "true" if str(access["endpoint"] or "").startswith("http://") else None,
    }
    return {key: value for key, value in found.items() if value}
