"""Side tables of a Delta table: what must be known beside the rows that readers see.

They stand in the table's folder, under a name with an underscore, a folder for each load: Delta neither reads nor
vacuums there, and they go wherever the table goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import column
from spark_jobs.errors import DataError
from spark_jobs.ledger import Ledger, committing
from spark_jobs.load.new_table import ensure_table
from spark_jobs.points import reach

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import DataType, StructType

TOMBSTONES: Final = "_etl_tombstones"
EVENTS: Final = "_etl_events"
FILES: Final = "_etl_files"
FEEDS: Final = "_etl_feeds"
SIDES: Final = (TOMBSTONES, EVENTS)
_DELTA: Final = "spark.databricks.delta."


UNIT, NUMBER, CUT = "__etl_unit__", "__etl_number__", "__etl_truncate__"
"""Columns of side tables: the unit that brought a row, the number of its attempt, and whether it is a truncate."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One side table of one load; loads of other scopes, keys and sequences have their own.

    Its rows carry their unit and the number of their attempt, and count only where the table's own ledger names them:
    what an attempt writes that never commits is there, and not seen.

    Args:
        spark: a classic session.
        table: the main table's folder or URI.
        kind: TOMBSTONES, EVENTS, FILES or FEEDS.
        pipeline: the pipeline's id.
        load: the load's name.
    """

    spark: SparkSession
    table: str
    kind: str
    pipeline: str
    load: str

    @property
    def path(self) -> str:
        """Its folder."""
        return f"{self.table.rstrip('/')}/{self.kind}/{self.pipeline}.{self.load}"

    @property
    def ledger(self) -> Ledger:
        """Its ledger."""
        return Ledger(self.spark, self.path)

    def exists(self) -> bool:
        """Whether there is one yet."""
        return self.ledger.version() is not None

    def ensure(self, schema: StructType, partition_by: Sequence[str] = ()) -> None:
        """Make it where there is none; add columns that it lacks."""
        ensure_table(self.spark, self.path, schema, partition_by)
        evolve(self.spark, self.path, schema)

    def rows(self) -> DataFrame:
        """All its rows as they are now, whoever writes meanwhile."""
        version = self.ledger.version()
        return self.spark.read.format("delta").option("versionAsOf", version).load(self.path)

    def units(self) -> dict[str, int]:
        """Unit -> the number of the last attempt that wrote here."""
        return self.ledger.units(self.pipeline, self.load)

    def replace(self, rows: DataFrame, unit: str, number: int, where: str) -> bool:
        """Write an attempt's rows in place of others of its unit, in one commit.

        Args:
            rows: what comes, without UNIT and NUMBER.
            unit: what the attempt writes.
            number: its number.
            where: Spark SQL: the rows that go.

        Returns:
            Whether they are there now: an attempt with a larger number may have been faster.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        marked = rows.withColumns({UNIT: F.lit(unit), NUMBER: F.lit(number).cast("bigint")})
        self.ensure(marked.schema, (UNIT,))
        writer = marked.write.format("delta").mode("overwrite").option("replaceWhere", where)
        writer = writer.option("txnAppId", unit).option("txnVersion", str(number))
        reach("before side commit")
        committing(lambda: writer.save(self.path))
        reach("after side commit")
        return self.units().get(unit) == number


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

    Columns that the table lacks stay as they are.

    Args:
        rows: what comes.
        table: the table's columns.
        where: place in the pipeline file.

    Raises:
        DataError: a column is of a type whose values the table's type can't all hold.
    """
    kinds, found = {field.name.lower(): field for field in table}, []
    for field in rows.schema:
        known, value = kinds.get(field.name.lower()), column(field.name)
        if known is not None and known.dataType != field.dataType:
            if not holds(known.dataType, field.dataType):
                raise DataError(
                    f"column {field.name!r} is {field.dataType.simpleString()}",
                    where=where,
                    expected=f"{known.dataType.simpleString()}, as in the table, or a narrower type",
                    remedy="cast it in a step",
                )
            value = value.cast(known.dataType)
        found.append(value.alias(known.name if known is not None else field.name))
    return rows.select(*found)


_WHOLE: Final = {"byte": 3, "short": 5, "integer": 10, "long": 19}  # digits


def holds(wide: DataType, narrow: DataType) -> bool:
    """Whether a type has every value of another one, so that a cast changes none."""
    one, other = wide.typeName(), narrow.typeName()
    if one == other == "decimal":
        return _scale(wide) >= _scale(narrow) and _digits(wide) >= _digits(narrow)
    if other in _WHOLE:
        return (one in _WHOLE and _WHOLE[one] >= _WHOLE[other]) or (one == "decimal" and _digits(wide) >= _WHOLE[other])
    texts = one == "string" and other in {"char", "varchar"}
    return wide == narrow or other == "void" or texts or (one, other) == ("double", "float")


def _scale(kind: Any) -> int:
    return int(kind.scale)


def _digits(kind: Any) -> int:
    """Digits before the point."""
    return int(kind.precision) - int(kind.scale)


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
