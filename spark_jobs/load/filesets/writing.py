"""Writing an attempt's files, which nobody sees before a manifest names them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from spark_jobs.errors import DataError
from spark_jobs.load.filesets.layout import Layout
from spark_jobs.load.filesets.manifest import ATTEMPT, DATA, UNIT
from spark_jobs.observe import Counter
from spark_jobs.session import list_files
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_ROWS: Final = "etl_rows"


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Into how many files rows go.

    Args:
        files: in each folder; None for as many as Spark has partitions.
        rows: in a file at most; None for any number.
    """

    files: int | None = None
    rows: int | None = None


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files of an attempt.

    Args:
        folder: below the table's folder.
        rows: in all of them.
        files: (path below the folder, bytes); none where there are no rows.
    """

    folder: str
    rows: int
    files: tuple[tuple[str, int], ...]


def attempt_folder(window: Window, number: int, *, snapshot: bool) -> str:
    """A folder for an attempt's files, below the table's: no other try, of this attempt or another, has the same."""
    ends = [f"{end:%Y%m%dT%H%M%S}{f'.{end:%f}' if end.microsecond else ''}Z" for end in (window.start, window.end)]
    unit = "snapshot" if snapshot else "-".join(ends)
    return f"{DATA}/{UNIT}={unit}/{ATTEMPT}={number}-{uuid4().hex[:8]}"


def write(rows: DataFrame, path: str, folder: str, layout: Layout, sizes: Sizes) -> Written:
    """Write files in one pass, which counts the rows and the values that would come back as others.

    Args:
        rows: what they hold; fitted to the layout.
        path: the table's folder.
        folder: theirs, below it.
        layout: what they look like.
        sizes: how many they are.

    Raises:
        DataError: values that the format can't give back as they are; the files are useless then.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    risks = layout.form.risks(layout.schema, layout.partition_by)
    counts = {f"etl_risk_{place}": F.count_if(when) for place, (when, _) in enumerate(risks.values())}
    counter = Counter(_divided(rows, sizes), **{_ROWS: F.count(F.lit(1))}, **counts)
    writer = counter.rows.write.format(layout.form.name).mode("error").options(**layout.form.writing)
    if sizes.rows is not None:
        writer = writer.option("maxRecordsPerFile", str(sizes.rows))
    if layout.partition_by:
        writer = writer.partitionBy(*layout.partition_by)
    writer.save(f"{path}/{folder}")
    found = counter.values()
    for place, (name, (_, told)) in enumerate(risks.items()):
        _refuse_risk(name, told, found[f"etl_risk_{place}"], path)
    if not found[_ROWS]:
        return Written(folder=folder, rows=0, files=())
    return Written(folder=folder, rows=found[_ROWS], files=_files(rows.sparkSession, f"{path}/{folder}"))


def _divided(rows: DataFrame, sizes: Sizes) -> DataFrame:
    if sizes.files is None:
        return rows
    return rows.coalesce(1) if sizes.files == 1 else rows.repartition(sizes.files)


def _files(spark: SparkSession, folder: str) -> tuple[tuple[str, int], ...]:
    listed = list_files(spark, folder)
    return tuple((file.inside, file.size) for file in listed if not _is_hidden(file.inside))


def _is_hidden(inside: str) -> bool:
    """Whether Spark wrote it for itself: `_SUCCESS`, checksums; a folder may be called `_day=2013-01-01`."""
    return any(name.startswith(("_", ".")) and "=" not in name for name in inside.split("/"))


def _refuse_risk(name: str, told: str, rows: int, where: str) -> None:
    if rows:
        raise DataError(
            f"column {name!r} has in {rows} rows {told}",
            where=where,
            expected="values that the files can give back as they are",
            remedy="replace them in a step before; nothing was published",
        )
