"""Source `table`: a table that other pipelines load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.errors import DataError
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.spans import Span
from spark_jobs.flow import Context, Flow
from spark_jobs.kinds import PYDANTIC
from spark_jobs.ledger import last_version
from spark_jobs.observe import Counter
from spark_jobs.outline import Outline
from spark_jobs.report import DatasetCounts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that another pipeline loads, at its newest version."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: table
format: delta
path: ${env.lake}/orders
window: {column: ordered_at}
"""
    type: ClassVar[str] = "table"
    looks_back: ClassVar[bool] = True

    format: Literal["delta", "files"]
    """The table's format: `delta`, or `files` for a folder that destination `files` loads."""
    path: str = field(metadata={"substitute": "text", "path": True})
    """The table's folder or URI."""
    window: Literal["all"] | WindowColumn | None = None
    """Which rows belong to a window: `all`, or those whose column lies in it."""

    def outline(self) -> Outline:
        """Nothing is known: the table is looked at when it is read."""
        return Outline()

    def read(self, context: Context) -> Flow:
        """The rows of the window, lazily, of the version that the table has now.

        Raises:
            ConfigError: the window's column can't say which rows belong to it.
            DataError: there is no such table.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        counter = Counter(self._within(context), read=F.count(F.lit(1)))

        def counts() -> DatasetCounts:
            read = counter.values()["read"]
            return DatasetCounts(read=read, rows=read)

        return Flow(rows=counter.rows, counts=counts, refused=lambda: None)

    def _within(self, context: Context) -> DataFrame:
        from pyspark.sql import functions as F  # noqa: N812

        rows = self._rows(context.spark)
        if not isinstance(self.window, WindowColumn):
            return rows
        column, window = self.window.column, context.plan.reading
        kind = next((item.dataType for item in rows.schema if item.name == column), None)
        span = Span(column=column, window=window, zone=window.timezone, where=context.where)
        return rows.where(span.inside(F.col("`" + column.replace("`", "``") + "`"), kind))

    def _rows(self, spark: SparkSession) -> DataFrame:
        if self.format == "delta" and last_version(spark, self.path) is not None:
            return spark.read.format("delta").load(self.path)
        if self.format == "files":
            from spark_jobs.load.filesets.catalog import Catalog
            from spark_jobs.load.filesets.layout import read

            held = Catalog(spark, self.path).newest()
            if held is not None:
                return read(spark, self.path.rstrip("/"), held.layout, held.slices)
        raise DataError(
            "there is no Delta table" if self.format == "delta" else "there is no folder that destination files loads",
            where=self.path,
            expected="a table that another pipeline has loaded",
            remedy="load it first, or correct the path",
        )
