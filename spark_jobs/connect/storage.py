"""Files as Spark sees them: a thin client has no file system of its own there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import DataError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from spark_jobs.session import FileStat

_WHOLE: Final = 64 * 1024 * 1024  # bytes of a file that is asked for its beginning as a whole
_LINES: Final = 100
_COMPRESSED: Final = (".gz", ".bz2", ".zst")


def list_files(spark: SparkSession, path: str, *, glob: bool = True) -> list[FileStat]:
    """As `session.list_files`; Spark itself leaves out names that start with `_` or `.`.

    Args:
        spark: a session of Spark Connect.
        path: what exists under exactly this name is taken; only otherwise is it a glob.
        glob: whether it may be one.
    """
    from spark_jobs.filesystem import escaped

    found = _listed(spark, escaped(path))
    if found is None and glob and escaped(path) != path:
        found = _listed(spark, path)
    return sorted(_stat(row, path) for row in found or ())


def head(spark: SparkSession, path: str, limit: int) -> bytes:
    """The first bytes of a file as they are stored, `limit` at most.

    Raises:
        DataError: a compressed file is too large to be asked.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    from spark_jobs.filesystem import escaped

    files = spark.read.format("binaryFile").load(escaped(path))
    size = files.select("length").collect()[0][0]
    if size <= _WHOLE:
        return bytes(files.select(F.substring("content", 1, limit)).collect()[0][0])
    if path.lower().endswith(_COMPRESSED):
        raise DataError(
            f"a compressed file of {size:,} bytes can't be looked into over Spark Connect",
            where=path,
            expected=f"at most {_WHOLE:,} bytes",
            remedy="deliver it in parts, or run the pipeline on an engine of kind local or spark_submit",
        )
    lines = spark.read.option("lineSep", "\n").text(escaped(path)).where("_metadata.file_block_start = 0")
    found = lines.select(F.col("value").cast("binary")).limit(_LINES).collect()
    return b"".join(bytes(row[0]) + b"\n" for row in found)[:limit]


def holds_something(spark: SparkSession, folder: str) -> bool:
    """Whether there is a file, or a folder with a file in it that is no table's log."""
    return bool(list_files(spark, folder, glob=False))


def names(spark: SparkSession, folder: str) -> list[str]:
    """The names of a folder's files, whatever they begin with; empty where there is no folder."""
    from spark_jobs.filesystem import escaped

    found = _listed(spark, escaped(folder), deep=False)
    return sorted(posixpath.basename(str(row["path"])) for row in found or ())


def lines(spark: SparkSession, paths: list[str]) -> DataFrame:
    """The lines of text files: `value`, `name` (the file's)."""
    from spark_jobs.filesystem import escaped

    text = spark.read.option("lineSep", "\n").text([escaped(path) for path in paths])
    return text.selectExpr("value", "_metadata.file_name AS name")


def _listed(spark: SparkSession, path: str, *, deep: bool = True) -> list[dict[str, object]] | None:
    """Path, size and time of files; None where there is nothing of this name."""
    from pyspark.errors import AnalysisException

    reader = spark.read.format("binaryFile").option("recursiveFileLookup", str(deep).lower())
    try:
        # No content is read: Spark asks for the columns that are wanted alone.
        return [
            row.asDict()
            for row in reader.load(path)
            .selectExpr("path", "length", "unix_millis(modificationTime) AS mtime")
            .collect()
        ]
    except AnalysisException as error:
        if "PATH_NOT_FOUND" in str(error):
            return None
        raise


def _stat(row: dict[str, object], asked: str) -> FileStat:
    from spark_jobs.session import FileStat

    path = str(row["path"])
    folder = f"{asked.rstrip('/')}/"
    at = path.find(folder)
    inside = path[at + len(folder) :] if at >= 0 else posixpath.basename(path)
    return FileStat(path, int(str(row["length"])), int(str(row["mtime"])), inside)
