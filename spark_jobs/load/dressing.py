"""What a load says of its Delta table beside the rows: properties, comments of columns, columns that cluster it.

Compared with what the table has before each load, and altered where it differs, in commits of their own: they change
no row, so that they are no part of the fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from spark_jobs.columns import column, listed, quote
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import Ledger, committing
from spark_jobs.load.new_table import alter
from spark_jobs.load.strategies import text

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_OURS: Final = ("etl", "delta.enableChangeDataFeed", "delta.minReaderVersion", "delta.minWriterVersion")
_COMMENT: Final = "comment"


@dataclass(frozen=True, kw_only=True)
class Dress:
    """What a table is to say of itself.

    Args:
        cluster_by: columns by which Delta puts rows together.
        properties: of the table; others that it has stay.
        comments: column -> text; other columns keep theirs.
    """

    cluster_by: Sequence[str] = ()
    properties: Mapping[str, str] = field(default_factory=dict)
    comments: Mapping[str, str] = field(default_factory=dict)

    def commented(self, rows: DataFrame) -> DataFrame:
        """The rows, whose columns carry the comments: a snapshot writes the table's schema anew."""
        if not self.comments:
            return rows
        said = {name.lower(): {_COMMENT: told} for name, told in self.comments.items()}
        found = [
            column(item.name).alias(item.name, metadata={**(item.metadata or {}), **said.get(item.name.lower(), {})})
            for item in rows.schema
        ]
        return rows.select(*found)

    def put_on(self, spark: SparkSession, path: str, where: str) -> None:
        """Alter a table that is there, where it says something else.

        Args:
            spark: a classic session.
            path: the table's.
            where: the load's place in the pipeline file.

        Raises:
            ConfigError: a column that the table hasn't got, or a table with partitions that is to be clustered.
        """
        for statement in self.pending(spark, path, where):
            committing(partial(alter, spark, path, statement))

    def pending(self, spark: SparkSession, path: str, where: str) -> list[str]:
        """What `put_on` would alter; arguments and errors as there."""
        if not (self.cluster_by or self.properties or self.comments):
            return []
        ledger, held = Ledger(spark, path), spark.read.format("delta").load(path).schema
        return [*self._properties(ledger), *self._comments(held, where), *self._clustering(spark, ledger, where)]

    def _properties(self, ledger: Ledger) -> Iterator[str]:
        held = ledger.properties()
        differing = {key: value for key, value in self.properties.items() if held.get(key) != value}
        if differing:
            said = ", ".join(f"{text(key)} = {text(value)}" for key, value in differing.items())
            yield f"SET TBLPROPERTIES ({said})"

    def _comments(self, held: StructType, where: str) -> Iterator[str]:
        there = {item.name.lower(): item for item in held}
        for name, said in self.comments.items():
            item = there.get(name.lower())
            if item is None:
                raise ConfigError(
                    f"the table has no column {name!r}", where=f"{where}.comments", expected=listed(held.names)
                )
            if (item.metadata or {}).get(_COMMENT) != said:
                yield f"ALTER COLUMN {quote(item.name)} COMMENT {text(said)}"

    def _clustering(self, spark: SparkSession, ledger: Ledger, where: str) -> Iterator[str]:
        if not self.cluster_by:
            return
        parts = ledger.partition_columns()
        if parts:
            raise ConfigError(
                f"the table is partitioned by {listed(parts)}",
                where=f"{where}.cluster_by",
                expected="a table without partitions",
                remedy="leave cluster_by out, or load into a table of another path",
            )
        from delta import DeltaTable

        detail = DeltaTable.forPath(spark, ledger.path).detail().select("clusteringColumns").first()
        held = [name.lower() for name in (detail[0] if detail and detail[0] else ())]
        if held != [name.lower() for name in self.cluster_by]:
            yield f"CLUSTER BY ({', '.join(map(quote, self.cluster_by))})"


def problems(dress: Dress, partition_by: Sequence[str], *, anew: bool) -> Iterator[tuple[str, str]]:
    """(option, why) of what can't be said of a table; `anew` is one that each load writes whole."""
    if dress.cluster_by and anew:
        yield "cluster_by", "a snapshot writes the whole table anew, and Delta forgets what clustered it"
    if dress.cluster_by and partition_by:
        yield "cluster_by", "a table that partition_by lays out can't be clustered"
    if len(dress.cluster_by) > 4:
        yield "cluster_by", "Delta clusters by four columns at most"
    for key in dress.properties:
        if key.startswith(_OURS):
            why = "change_feed: true says that" if "Feed" in key else "it is set by what loads the table"
            yield "properties", f"{key!r} can't be set here: {why}"
