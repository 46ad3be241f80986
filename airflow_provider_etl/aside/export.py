"""Rows that were set aside as a file: CSV, JSON lines or Parquet."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from spark_jobs.aside import COLUMNS
from spark_jobs.errors import ConfigError
from spark_jobs.window import iso

Row = Mapping[str, Any]
_BATCH: Final = 10_000
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for the start of one


def format_of(path: str, asked: str | None) -> str:
    """The format of a file: as asked for, else by its ending.

    Raises:
        ConfigError: the ending says none.
    """
    endings = {".csv": "csv", ".jsonl": "json", ".json": "json", ".ndjson": "json", ".parquet": "parquet"}
    found = asked or endings.get(Path(path).suffix.lower())
    if found is None:
        raise ConfigError(f"--out {path!r} ends in no format", expected=f"{', '.join(endings)}, or --format")
    return found


def export(rows: Iterable[Row], path: str, form: str) -> int:
    """Write rows to a file that is there whole or not at all, and readable by its owner alone.

    Args:
        rows: with all columns of the quarantine.
        path: the file; replaced.
        form: csv, json or parquet.

    Returns:
        How many rows.
    """
    hidden = f"{path}.writing"
    try:
        os.close(os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))  # records may be personal
        written = _WRITERS[form](rows, hidden)
        Path(hidden).replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can't be written: {error.strerror}", remedy="name another file with --out") from None
    finally:
        Path(hidden).unlink(missing_ok=True)
    return written


def _csv(rows: Iterable[Row], path: str) -> int:
    written = 0
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for written, row in enumerate(rows, 1):  # noqa: B007 - its last value is returned
            writer.writerow([_cell(row[name]) for name in COLUMNS])
    return written


def _cell(value: Any) -> Any:
    """A cell; a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    if isinstance(value, list):
        value = "; ".join(value)
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return iso(value) if isinstance(value, datetime) else value


def _json(rows: Iterable[Row], path: str) -> int:
    written = 0
    with open(path, "w", encoding="utf-8") as file:
        for written, row in enumerate(rows, 1):  # noqa: B007 - its last value is returned
            file.write(json.dumps(as_json(row), ensure_ascii=False) + "\n")
    return written


def as_json(row: Row) -> dict[str, Any]:
    """A row of the quarantine as JSON, times as ISO texts in UTC."""
    return {name: iso(row[name]) if isinstance(row[name], datetime) else row[name] for name in COLUMNS}


def _parquet(rows: Iterable[Row], path: str) -> int:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    kinds = {"string": pa.string(), "int": pa.int32(), "bigint": pa.int64(), "boolean": pa.bool_()}
    kinds |= {"timestamp": pa.timestamp("us", "UTC"), "array<string>": pa.list_(pa.string())}
    schema = pa.schema([(name, kinds[kind]) for name, (kind, _) in COLUMNS.items()])
    written = 0
    with pq.ParquetWriter(path, schema) as writer:
        for batch in _batches(rows):
            writer.write_table(pa.Table.from_pylist(batch, schema=schema))
            written += len(batch)
    return written


def _batches(rows: Iterable[Row]) -> Iterator[list[dict[str, Any]]]:
    following = iter(rows)
    while batch := [{name: row[name] for name in COLUMNS} for row in islice(following, _BATCH)]:
        yield batch


_WRITERS: Final[dict[str, Callable[[Iterable[Row], str], int]]] = {"csv": _csv, "json": _json, "parquet": _parquet}
