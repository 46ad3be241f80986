"""The header lines of CSV files, read on the driver: names decide, not positions."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import DataError
from spark_jobs.filesystem import first_bytes
from spark_jobs.session import FileStat

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_FIRST: Final = 64 * 1024
_LONGEST: Final = 16 * 1024 * 1024
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How fields and records are told apart.

    Args:
        separator: between fields, one character or more.
        quote: around fields, one character, doubled within; empty for none.
        multiline: whether a line end within quotes belongs to the field.
    """

    separator: str
    quote: str
    multiline: bool


@dataclass(frozen=True, kw_only=True)
class Header:
    """The first record of a file.

    Args:
        names: the columns, in the file's order; one without a name is called `_c` and its position from 0.
        raw: the record as it stands in the file.
        line: the line in which it begins, from 1.
    """

    names: tuple[str, ...]
    raw: str
    line: int


@dataclass(frozen=True, kw_only=True)
class Group:
    """Files with the same columns in the same order."""

    names: tuple[str, ...]
    line: int
    raws: tuple[str, ...]
    files: tuple[FileStat, ...]


def groups(spark: SparkSession, files: Sequence[FileStat], dialect: Dialect) -> list[Group]:
    """The files that have a header, by their columns, in the order of their paths; files without a line are left out.

    Raises:
        DataError: a header can't be read.
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        headers = list(pool.map(lambda file: read(spark, file, dialect), files))
    alike: dict[tuple[tuple[str, ...], int], list[tuple[Header, FileStat]]] = {}
    for header, file in zip(headers, files, strict=True):
        if header is not None:
            alike.setdefault((header.names, header.line), []).append((header, file))
    return [
        Group(
            names=names,
            line=line,
            raws=tuple(dict.fromkeys(header.raw for header, _ in found)),
            files=tuple(file for _, file in found),
        )
        for (names, line), found in alike.items()
    ]


def read(spark: SparkSession, file: FileStat, dialect: Dialect) -> Header | None:
    """The header of a file; None where the file has no line.

    Raises:
        DataError: it is no UTF-8, its quotes don't close, or it is longer than 16 MB.
    """
    limit = _FIRST
    while True:
        data = first_bytes(spark, file, limit)
        whole = limit >= file.size and len(data) < limit
        header = _parse(data, dialect, file.path, whole=whole)
        if header is not None or whole:
            return header
        if limit >= _LONGEST:
            raise DataError("the header has no end", where=file.path, expected="a header line of at most 16 MB")
        limit = min(limit * 16, _LONGEST)


def _parse(data: bytes, dialect: Dialect, path: str, *, whole: bool) -> Header | None:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4].partition(b"\n")[0]:
        remedy = "convert it: iconv -f UTF-16 -t UTF-8"
        raise DataError("the file is UTF-16", where=path, expected="UTF-8", remedy=remedy)
    line, rest = 1, data.removeprefix(_BOM)
    while True:
        end, following = _end(rest, dialect)
        record = rest[:end]
        if following is None and not whole:
            return None
        if record:
            return _header(record, line, dialect, path)
        if following is None:
            return None
        line, rest = line + 1, rest[following:]


def _end(data: bytes, dialect: Dialect) -> tuple[int, int | None]:
    """Where the first record ends and the next one begins; None where the data end before."""
    if dialect.multiline:
        quote, place = dialect.quote.encode(), data.find(b"\n")
        while place >= 0 and data.count(quote, 0, place) % 2:
            place = data.find(b"\n", place + 1)
        end = len(data) if place < 0 else place
        return end - data[:end].endswith(b"\r"), None if place < 0 else place + 1
    ends = [place for place in (data.find(b"\n"), data.find(b"\r")) if place >= 0]
    if not ends:
        return len(data), None
    end = min(ends)
    if end + 1 == len(data) and data[end:] == b"\r":
        return end, end + 1
    return end, end + 1 + (data[end : end + 2] == b"\r\n")


def _header(record: bytes, line: int, dialect: Dialect, path: str) -> Header:
    try:
        raw = record.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(
            f"the header is no UTF-8: byte {record[error.start]:#04x} at {error.start}",
            where=path,
            expected="UTF-8",
            remedy="convert it: iconv -f WINDOWS-1252 -t UTF-8",
        ) from error
    if dialect.quote and raw.count(dialect.quote) % 2:
        told = "the file is not complete" if dialect.multiline else "set multiline: true if names hold line breaks"
        raise DataError("the quotes of the header don't close", where=path, expected="an even number", remedy=told)
    fields = split(raw, dialect)
    names = tuple(name if name.strip() else f"_c{place}" for place, name in enumerate(fields))
    return Header(names=names, raw=raw, line=line)


def split(record: str, dialect: Dialect) -> list[str]:
    """The fields of one record whose quotes close.

    Follows RFC 4180; quotes within an unquoted field stand for themselves.
    """
    fields, place, quote = [], 0, dialect.quote
    while True:
        if quote and record.startswith(quote, place):
            field, place = _quoted(record, place + 1, quote)
        else:
            field = ""
        end = record.find(dialect.separator, place)
        fields.append(field + record[place : len(record) if end < 0 else end])
        if end < 0:
            return fields
        place = end + len(dialect.separator)


def _quoted(record: str, place: int, quote: str) -> tuple[str, int]:
    """The text of a quoted field that begins at a place, and the place after its closing quote."""
    text = ""
    while True:
        end = record.find(quote, place)
        if end < 0:
            return text + record[place:], len(record)
        text += record[place:end]
        if not record.startswith(quote, end + 1):
            return text, end + 1
        text, place = text + quote, end + 2
