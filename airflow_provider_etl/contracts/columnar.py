"""The schemas of Parquet and ORC files, taken as they are, and their first rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.contracts.seen import Seen
from spark_jobs.columns import quote
from spark_jobs.errors import ConfigError

_PLAIN: Final = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "uint8": "smallint",
    "uint16": "int",
    "uint32": "bigint",
    "uint64": "decimal(20,0)",
    "halffloat": "float",
    "float": "float",
    "double": "double",
    "string": "string",
    "large_string": "string",
    "binary": "binary",
    "large_binary": "binary",
    "date32[day]": "date",
    "date64[ms]": "date",
    "null": "string",
}


def schema_and_rows(path: Path, most: int) -> tuple[dict[str, Seen], Iterator[Mapping[str, Any]]]:
    """What a file's schema says of its columns, and its first rows.

    Args:
        path: the file.
        most: how many rows.

    Raises:
        ConfigError: pyarrow isn't installed.
        ValueError: the file is of another format.
    """
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        from pyarrow import orc, parquet
    except ImportError as error:
        remedy = "pip install 'airflow-provider-etl[spark]'"
        raise ConfigError("pyarrow reads such files, and isn't installed", where=str(path), remedy=remedy) from error
    if path.read_bytes()[:3] == b"ORC":
        file = orc.ORCFile(path)
        schema, rows = file.schema, iter(file.read().slice(0, most).to_pylist())
    else:
        whole = parquet.ParquetFile(path)
        schema = whole.schema_arrow
        rows = (row for batch in whole.iter_batches(min(most, 10_000)) for row in batch.to_pylist())
    return {item.name: Seen(fixed=spark_type(item.type, pa), required=_required(item)) for item in schema}, rows


def _required(item: Any) -> bool | None:
    return None if item.nullable else True


def spark_type(kind: Any, pa: Any) -> str:
    """Spark's type of a column that Arrow describes."""
    if pa.types.is_dictionary(kind):
        return spark_type(kind.value_type, pa)
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz else "timestamp_ntz"
    return _nested(kind, pa) or _PLAIN.get(str(kind), "string")


def _nested(kind: Any, pa: Any) -> str:
    """The type of structs, maps and arrays; empty where it is none of them."""
    if pa.types.is_struct(kind):
        return f"struct<{', '.join(f'{quote(item.name)}: {spark_type(item.type, pa)}' for item in kind)}>"
    if pa.types.is_map(kind):
        return f"map<{spark_type(kind.key_type, pa)}, {spark_type(kind.item_type, pa)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"array<{spark_type(kind.value_type, pa)}>"
    return ""
