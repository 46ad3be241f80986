"""Side tables of a Delta table: what a strategy by key must know beside the rows that readers see.

They stand in the table's folder, under a name with an underscore: Delta neither reads nor vacuums there, and they go
wherever the table goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import column, comparable
from spark_jobs.errors import DataError
from spark_jobs.ledger import Ledger, committing
from spark_jobs.load.new_table import ensure_table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

TOMBSTONES: Final = "_etl_tombstones"
EVENTS: Final = "_etl_events"
SIDES: Final = (TOMBSTONES, EVENTS)
_DELTA: Final = "spark.databricks.delta."


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side table.

    Args:
        spark: a classic session.
        table: the main table's folder or URI.
        kind: TOMBSTONES or EVENTS.
    """

    spark: SparkSession
    table: str
    kind: str

    @property
    def path(self) -> str:
        """Its folder."""
        return f"{self.table.rstrip('/')}/{self.kind}"

    @property
    def ledger(self) -> Ledger:
        """Its ledger."""
        return Ledger(self.spark, self.path)

    def version(self) -> int:
        """Its version, -1 where there is none yet."""
        found = self.ledger.version()
        return -1 if found is None else found

    def ensure(self, schema: StructType, partition_by: Sequence[str] = ()) -> None:
        """Make it where there is none; add columns that it lacks."""
        ensure_table(self.spark, self.path, schema, partition_by)
        evolve(self.spark, self.path, schema)

    def rows(self, version: int) -> DataFrame:
        """Its rows as they were at a version, whoever writes meanwhile."""
        return self.spark.read.format("delta").option("versionAsOf", version).load(self.path)


def evolve(spark: SparkSession, path: str, schema: StructType) -> None:
    """Add columns that a table lacks, as Delta's own schema evolution does.

    Args:
        spark: a classic session.
        path: of a table that is there.
        schema: what comes.
    """
    there = {field.name.lower() for field in spark.read.format("delta").load(path).schema}
    if all(field.name.lower() in there for field in schema):
        return
    nothing = spark.createDataFrame([], schema)
    committing(lambda: nothing.write.format("delta").mode("append").option("mergeSchema", "true").save(path))


def fitted(rows: DataFrame, table: StructType, where: str) -> DataFrame:
    """Rows whose columns have the table's types and spelling, so that they can be compared with its rows.

    Columns that the table lacks stay as they are. A value that doesn't fit the table's type is an error.

    Args:
        rows: what comes.
        table: the table's columns.
        where: place in the pipeline file.

    Raises:
        DataError: a column is of another type than the table's.
    """
    from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

    kinds = {field.name.lower(): field for field in table}
    found = []
    for field in rows.schema:
        known = kinds.get(field.name.lower())
        value = column(field.name)
        if known is not None and known.dataType != field.dataType:
            if not comparable(known.dataType, field.dataType):
                raise DataError(
                    f"column {field.name!r} is {field.dataType.simpleString()}",
                    where=where,
                    expected=f"{known.dataType.simpleString()}, as in the table",
                    remedy="cast it in a step",
                )
            value = value.cast(known.dataType)
        found.append(value.alias(known.name if known is not None else field.name))
    return rows.select(*found) if found else rows.select(F.lit(None).alias("nothing"))


@contextmanager
def committing_as(spark: SparkSession, unit: str | None, number: int, entry: Mapping[str, Any]) -> Iterator[None]:
    """What the next commit of this session says of itself: MERGE has no options for that.

    Args:
        spark: a classic session, nobody else's.
        unit: recorded with the number in the same commit; Delta then drops a commit whose number isn't larger than
            the one that the table holds. None records nothing.
        number: see there.
        entry: goes into the commit's metadata.
    """
    conf = {f"{_DELTA}commitInfo.userMetadata": json.dumps({"etl": dict(entry)})}
    if unit is not None:
        conf |= {f"{_DELTA}write.txnAppId": unit, f"{_DELTA}write.txnVersion": str(number)}
    try:
        for key, value in conf.items():
            spark.conf.set(key, value)
        yield
    finally:
        # Left in place, the next write to this table would be dropped without a word.
        for key in conf:
            spark.conf.unset(key)
