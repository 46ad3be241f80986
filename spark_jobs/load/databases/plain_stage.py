"""Rows on their way into a staging table by Spark's own JDBC writer, since tasks of Python know no JDBC.

Each attempt at a partition commits its rows in one transaction, and they carry its number: where Spark never heard of
an attempt's success and made another, the rows of one of the two count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import column
from spark_jobs.jdbc.address import Address
from spark_jobs.jdbc.sessions import Session, driver_error
from spark_jobs.load.databases.base import Column
from spark_jobs.load.databases.names import TASK
from spark_jobs.load.databases.sending import Part

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]
    from pyspark.sql import Column as SparkColumn
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType

PART: Final = "_etl_part"
"""The staging table's column with the partition of a row."""
NULLS: Final = "_etl_nulls"
"""The staging table's column that says of each marked one whether it is null: a letter each, `y` or `n`."""
_BATCH: Final = "5000"  # rows


def wire(value: SparkColumn, kind: DataType) -> SparkColumn:
    """A column as it travels: moments as wall-clock times in UTC, which is the clock of the JVM too."""
    name = kind.typeName()
    if name == "timestamp":  # the session is in UTC
        return value.cast("timestamp_ntz")
    if name == "byte":
        return value.cast("smallint")
    return value.cast("string") if name in {"void", "char", "varchar"} else value


def write(address: Address, table: str, rows: DataFrame, columns: Sequence[Column]) -> None:
    """Write rows into a staging table.

    Args:
        address: the database's.
        table: the staging table as an identifier.
        rows: with columns c0, c1, … as `wire` has them.
        columns: of the table, in the same order.

    Raises:
        DriverError: the database refuses.
    """
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException

    marks = [NULLS] if NULLS in rows.columns else []
    names = [*(item.name for item in columns), *marks, PART, TASK]
    stamped = rows.mapInArrow(_stamped, _schema(rows))
    told = stamped.toDF(*names).write.mode("append").option("batchsize", _BATCH).option("driver", address.driver)
    try:
        told.option("isolationLevel", "READ_COMMITTED").jdbc(address.url, table, properties=dict(address.properties))
    except (Py4JJavaError, PySparkException) as error:
        found = driver_error(error)
        if found is None:
            raise
        raise found from None


def parts(session: Session, table: str) -> list[Part]:
    """The attempts whose rows count: of each partition one.

    Args:
        session: with the database.
        table: the staging table as an identifier.
    """
    with session.cursor() as cursor:
        cursor.execute(f'SELECT "{PART}", "{TASK}", count(*) FROM {table} GROUP BY "{PART}", "{TASK}"', ())  # noqa: S608
        found = cursor.fetchall()
    session.rollback()
    first = {part: (task, rows) for part, task, rows in sorted(found, reverse=True)}
    return [Part(task=int(task), rows=int(rows)) for task, rows in first.values()]


def _schema(rows: DataFrame) -> Any:
    from pyspark.sql.types import LongType, StructField, StructType

    stamps = [StructField(name, LongType()) for name in (PART, TASK)]
    return StructType([*rows.schema.fields, *stamps])


def _stamped(batches: Iterable[RecordBatch]) -> Iterator[RecordBatch]:
    import pyarrow as pa
    from pyspark import TaskContext

    told = TaskContext.get()
    stamps = (told.partitionId(), told.taskAttemptId()) if told else (0, 0)
    for batch in batches:
        held = [pa.array([stamp] * batch.num_rows, pa.int64()) for stamp in stamps]
        yield pa.RecordBatch.from_arrays([*batch.columns, *held], names=[*batch.schema.names, PART, TASK])


def wired(rows: DataFrame, names: Sequence[str], marked: Sequence[int]) -> list[SparkColumn]:
    """Columns in the form in which they are sent, and the marks of those that are marked.

    Args:
        rows: what is loaded.
        names: its columns, in order.
        marked: places of columns, of texts or bytes, whose nulls are marks.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    sent, marks = [], []
    for place, name in enumerate(names):
        value = wire(column(name), rows.schema[name].dataType)
        if place in marked:
            marks.append(F.when(value.isNull(), "y").otherwise("n"))
            value = F.coalesce(value, F.lit("" if rows.schema[name].dataType.typeName() != "binary" else b""))
        sent.append(value.alias(f"c{place}"))
    return [*sent, *([F.concat(*marks).alias(NULLS)] if marks else [])]


def unmarked(value: str, place: int, marks: int) -> str:
    """What is selected for a marked column.

    Args:
        value: the column as an identifier.
        place: its mark's.
        marks: how many there are.
    """
    pattern = "_" * place + "n" + "_" * (marks - place - 1)
    return f"CASE WHEN \"{NULLS}\" LIKE '{pattern}' THEN {value} END"
