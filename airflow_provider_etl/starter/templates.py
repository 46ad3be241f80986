"""What a new file says of the kinds that ship, beyond what their classes say of themselves.

A kind that isn't here, a third party's too, gets values by the names and types of its options; it may say better ones
in a class attribute `starter` (option -> value).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from airflow_provider_etl.starter.values import TIME

CONTRACT: Final = {
    "id": {"type": "int"},
    TIME: {"type": "timestamp", "required": True},
    "amount": {"type": "double", "description": "in euros"},
}
# (group, kind) -> option -> value; NAME is the pipeline's name.
_SHIPPED: Final[Mapping[tuple[str, str], Mapping[str, Any]]] = {
    ("extract", "files"): {
        "path": "NAME/${window.start:%Y-%m-%d}.csv",
        "format": "csv",
        "columns": CONTRACT,
    },
    ("extract", "table"): {"format": "delta", "path": "NAME_raw", "window": {"column": TIME}},
    ("extract", "iceberg"): {"catalog": "lake", "table": "raw.NAME", "window": {"column": TIME}},
    ("extract", "jdbc"): {
        "connection": "my_database",
        "table": "NAME",
        "window": {"column": TIME},
        "settle": timedelta(minutes=10),
        "columns": CONTRACT,
    },
    ("load", "delta"): {"path": "NAME", "write": {"strategy": "replace_window", "column": TIME}},
    ("load", "files"): {
        "path": "NAME",
        "format": "parquet",
        "write": {"strategy": "replace_window", "column": TIME},
    },
    ("load", "iceberg"): {
        "catalog": "lake",
        "table": "marts.NAME",
        "write": {"strategy": "replace_window", "column": TIME},
        "partition_by": (f"days({TIME})",),
    },
    ("load", "jdbc"): {
        "connection": "warehouse",
        "table": "NAME",
        "write": {"strategy": "replace_window", "column": TIME},
    },
}


def template(group: str, name: str, kind: type[Any]) -> Mapping[str, Any]:
    """Option -> value; empty where the classes alone decide.

    Args:
        group: extract or load.
        name: the kind's name.
        kind: its class.
    """
    said: Mapping[str, Any] = getattr(kind, "starter", None) or _SHIPPED.get((group, name), {})
    return said
