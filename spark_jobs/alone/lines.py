"""Lines of files that were set aside, written as a file that their source reads again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError
from spark_jobs.extract import header
from spark_jobs.extract.files import Files
from spark_jobs.extract.parsing import dialect
from spark_jobs.filesystem import first_bytes
from spark_jobs.flow import Context, Flow
from spark_jobs.session import Storage, list_files

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

_HEADED: Final = ("csv", "tsv")
_PACKED: Final = (".gz", ".bz2", ".zst")
_LOOKED_AT: Final = 4 * 1024 * 1024  # bytes of a file in which the first of its lines is looked for


def read(found: Sequence[Row], name: str, source: Any, folder: str, context: Context) -> Flow:
    """Lines as the source reads its files today.

    Args:
        found: rows of the quarantine that the source refused.
        name: the source's.
        source: it.
        folder: where the lines are written.
        context: what runs.

    Raises:
        DataError: they can't be read so, with the reason.
    """
    form = getattr(source, "format", None)
    if not isinstance(source, Files) or form not in {*_HEADED, "json"}:
        what = f"records that source {name} ({form or source.type}) refused"
        raise refused(f"{what} are no lines that it can read again", "csv, tsv or json")
    if source.partitions:
        what = f"source {name} has columns that the names of folders hold ({', '.join(source.partitions)})"
        raise refused(f"{what}, and its lines don't", "a source without partitions")
    for problem in unfit([row["raw"] for row in found], source):
        raise refused(problem, "records that begin and end with a line")
    storage = Storage(context.spark, folder)
    for place, file in enumerate(sorted({row["source_file"] or "" for row in found})):
        mine = [row for row in found if (row["source_file"] or "") == file]
        mine.sort(key=lambda row: row["source_line"] or 0)
        begin = [_header(context.spark, file, mine[0], source)] if form in _HEADED else []
        storage.write(f"{folder}/{place}.{form}", "\n".join([*begin, *(row["raw"] for row in mine)]) + "\n")
    return of_few(source, folder).read(context)


def of_few(source: Files, folder: str) -> Files:
    """A source that reads lines where they were written, and holds them against nothing that whole files are.

    Lines of two files may be alike: that makes none of them a file that came twice.
    """
    return replace(source, path=folder, glob=None, trailer=None, manifest=None, mostly=0.0, repeated_files="read")


def unfit(records: Sequence[str], source: Files) -> Iterator[str]:
    """Why records wouldn't be told apart when they stand below each other in a file; the option may have changed.

    Args:
        records: as they stood in their files.
        source: as it is today.
    """
    joined = source.multiline and source.format in _HEADED
    for record in records:
        if joined and record.count(source.quote) % 2:
            yield "the quotes of a record don't close: with multiline those behind it would become part of it"
        if not joined and ("\n" in record or "\r" in record):
            yield "a record holds line breaks, and the source reads a record a line"


def _header(spark: SparkSession, file: str, first: Row, source: Files) -> str:
    """The header of the file that lines were in.

    Raises:
        DataError: the file isn't there any more, is packed, has no line, or isn't the one that they were in.
    """
    packed = file.endswith(_PACKED)
    there = list_files(spark, file) if file and not packed and Storage(spark, file).exists(file) else []
    found = header.read(spark, there[0], dialect(source)) if there else None
    if found is None:
        why = "is packed" if packed else "is empty" if there else "is gone"
        raise refused(f"the header of {file or 'a file'} {why}, and its lines don't name their columns", "the file")
    data, whole = first_bytes(spark, there[0], _LOOKED_AT), there[0].size < _LOOKED_AT
    if moved(data, first["source_line"], first["raw"], joined=source.multiline, whole=whole):
        why = f"line {first['source_line']} of {file} isn't the record any more, and its header may be another one"
        raise refused(why, "the file as it was")
    return found.raw


def moved(data: bytes, line: int | None, record: str, *, joined: bool, whole: bool) -> bool:
    """Whether a file is known to have another record in a line, or no such line.

    Args:
        data: how it begins.
        line: from 1; None where that isn't known.
        record: that stood there.
        joined: whether records may hold line breaks.
        whole: whether that is all of it.
    """
    lines = data.split(b"\n") if joined else data.splitlines()
    if line is None or line > len(lines) - (not whole):
        return line is not None and whole
    wanted = record.split("\n", maxsplit=1)[0].encode()
    return _bare(lines[line - 1]) != _bare(wanted)


def _bare(line: bytes) -> bytes:
    return line.removeprefix(b"\xef\xbb\xbf").removesuffix(b"\r")


def refused(what: str, expected: str) -> DataError:
    """Why rows can't be run again alone."""
    remedy = "choose other rows by --rule or --dataset, or leave --rows out: the window is run again whole"
    return DataError(f"--rows: {what}", where="quarantine", expected=expected, remedy=remedy)
