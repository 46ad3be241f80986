"""Delta's statistics of files that Spark has just written, told by the files' own footers.

Delta's collector looks at every value of every row a second time while they are written: three tenths of a write's CPU.
The Parquet writer has noted in the footers what it found: rows, and of each column nulls, least and greatest. What a
footer doesn't say for certain is left out, which the protocol allows.
https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from spark_jobs import footers
from spark_jobs.delta_statistics import Leaf, Texts, as_delta, leaves
from spark_jobs.settings import changed, own

if TYPE_CHECKING:
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

_COLLECT: Final = "spark.databricks.delta.stats.collect"
# An INT96, as Spark writes a timestamp otherwise, has no order that a footer could tell.
_INSTEAD: Final = {_COLLECT: "false", "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS"}
_ENCRYPTED: Final = "parquet.crypto.factory.class"
_READERS: Final = 8  # footers that are read at once: each waits for its storage


@contextmanager
def footers_alone(spark: SparkSession) -> Iterator[None]:
    """Have Delta write without its collector, and times whose order footers tell."""
    with ExitStack() as stack:
        for key, value in _INSTEAD.items():
            stack.enter_context(changed(spark, key, value))
        yield


@dataclass(frozen=True, kw_only=True)
class Footers:
    """What tells a table's statistics by the footers of its new files.

    Args:
        spark: a classic session with Delta.
        columns: the table's.
        kept: the schema of the statistics that Delta keeps of it, as JSON.
        metadata: Delta's of the table: its properties go to the writer of the files too.
    """

    spark: SparkSession
    columns: StructType
    kept: str
    metadata: Any

    @property
    def can_tell(self) -> bool:
        """Whether they may take the collector's place: it is on, names are the files' own, and footers can be read."""
        mapping = self.metadata.configuration().get("delta.columnMapping.mode")
        plain = not mapping.isDefined() or str(mapping.get()) == "none"
        return plain and self._hadoop.get(_ENCRYPTED) is None and own(self.spark, _COLLECT) in {None, "true"}

    @cached_property
    def _hadoop(self) -> Any:
        return self.spark._jsparkSession.sessionState().newHadoopConfWithOptions(self.metadata.configuration())

    @cached_property
    def _letters(self) -> int:
        stats = self.spark._jvm.org.apache.spark.sql.delta.stats  # type: ignore[union-attr] # a classic session
        session = self.spark._jsparkSession
        return int(stats.StatsCollectionUtils.getDataSkippingStringPrefixLength(session, self.metadata))

    @cached_property
    def _kept(self) -> StructType:
        from pyspark.sql.types import StructType

        return StructType.fromJson(json.loads(self.kept))

    @cached_property
    def _leaves(self) -> list[Leaf]:
        return leaves(self.columns, self._kept)

    def statistics(self, places: list[Any]) -> list[tuple[int, str]]:
        """Of each file its rows, and Delta's JSON.

        Args:
            places: Hadoop's paths of the files.
        """
        known: dict[str, int] = {}
        first = [self._told(place, known) for place in places[:1]]
        with ThreadPoolExecutor(_READERS) as pool:
            return [*first, *pool.map(partial(self._told, columns=known), places[1:])]

    def _told(self, place: Any, columns: dict[str, int]) -> tuple[int, str]:
        jvm: Any = self.spark._jvm
        parquet, stats = jvm.org.apache.parquet.hadoop, jvm.org.apache.spark.sql.delta.stats
        reader = parquet.ParquetFileReader.open(parquet.util.HadoopInputFile.fromPath(place, self._hadoop))
        try:
            groups = reader.getFooter().getBlocks()
        finally:
            reader.close()
        types = {".".join(leaf.path): (leaf.kind, leaf.scale) for leaf in self._leaves}
        cut = self._hadoop.get(footers.CUT) is not None
        found = footers.of_groups(groups, types, cut=cut, places=columns)
        shorten = partial(
            getattr(getattr(stats, "StatisticsCollection$"), "MODULE$").truncateMaxStringAgg, self._letters
        )
        texts = Texts(kept=self._letters, shorten=shorten)
        return found.rows, as_delta(found, self._leaves, texts, tight="tightBounds" in self._kept.names)
