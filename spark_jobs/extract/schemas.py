"""The columns of files that bring their own: put together by name, with one type for a column in all files."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError, DataError, EtlError
from spark_jobs.extract.cells import Reading
from spark_jobs.failures import first_line
from spark_jobs.filesystem import escaped

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructField, StructType

_LABELS: Final = {"parquet": "Parquet", "orc": "ORC", "avro": "Avro"}


def read(reading: Reading, form: str, *, merge: bool) -> DataFrame:
    """The rows of the files, with the columns of all of them.

    Args:
        reading: the files.
        form: Spark's name of the format.
        merge: whether files may have different columns.

    Raises:
        ConfigError: the reader of Avro isn't installed.
        DataError: a file is of another format or not whole; files disagree about a type or, without `merge`, about
            their columns.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    empty = next((file.path for file in reading.files if not file.size), None)
    if empty is not None:  # Spark skips such files
        raise DataError(
            f"no {_LABELS[form]} file, or not a whole one: it is empty", where=empty, remedy="ask for the file again"
        )
    paths = [escaped(file.path) for file in reading.files]
    reader = reading.context.spark.read.format(form)
    try:
        if form == "avro" or not merge:
            # Avro's reader takes the columns of one file for those of all, and drops what others have more.
            return reader.schema(_union(_schemas(reading, form), merge=merge)).load(paths)
        return reader.option("mergeSchema", "true").load(paths)
    except (PySparkException, Py4JJavaError) as error:
        raise _explained(error, reading, form) from error


def _schemas(reading: Reading, form: str) -> list[tuple[str, StructType]]:
    """(file, its columns)."""

    def one(path: str) -> tuple[str, StructType]:
        return path, reading.context.spark.read.format(form).load(escaped(path)).schema

    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(one, [file.path for file in reading.files]))


def _union(schemas: list[tuple[str, StructType]], *, merge: bool) -> StructType:
    """The columns of all files, in the order in which they come.

    Raises:
        DataError: a column has two types or, without `merge`, isn't in all files.
    """
    from pyspark.sql.types import StructField, StructType

    seen: dict[str, tuple[StructField, str]] = {}
    first, columns = schemas[0][0], [item.name for item in schemas[0][1]]
    for path, schema in schemas:
        for item in schema:
            known, where = seen.setdefault(item.name, (item, path))
            if known.dataType.simpleString() != item.dataType.simpleString():
                raise _disagree(item.name, (item.dataType, path), (known.dataType, where))
        other = sorted(set(columns) ^ {item.name for item in schema})
        if other and not merge:
            raise DataError(
                f"column {other[0]!r} is in this file or in {first}, and not in both",
                where=path,
                expected="the same columns in all files (merge_schema: false)",
                remedy="set merge_schema: true",
            )
    return StructType([StructField(name, item.dataType) for name, (item, _) in seen.items()])


def _disagree(name: str, one: tuple[DataType, str], other: tuple[DataType, str]) -> DataError:
    return DataError(
        f"column {name!r} is {one[0].simpleString()}, but {other[0].simpleString()} in {other[1]}",
        where=one[1],
        expected="one type for a column in all files of a window",
        remedy="write one of them anew, or read them as two datasets, cast and unite them",
    )


def _explained(error: Exception, reading: Reading, form: str) -> EtlError:
    text = str(error)
    named = next((file.path for file in reading.files if file.path in text), None) or _culprit(reading, form)
    if "Failed to find data source" in text:
        return ConfigError(
            f"the reader of {_LABELS[form]} isn't installed",
            where=reading.context.where,
            expected=f"the jar spark-{form} among the engine's jars",
            remedy="airflow-etl doctor --fetch-jars fetches it",
        )
    if "CANNOT_MERGE" in text or "Failed to merge" in text:
        return _clash(reading, form) or DataError(first_line(text), where=named)
    if "COLUMN_ALREADY_EXISTS" in text:
        return DataError(first_line(text), where=named, expected="names that differ by more than case")
    if "timestamp with local time zone" in text:
        told = "a column is 'timestamp with local time zone', which Spark can't read from ORC"
        return DataError(told, where=named, expected="timestamp", remedy="have it written as Parquet, or as timestamp")
    return DataError(
        f"no {_LABELS[form]} file, or not a whole one: {first_line(text)}", where=named, remedy="ask for the file again"
    )


def _culprit(reading: Reading, form: str) -> str:
    """The first file whose columns can't be read, or all where each can."""
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    for file in reading.files if len(reading.files) > 1 else ():
        try:
            _ = reading.context.spark.read.format(form).load(escaped(file.path)).schema
        except (PySparkException, Py4JJavaError):
            return file.path
    return reading.told


def _clash(reading: Reading, form: str) -> DataError | None:
    """The first two files that disagree about a column's type."""
    try:
        _union(_schemas(reading, form), merge=True)
    except DataError as error:
        return error
    return None
