"""The connections that a source is reached by: its own, its catalog's, and those of the buckets that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_provider_etl.spec.stores import buckets_in
from spark_jobs import kinds


def connections_of(
    source: Any, stores: Mapping[str, str | None], catalogs: Mapping[str, Mapping[str, str]]
) -> tuple[str, ...]:
    """Connection ids, each once; none of what lies on disks, or is left to AWS's own chain.

    Args:
        source: of any kind.
        stores: `s3a://bucket` -> the connection that the environment names for it.
        catalogs: name -> the environment's catalog of Iceberg tables, as JSON.
    """
    catalog = catalogs.get(str(getattr(source, "catalog", None)), {})
    own = (getattr(source, "connection", None), catalog.get("connection"))
    buckets = buckets_in([kinds.dump(source), catalog.get("warehouse", "")])
    return tuple(dict.fromkeys(filter(None, (*own, *(stores.get(bucket) for bucket in buckets)))))
