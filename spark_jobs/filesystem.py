"""Files of a source: which there are, and how they begin."""

from __future__ import annotations

import bz2
import posixpath
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.failures import first_line
from spark_jobs.session import FileStat, head, list_files, zstd_head

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_HIDDEN: Final = ("_", ".")
_MARKS: Final = {
    b"\x1f\x8b": ("gzip", ".gz"),
    b"BZh": ("bzip2", ".bz2"),
    b"\x28\xb5\x2f\xfd": ("zstd", ".zst"),
    b"PK\x03\x04": ("a zip archive", ""),
}
_FOREIGN: Final = (".zip", ".zstd", ".xz", ".7z", ".br", ".lz4", ".snappy", ".lzo", ".z", ".deflate", ".tar")


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a path stands for.

    Args:
        files: the files to read, sorted by path.
        ignored: paths of files left out because a name on the way to them starts with `_` or `.`.
    """

    files: tuple[FileStat, ...]
    ignored: tuple[str, ...]


def find(spark: SparkSession, path: str) -> Found:
    """The files at a path: a file, a folder with all below it, or a glob.

    Raises:
        ConfigError: no storage driver is installed for the path's scheme.
        DataError: a name that the storage can't open.
    """
    listed = _listed(spark, path)
    files = tuple(file for file in listed if not _hidden(file))
    for file in files:
        _refuse_colon(file.path)
    return Found(files=files, ignored=tuple(file.path for file in listed if _hidden(file)))


def _listed(spark: SparkSession, path: str) -> list[FileStat]:
    from py4j.protocol import Py4JJavaError

    try:
        return list_files(spark, path)
    except Py4JJavaError as error:
        if "No FileSystem for scheme" not in str(error):
            raise
        raise ConfigError(
            f"no storage driver for {path.partition(':')[0]!r} is installed",
            where=path,
            expected="a path or URI that Spark can reach",
            remedy="add the driver's jar to the engine's jars",
        ) from error


def named(files: Sequence[FileStat], glob: str) -> tuple[FileStat, ...]:
    """The files whose names a pattern matches; letter case counts."""
    return tuple(file for file in files if fnmatchcase(posixpath.basename(file.path), glob))


def _hidden(file: FileStat) -> bool:
    """Whether a name starts with `_` or `.`: Spark leaves such files out, jobs write half-done ones there."""
    return any(name.startswith(_HIDDEN) for name in file.inside.split("/"))


def _refuse_colon(path: str) -> None:
    if path.startswith("file:") and ":" in posixpath.basename(path):
        raise DataError(
            "the file's name has a colon, which Hadoop can't open on a local disk",
            where=path,
            remedy="rename the file, 2013-01-01T0500 for 2013-01-01T05:00",
        )


def first_bytes(spark: SparkSession, file: FileStat, limit: int) -> bytes:
    """How a file begins, decompressed; at most about `limit` bytes are read.

    Raises:
        DataError: the file isn't compressed as its name says, or in a way that isn't read.
    """
    stored = head(spark, file.path, limit)
    _refuse_disguise(file, stored)
    if file.path.endswith(".zst"):
        return _first_of_zstd(spark, file, limit)
    if not file.path.endswith((".gz", ".bz2")):
        return stored
    try:
        return _expanded(stored, limit, gzip=file.path.endswith(".gz"))
    except (zlib.error, OSError) as error:
        raise DataError(
            f"the file can't be decompressed: {error}", where=file.path, remedy="ask for the file again"
        ) from error


def _expanded(stored: bytes, limit: int, *, gzip: bool) -> bytes:
    """As many of the bytes as there are, `limit` at most; files may be put together of several compressed ones."""
    made = b""
    while stored and len(made) < limit:
        expand = zlib.decompressobj(wbits=31) if gzip else bz2.BZ2Decompressor()
        made += expand.decompress(stored, limit - len(made))
        stored = expand.unused_data if expand.eof else b""
    return made


def _first_of_zstd(spark: SparkSession, file: FileStat, limit: int) -> bytes:
    from py4j.protocol import Py4JJavaError

    remedy = "ask for the file again"
    try:
        found = zstd_head(spark, file.path, file.size, limit)
    except Py4JJavaError as error:
        told = f"the file can't be decompressed: {first_line(str(error.java_exception))}"
        raise DataError(told, where=file.path, remedy=remedy) from error
    if found is None:
        told = "the file can't be decompressed: it is no Zstandard file, or not a whole one"
        raise DataError(told, where=file.path, remedy=remedy)
    return found


def refuse_disguises(spark: SparkSession, files: Sequence[FileStat]) -> None:
    """See that files are text as their names say: compressed or not, and no UTF-16.

    Raises:
        DataError: one isn't.
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        for file, begin in zip(files, pool.map(lambda file: first_bytes(spark, file, 4), files), strict=True):
            refuse_utf16(file, begin)


def refuse_utf16(file: FileStat, begin: bytes) -> None:
    """See that a file doesn't begin like UTF-16.

    Raises:
        DataError: it does.
    """
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        remedy = "convert it: iconv -f UTF-16 -t UTF-8"
        raise DataError("the file is UTF-16", where=file.path, expected="UTF-8", remedy=remedy)


def _refuse_disguise(file: FileStat, stored: bytes) -> None:
    name = file.path.lower()
    if name.endswith(_FOREIGN):
        # Hadoop reads lz4 and snappy too, but takes a file that was cut off for a whole one.
        expected = "no compression, .gz, .bz2 or .zst"
        raise DataError("this compression isn't read", where=file.path, expected=expected)
    for mark, (kind, ending) in _MARKS.items():
        if stored.startswith(mark) and not (ending and file.path.endswith(ending)):
            told = f"rename it to end in {ending}" if ending else "unpack it first"
            raise DataError(f"the file is {kind}, but its name doesn't say so", where=file.path, remedy=told)


def escaped(path: str) -> str:
    """A file's path so that Spark takes it literally and not as a glob."""
    return "".join(f"\\{letter}" if letter in "\\[]{}*?" else letter for letter in path)
