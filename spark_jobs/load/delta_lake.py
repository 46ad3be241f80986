"""A Delta table, as the strategies by key see it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.columns import listed
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import Ledger, committing
from spark_jobs.load import owners
from spark_jobs.load.dressing import Dress
from spark_jobs.load.lake import Mark, MergeInto
from spark_jobs.load.new_table import ensure_table, record_changes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_DELTA: Final = "spark.databricks.delta."
MERGED: Final = {"delta.enableDeletionVectors": "true"}
"""A MERGE that marks rows as gone, in place of writing their files anew, is five times as fast."""


@dataclass(frozen=True, kw_only=True)
class DeltaLake:
    """A table.

    Args:
        spark: a classic session.
        path: its folder or URI.
        partition_by: columns that lay it out, where it isn't there yet.
        made_with: properties of a new one.
        aside: whether it is a side table: read at one version, out of sight of the transaction of a MERGE.
        change_feed: whether it is to record its changes.
        dress: what it is to say of itself.
    """

    spark: SparkSession
    path: str
    partition_by: Sequence[str] = ()
    made_with: Mapping[str, str] | None = None
    aside: bool = False
    change_feed: bool = False
    dress: Dress | None = None

    @property
    def name(self) -> str:
        """Its folder."""
        return self.path

    @property
    def ledger(self) -> Ledger:
        """Its log."""
        return Ledger(self.spark, self.path)

    def rows(self) -> DataFrame:
        """Its rows as they are now, whoever writes meanwhile."""
        reader = self.spark.read.format("delta")
        return (reader.option("versionAsOf", self.ledger.version()) if self.aside else reader).load(self.path)

    def ensure(self, schema: StructType, properties: Mapping[str, str], where: str) -> None:
        """Make it where there is none; add columns that it lacks, as Delta's own schema evolution does.

        Raises:
            ConfigError: it is partitioned by other columns.
        """
        ensure_table(self.spark, self.path, schema, self.partition_by, {**(self.made_with or {}), **properties})
        self._refuse_layout(where)
        there = {field.name.lower() for field in self.spark.read.format("delta").load(self.path).schema}
        if any(field.name.lower() not in there for field in schema):
            nothing = self.spark.createDataFrame([], schema)
            writer = nothing.write.format("delta").mode("append").option("mergeSchema", "true")
            committing(lambda: writer.save(self.path))
        if self.dress is not None:
            self.dress.put_on(self.spark, self.path, where)

    def _refuse_layout(self, where: str) -> None:
        """See that it is laid out as the load says: MERGE takes any, and the option would do nothing."""
        held = self.ledger.partition_columns()
        if self.partition_by and [name.lower() for name in held] != [name.lower() for name in self.partition_by]:
            raise ConfigError(
                f"the table is partitioned by {listed(held) if held else 'nothing'}",
                where=f"{where}.partition_by",
                expected=listed(self.partition_by),
                remedy="say what the table has, leave partition_by out, or give another path",
            )

    def claim(self, mine: owners.Claim) -> None:
        """Say in the table's properties what a load owns."""
        owners.claim(self.spark, self.ledger, mine)
        if self.change_feed:
            record_changes(self.spark, self.ledger)

    def alone(self) -> AbstractContextManager[None]:
        """Others may merge meanwhile: Delta tells apart what they touch."""
        return nullcontext()

    def merge(self, what: MergeInto, mark: Mark) -> None:
        """Merge in one commit."""
        from delta import DeltaTable

        merge = DeltaTable.forPath(self.spark, self.path).alias("t").merge(what.source.alias("s"), what.on)
        for clause in what.clauses:
            if clause.of == "new":
                merge = merge.whenNotMatchedInsert(clause.where, dict(clause.columns or {}))
            elif clause.of == "unmatched":
                merge = merge.whenNotMatchedBySourceDelete(clause.where)
            elif clause.columns is None:
                merge = merge.whenMatchedDelete(clause.where)
            else:
                merge = merge.whenMatchedUpdate(clause.where, dict(clause.columns))
        with committing_as(self.spark, mark.unit, mark.number, mark.entry):
            merge.execute()

    def replace(self, rows: DataFrame, where: str, mark: Mark) -> None:
        """Rows come in the place of those that a condition is true for, in one commit."""
        writer = rows.write.format("delta").mode("overwrite").option("replaceWhere", where)
        writer = writer.option("txnAppId", mark.unit).option("txnVersion", str(mark.number))
        committing(lambda: writer.save(self.path))

    def beside(self, kind: str, pipeline: str, load: str, partition_by: Sequence[str]) -> DeltaLake:
        """A side table: in the table's folder, where Delta neither reads nor vacuums, and goes wherever that goes."""
        path = f"{self.path.rstrip('/')}/{kind}/{pipeline}.{load}"
        return DeltaLake(spark=self.spark, path=path, partition_by=partition_by, aside=True)


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
