"""Delta's statistics of files that Spark has just written, told by the files' own footers.

Delta's collector looks at every value of every row a second time while they are written: three tenths of a write's CPU.
The Parquet writer has noted in the footers what it found: rows, and of each column nulls, least and greatest. What a
footer doesn't say for certain is left out, which the protocol allows.
https://github.com/delta-io/delta/blob/master/PROTOCOL.md#per-file-statistics
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from spark_jobs import footers
from spark_jobs.delta_statistics import KEPT, Leaf, as_delta, leaves
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
        settings: the table's properties.
    """

    spark: SparkSession
    columns: StructType
    kept: str
    settings: Mapping[str, str]

    @property
    def can_tell(self) -> bool:
        """Whether they may take the collector's place: it is on, names are the files' own, and footers can be read."""
        plain = self.settings.get("delta.columnMapping.mode", "none") == "none"
        return plain and self._hadoop.get(_ENCRYPTED) is None and own(self.spark, _COLLECT) in {None, "true"}

    @cached_property
    def _hadoop(self) -> Any:
        return self.spark._jsparkSession.sessionState().newHadoopConf()

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
        with ThreadPoolExecutor(_READERS) as pool:
            return list(pool.map(self._told, places))

    def _told(self, place: Any) -> tuple[int, str]:
        jvm: Any = self.spark._jvm
        parquet = jvm.org.apache.parquet.hadoop
        reader = parquet.ParquetFileReader.open(parquet.util.HadoopInputFile.fromPath(place, self._hadoop))
        try:
            groups = reader.getFooter().getBlocks()
        finally:
            reader.close()
        types = {".".join(leaf.path): (leaf.kind, leaf.scale) for leaf in self._leaves}
        found = footers.of_groups(groups, types, cut=self._hadoop.get(footers.CUT) is not None)
        collection = getattr(getattr(jvm.org.apache.spark.sql.delta.stats, "StatisticsCollection$"), "MODULE$")
        cut = partial(collection.truncateMaxStringAgg, KEPT)
        return found.rows, as_delta(found, self._leaves, cut, tight="tightBounds" in self._kept.names)
