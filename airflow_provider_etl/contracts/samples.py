"""Sample files: their columns, and some of their rows."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

from airflow_provider_etl.contracts.personal import kind_of
from airflow_provider_etl.contracts.seen import Seen
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.contract import twins

Format = Literal["csv", "tsv", "json", "json_document", "parquet", "orc", "avro"]
_ENDINGS: Final[dict[str, Format]] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".orc": "orc",
    ".avro": "avro",
}


def format_of(path: Path) -> Format:
    """A file's format by its ending.

    Raises:
        ConfigError: the ending says nothing.
    """
    plain = path.with_suffix("") if path.suffix in (".gz", ".bz2") else path
    found = _ENDINGS.get(plain.suffix.lower())
    if found is None:
        raise ConfigError(
            f"the ending {plain.suffix!r} names no format", where=str(path), remedy=f"--format {', '.join(FORMATS)}"
        )
    return found


def look(path: Path, form: Format, most: int, seen: dict[str, Seen]) -> None:
    """Take a file's columns and its first rows.

    Args:
        path: the file.
        form: its format.
        most: how many rows are read.
        seen: column -> what was seen of it, in other files too; it is added to.

    Raises:
        ConfigError: a package is missing that reads the format.
        DataError: the file isn't of the format.
    """
    try:
        _see_one_kind(form, seen)
        _READERS[form](path, most, seen)
        _refuse_data(seen)
    except RecursionError as error:
        raise DataError(f"the file can't be read as {form}: it is nested too deeply", where=str(path)) from error
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, EOFError, OverflowError) as error:
        remedy = "--format json_document?" if form == "json" else "another --format?"
        raise DataError(f"the file can't be read as {form}: {error}", where=str(path), remedy=remedy) from error


def _see_one_kind(form: Format, seen: Mapping[str, Seen]) -> None:
    """Values of files that say their types and of files that don't can't be told together."""
    typed = {item.fixed is not None for item in seen.values()}
    if typed and typed != {form in _TYPED}:
        raise ValueError("the files before are of another kind: draft a contract of those with a schema by themselves")


def _refuse_data(seen: Mapping[str, Seen]) -> None:
    """A file without a header gives its first row as names: they would stand in the draft."""
    for name in seen:
        kind = kind_of(name)
        if kind is not None:
            raise ValueError(f"a column's name is a personal value ({kind}): has the file a header?")


def _earlier(seen: Mapping[str, Seen]) -> int:
    """How many rows came before."""
    return max((item.rows for item in seen.values()), default=0)


def _rows(rows: Iterator[Mapping[str, Any]], most: int, seen: dict[str, Seen], *, text: bool) -> None:
    """Count each column of each row; one that a row hasn't got is without a value there, and in the rows before."""
    before = _earlier(seen)
    for number, row in enumerate(itertools.islice(rows, most)):
        for name in row:
            if name not in seen:
                seen[name] = Seen(text=text, rows=before + number, nulls=before + number)
        for name, item in seen.items():
            item.add(row.get(name))


def _opened(path: Path) -> io.TextIOWrapper:
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open}.get(path.suffix, open)
    found: io.TextIOWrapper = opener(path, "rt", encoding="utf-8-sig", newline="")
    return found


def _delimited(separator: str) -> Callable[[Path, int, dict[str, Seen]], None]:
    def read(path: Path, most: int, seen: dict[str, Seen]) -> None:
        with _opened(path) as file:
            reader = csv.DictReader(file, delimiter=separator, restkey="", strict=True)
            rows = ({name: value for name, value in row.items() if name} for row in reader)
            twin = twins(reader.fieldnames or ())
            if twin:
                raise ValueError(f"columns {twin[0]!r} and {twin[1]!r} differ by case at most")
            before = _earlier(seen)
            for name in reader.fieldnames or ():
                seen.setdefault(name, Seen(text=True, rows=before, nulls=before))
            _rows(rows, most, seen, text=True)

    return read


def _lines(path: Path, most: int, seen: dict[str, Seen]) -> None:
    with _opened(path) as file:
        _rows((_object(json.loads(line)) for line in file if line.strip()), most, seen, text=False)


def _document(path: Path, most: int, seen: dict[str, Seen]) -> None:
    with _opened(path) as file:
        found = json.load(file)
    _rows((_object(item) for item in (found if isinstance(found, list) else [found])), most, seen, text=False)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):  # what it is, and never what it holds: an error is shown around
        found = "a list" if isinstance(value, list) else "a single value"
        raise ValueError(f"{found} stands where an object is wanted")  # noqa: TRY004 - a file's, told as such
    return value


def _columnar(path: Path, most: int, seen: dict[str, Seen]) -> None:
    from airflow_provider_etl.contracts.columnar import schema_and_rows

    try:
        schema, rows = schema_and_rows(path, most)
        _typed(schema, seen)
        _rows(rows, most, seen, text=False)
    except (NotImplementedError, TypeError, KeyError, IndexError) as error:  # Arrow's own errors are of these too
        raise ValueError(str(error).partition("\n")[0]) from error


def _avro(path: Path, _most: int, seen: dict[str, Seen]) -> None:
    from airflow_provider_etl.contracts.avro import schema_of

    _typed(schema_of(path), seen)


def _typed(schema: Mapping[str, Seen], seen: dict[str, Seen]) -> None:
    before, first = _earlier(seen), not seen
    for name in [name for name in seen if name not in schema]:
        seen[name].required = None
    for name, item in schema.items():
        if name in seen:
            seen[name].meet(item, name)
        else:
            seen[name] = replace(item, rows=before, nulls=before, required=item.required if first else None)


_READERS: Final[dict[str, Callable[[Path, int, dict[str, Seen]], None]]] = {
    "csv": _delimited(","),
    "tsv": _delimited("\t"),
    "json": _lines,
    "json_document": _document,
    "parquet": _columnar,
    "orc": _columnar,
    "avro": _avro,
}
_TYPED: Final = ("parquet", "orc", "avro")
FORMATS: Final = tuple(_READERS)
