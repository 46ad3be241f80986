"""Files of a source: which there are, and how they begin."""

from __future__ import annotations

import bz2
import posixpath
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.session import FileStat, head, list_files

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_HIDDEN: Final = ("_", ".")
_MARKS: Final = {b"\x1f\x8b": ("gzip", ".gz"), b"BZh": ("bzip2", ".bz2"), b"PK\x03\x04": ("a zip archive", "")}
_FOREIGN: Final = (".zip", ".zst", ".xz", ".7z", ".br", ".lz4", ".snappy", ".lzo", ".z", ".deflate", ".tar")


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
    if not file.path.endswith((".gz", ".bz2")):
        return stored
    expand = zlib.decompressobj(wbits=31) if file.path.endswith(".gz") else bz2.BZ2Decompressor()
    try:
        return bytes(expand.decompress(stored, limit))
    except (zlib.error, OSError) as error:
        raise DataError(
            f"the file can't be decompressed: {error}", where=file.path, remedy="ask for the file again"
        ) from error


def _refuse_disguise(file: FileStat, stored: bytes) -> None:
    name = file.path.lower()
    if name.endswith(_FOREIGN):
        raise DataError("this compression isn't read", where=file.path, expected="no compression, .gz or .bz2")
    for mark, (kind, ending) in _MARKS.items():
        if stored.startswith(mark) and not (ending and file.path.endswith(ending)):
            told = f"rename it to end in {ending}" if ending else "unpack it first"
            raise DataError(f"the file is {kind}, but its name doesn't say so", where=file.path, remedy=told)


def escaped(path: str) -> str:
    """A file's path so that Spark takes it literally and not as a glob."""
    return "".join(f"\\{letter}" if letter in "\\[]{}*?" else letter for letter in path)
