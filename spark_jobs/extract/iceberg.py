"""Source `iceberg`: a table of a catalog, as it is now, as it was at a snapshot, or as of a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.columns import column
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.spans import Span
from spark_jobs.flow import Context, Flow
from spark_jobs.iceberg.attaching import attach
from spark_jobs.iceberg.catalogs import catalog_of
from spark_jobs.iceberg.names import checked
from spark_jobs.iceberg.table import IcebergTable
from spark_jobs.kinds import PYDANTIC
from spark_jobs.observe import Counter
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.report import DatasetCounts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from spark_jobs.extract.files import Files


@dataclass(frozen=True, kw_only=True)
class Iceberg:
    """A table of a catalog that the environment declares."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: iceberg
catalog: lake
table: sales.orders
window: {column: ordered_at}
"""
    type: ClassVar[str] = "iceberg"
    looks_back: ClassVar[bool] = True

    catalog: str = field(metadata={"catalog": True})
    """The catalog: a name under `catalogs` in the environment file."""
    table: str = field(metadata={"substitute": "text"})
    """The table, `namespace.table`."""
    window: Literal["all"] | WindowColumn | None = None
    """Which rows belong to a window: `all`, or those whose column lies in it."""
    version: int | None = field(default=None, metadata={"ge": 1})
    """The id of the snapshot that is read; the newest one by default, which another run may have changed."""
    as_of: str | None = field(default=None, metadata={"substitute": "text"})
    """The moment whose snapshot is read, such as `${window.end}`: a repeat then reads the same as long as that
    snapshot is kept."""

    @property
    def told(self) -> str:
        """What is read, in words."""
        moment = f" as of {self.as_of}" if self.as_of is not None else ""
        return f"{self.catalog}.{self.table}{f' at snapshot {self.version}' if self.version else moment}"

    def conflicts(self) -> dict[str, str]:
        """Options that can't go together, and a moment that is none."""
        if self.version is not None and self.as_of is not None:
            return {"as_of": "give a version or a moment, one of them"}
        if self.as_of is not None and "${" not in self.as_of and _moment(self.as_of) is None:
            return {"as_of": "it is no date or time, such as 2013-01-01T06:00"}
        return {}

    def misfits(self, _rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A name that no table has."""
        try:
            checked(self.table if "${" not in self.table else "some.table")
        except ConfigError as error:
            yield Misfit(option="table", message=error.what, hint=error.expected)

    def outline(self) -> Outline:
        """Nothing is known: the table is looked at when it is read."""
        return Outline()

    def sampled(self, path: str) -> Files:
        """The files that stand for it in a test."""
        from spark_jobs.extract.files import Files

        return Files(path=path, format="parquet", window=self.window or "all")

    def read(self, context: Context) -> Flow:
        """The rows of the window, lazily, of one snapshot.

        Raises:
            ConfigError: the catalog isn't there, `as_of` is no moment, or the window's column can't say which rows
                belong to it.
            DataError: there is no such table, or no such snapshot any more.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        counter = Counter(self._within(self._rows(context), context), read=F.count(F.lit(1)))

        def counts() -> DatasetCounts:
            read = counter.values()["read"]
            return DatasetCounts(read=read, rows=read)

        return Flow(rows=counter.rows, counts=counts, refused=lambda: None)

    def _rows(self, context: Context) -> DataFrame:
        catalog = catalog_of(context.plan.catalogs, self.catalog, context.where)
        attach(context.spark, catalog, context.connections)
        table = IcebergTable(context.spark, catalog, checked(self.table, context.where))
        if not table.exists():
            raise DataError(
                "there is no such table",
                where=table.place,
                expected="a table that another pipeline has loaded",
                remedy="load it first, or correct the name",
            )
        look = table.look()
        snapshot = look.snapshot if self.as_of is None else look.snapshot_at(self._milliseconds(context))
        wanted = self.version or snapshot
        if self.version is not None or self.as_of is not None:
            self._refuse_gone(look.has(wanted), table.place)
        return table.rows_at(wanted) if wanted else table.rows()

    def _milliseconds(self, context: Context) -> int:
        """`as_of` as Java counts time."""
        found = _moment(str(self.as_of))
        if found is None:
            raise ConfigError(
                f"as_of {self.as_of!r} is no date or time", where=context.where, expected="such as 2013-01-01T06:00"
            )
        moment = found if found.tzinfo else found.replace(tzinfo=context.plan.window.zone)
        return int(moment.timestamp() * 1000)

    def _refuse_gone(self, there: bool, where: str) -> None:
        if not there:
            asked = str(self.version) if self.version else f"as of {self.as_of}"
            raise DataError(
                f"there is no snapshot {asked}",
                where=where,
                expected="one that hasn't expired",
                remedy="read a later one; `CALL system.expire_snapshots` says how long they are kept",
            )

    def _within(self, rows: DataFrame, context: Context) -> DataFrame:
        if not isinstance(self.window, WindowColumn):
            return rows
        name, window = self.window.column, context.plan.reading
        kind = next((item.dataType for item in rows.schema if item.name == name), None)
        span = Span(column=name, window=window, zone=window.timezone, where=context.where)
        return rows.where(span.inside(column(name), kind))


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
