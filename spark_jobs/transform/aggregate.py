"""`aggregate`: one row per group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed, forms
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, GroupedData


@dataclass(frozen=True, kw_only=True)
class Aggregate:
    """One row per combination of the columns in `by`, with the values computed from its rows."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "aggregate: {by: [customer], values: {orders: count(*), amount: sum(amount)}}"
    effect: ClassVar[str] = "reshape"

    by: tuple[str, ...] = field(default=(), metadata={"column": True})
    """Columns that make a group; null is a group of its own. None: one row for all rows, even where there are none."""
    values: dict[str, str] = field(metadata={"expression": True})
    """Name of a new column -> aggregate expression over the incoming columns, such as `sum(amount)`."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.values else {"values": "no value is computed"}

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """The columns of `by`, then the values."""
        return rows.select(self.by).plus({name: scope.type_of(text, rows) for name, text in self.values.items()})

    def misfits(self, _rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Names that collide."""
        return collisions("values", [*self.by, *self.values])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The groups: the columns of `by`, then the values.

        Raises:
            ConfigError: an unknown column, an expression that is refused or no aggregate, names that collide.
        """
        require(self.by, rows.columns, context.where)
        refuse_collisions([*self.by, *self.values], context.where)
        if not self.values:
            raise ConfigError("no value is computed", where=context.where, expected="at least one in `values`")
        groups = rows.groupBy([column(name) for name in self.by])
        values = [self._value(name, rows, groups, context) for name in self.values]
        return groups.agg(*values)

    def _value(self, name: str, rows: DataFrame, groups: GroupedData, context: Context) -> Column:
        text, where = self.values[name], f"{context.where}.values.{name}"
        bare, wrapped = forms(text, where)
        analysed(lambda: groups.agg(bare.alias(name), wrapped), rows.columns, where, text)
        return bare.alias(name)
