"""Lines of files that were set aside, written as a file that their source reads again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError
from spark_jobs.extract.files import Files
from spark_jobs.flow import Context, Flow
from spark_jobs.session import Storage

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

_HEADED: Final = ("csv", "tsv")
_PACKED: Final = (".gz", ".bz2", ".zst")


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
    storage, form = Storage(context.spark, folder), getattr(source, "format", None)
    if not isinstance(source, Files) or form not in {*_HEADED, "json"}:
        what = f"records that source {name} ({form or source.type}) refused"
        raise refused(f"{what} are no lines that it can read again", "csv, tsv or json")
    for problem in unfit([row["raw"] for row in found], source):
        raise refused(problem, "records that begin and end with a line")
    for place, file in enumerate(sorted({row["source_file"] or "" for row in found})):
        header = [_header(context.spark, file)] if form in _HEADED else []
        mine = sorted(
            (row for row in found if (row["source_file"] or "") == file), key=lambda row: row["source_line"] or 0
        )
        storage.write(f"{folder}/{place}.{form}", "\n".join([*header, *(row["raw"] for row in mine)]) + "\n")
    return replace(source, path=folder, glob=None, partitions=(), trailer=None, manifest=None).read(context)


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


def _header(spark: SparkSession, file: str) -> str:
    """The header of the file that lines were in.

    Raises:
        DataError: it isn't there any more, or packed.
    """
    packed = file.endswith(_PACKED)
    header = Storage(spark, file).first_line(file) if file and not packed else None
    if header is None:
        why = "is packed" if packed else "is gone"
        raise refused(f"the header of {file or 'a file'} {why}, and its lines don't name their columns", "the file")
    return header


def refused(what: str, expected: str) -> DataError:
    """Why rows can't be run again alone."""
    remedy = "choose other rows by --rule or --dataset, or leave --rows out: the window is run again whole"
    return DataError(f"--rows: {what}", where="quarantine", expected=expected, remedy=remedy)
