"""Destination `iceberg`: a table of a catalog, published by one metadata swap that is also its ledger's entry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import nearest
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.iceberg.attaching import attach
from spark_jobs.iceberg.catalogs import catalog_of
from spark_jobs.iceberg.layout import parsed
from spark_jobs.iceberg.names import checked
from spark_jobs.kinds import PYDANTIC
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.by_key import Cdc, Keyed, Merge, Scd2
from spark_jobs.load.delta import Delta
from spark_jobs.load.growing import NewColumns
from spark_jobs.load.iceberg_lake import IcebergLake
from spark_jobs.load.iceberg_place import Placing
from spark_jobs.load.keyed import ByKey
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.load.table import Table
from spark_jobs.outline import Misfit, Outline, Scope
from spark_jobs.report import LoadReceipt

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Iceberg(Table):
    """An Iceberg table of a catalog that the environment declares."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: iceberg
catalog: lake
table: sales.orders
write: {strategy: replace_window, column: ordered_at}
partition_by: [days(ordered_at)]
"""
    type: ClassVar[str] = "iceberg"
    looks_back: ClassVar[bool] = True

    catalog: str = field(metadata={"catalog": True})
    """The catalog: a name under `catalogs` in the environment file."""
    table: str = field(metadata={"substitute": "text"})
    """The table, `namespace.table`. Made where there is none."""
    write: ReplaceWindow | Append | Snapshot | Merge | Scd2 | Cdc
    """How rows reach the table, and why a repeat can't harm."""
    partition_by: tuple[str, ...] = field(default=(), metadata={"distinct": True})
    """How a new table is laid out: columns, `years(c)`, `months(c)`, `days(c)`, `hours(c)`, `bucket(8, c)`,
    `truncate(4, c)`."""
    sort_by: tuple[str, ...] = field(default=(), metadata={"column": True, "directed": True, "distinct": True})
    """How a new table's rows are sorted within files: columns, `asc` or `desc` behind them."""
    new_columns: NewColumns = "evolve"
    """Columns that the rows have and the table hasn't: `evolve` adds them, `freeze` stops before anything is written;
    the report names them, and those that the rows haven't got."""
    scope: Mapping[str, str | int | bool] = field(default_factory=dict)
    """Column -> value: the rows that are this pipeline's, where several load one table. Rows get columns that they
    lack; one that says another value is refused."""

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """What the strategy or the layout can't do with these columns, and values of the scope that are none."""
        yield from super().misfits(rows, scope)
        yield from self._misnamed()
        yield from self._mislaid(self.outline(rows, scope))

    def _misnamed(self) -> Iterator[Misfit]:
        try:
            checked(self.table if "${" not in self.table else "some.table")
        except ConfigError as error:
            yield Misfit(option="table", message=error.what, hint=error.expected)

    def _mislaid(self, held: Outline) -> Iterator[Misfit]:
        for place, text in enumerate(self.partition_by):
            try:
                part = parsed(text, held.columns)
            except ConfigError as error:
                yield Misfit(option=f"partition_by[{place}]", message=error.what, hint=error.expected)
                continue
            if held.spelled(part.column) is None and held.may_have(part.column) == "none":
                message, known = f"unknown column {part.column!r}", list(held.columns)
                yield Misfit(
                    option=f"partition_by[{place}]",
                    message=message,
                    hint=nearest(part.column, known),
                    code="unknown-column",
                )

    @property
    def place(self) -> str:
        """The table, for people and for telling tables apart."""
        return f"{self.catalog}.{self.table}"

    def sampled(self, path: str) -> Delta:
        """What stands for the table in tests: a Delta table, with the same strategy."""
        return Delta(path=path, write=self.write, scope=self.scope)

    def done(self, name: str, context: Context) -> LoadReceipt | None:
        """The receipt of this attempt's own commit, where an earlier try made it and its result got lost."""
        attempt = self._attempting(name, context)
        commit = attempt.found()
        if commit is None:
            return None
        if isinstance(self.write, Keyed):
            return self._by_key(attempt).found_again(commit)
        return self._placing(attempt).receipt("already_done", commit)

    def publish(self, name: str, rows: DataFrame, staged: int, context: Context) -> LoadReceipt:
        """Publish staged rows by one metadata swap.

        Args:
            name: the load's name in the pipeline file.
            rows: what was staged and checked.
            staged: how many rows that are.
            context: session, plan and connections.

        Raises:
            ConfigError: the catalog or the table can't be used, it is laid out otherwise, or another pipeline loads it
                and no scope parts their rows.
            DataError: a window overlaps an earlier one that it doesn't cover (append), types clash, or columns came and
                the load says `new_columns: freeze`.
            InfrastructureError: fewer rows were written than staged; or another run has published rows of the same
                time that it read later than these.
        """
        attempt = self._attempting(name, context)
        if isinstance(self.write, Keyed):
            return self._by_key(attempt).publish(rows, staged)
        return self._placing(attempt).publish(rows, staged)

    def _attempting(self, name: str, context: Context) -> Attempting:
        unit, claim = self.unit(name, context.plan), self.claim(name, context.plan)
        return Attempting(lake=self.lake(context), unit=unit, claim=claim, context=context)

    def lake(self, context: Context) -> IcebergLake:
        """The table.

        Raises:
            ConfigError: its catalog isn't there or can't be used.
        """
        catalog = catalog_of(context.plan.catalogs, self.catalog, context.where)
        attach(context.spark, catalog, context.connections)
        return IcebergLake(
            spark=context.spark,
            catalog=catalog,
            table=checked(self.table, context.where),
            partition_by=self.partition_by,
            sort_by=self.sort_by,
            found_by=self._found_by,
        )

    @property
    def _found_by(self) -> tuple[str, ...]:
        """The columns by which a window's rows are found."""
        if isinstance(self.write, ReplaceWindow):
            return (*self.scope, self.write.column)
        appended = ("_pipeline", "_window_start", "_window_end") if isinstance(self.write, Append) else ()
        return (*self.scope, *appended)

    def _by_key(self, attempt: Attempting) -> ByKey:
        assert isinstance(self.write, Keyed)  # noqa: S101 - for mypy
        return ByKey(write=self.write, scope=self.scope, attempt=attempt, new_columns=self.new_columns)

    def _placing(self, attempt: Attempting) -> Placing:
        assert not isinstance(self.write, Keyed)  # noqa: S101 - for mypy
        assert isinstance(attempt.lake, IcebergLake)  # noqa: S101 - for mypy
        return Placing(
            destination=self,
            write=self.write,
            scope=self.scope,
            attempt=attempt,
            lake=attempt.lake,
            new_columns=self.new_columns,
        )
