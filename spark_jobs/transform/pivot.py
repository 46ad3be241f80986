"""`pivot`: values become columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed, forms
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions
from spark_jobs.refusal import shaped, shown
from spark_jobs.transform.step import Effect, Step

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_VALUE: Final = "_etl_pivot"  # the column as text
_CELL: Final = "_etl_cell"


@dataclass(frozen=True, kw_only=True)
class Pivot:
    """One row per combination of the columns in `by`, and a column for each value of another column.

    The values are named, so that the columns are the same whatever a window holds.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = (
        "pivot: {by: [ordered_at], column: customer, values: {web: by_web, shop: by_shop}, aggregate: sum(amount)}"
    )

    by: tuple[str, ...] = field(metadata={"column": True})
    """Columns that make a group; null is a group of its own."""
    column: str = field(metadata={"column": True})
    """The column whose values become columns."""
    values: tuple[str, ...] | dict[str, str]
    """Its values, compared as text, or a mapping: value -> name of its column."""
    aggregate: str = field(metadata={"expression": True, "aggregate": True})
    """What stands in the new columns: an aggregate over the rows of a group and a value, such as `sum(amount)`; null
    where there are none."""
    others: Literal["quarantine", "drop"] = "quarantine"
    """Rows of other values, null among them: set them aside, or leave them out."""

    @property
    def effect(self) -> Effect:
        """Groups come out."""
        return "reshape"

    @property
    def names(self) -> dict[str, str]:
        """Value -> column."""
        return dict(self.values) if isinstance(self.values, dict) else {value: value for value in self.values}

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = {} if self.by else {"by": "there is no column that makes a group"}
        return found | ({} if self.values else {"values": "there is no value"})

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """The columns of `by`, then one for each value."""
        kind = scope.type_of(self.aggregate, rows)
        return rows.select(self.by).plus(dict.fromkeys(self.names.values(), kind))

    def misfits(self, _rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Names that collide."""
        return collisions("values", [*self.by, *self.names.values()])

    def parts(self) -> tuple[Step, ...]:
        """First the rows of other values go, then the groups are made: each is counted by itself."""
        return _Listed(pivot=self, effect="refuse" if self.others == "quarantine" else "filter"), _Turned(pivot=self)

    def text(self) -> Column:
        """The column as text, as its values are written."""
        return column(self.column).cast("string")


@dataclass(frozen=True, kw_only=True)
class _Listed:
    """Rows whose value isn't named go."""

    pivot: Pivot
    effect: Effect

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows whose value is named."""
        require([self.pivot.column], rows.columns, f"{context.where}.column")
        return rows.where(self._named())

    def _named(self) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        return F.coalesce(self.pivot.text().isin(list(self.pivot.names)), F.lit(False))

    def refused(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows whose value isn't named, as they came in."""
        from pyspark.sql import functions as F  # noqa: N812

        told = F.concat(F.lit(f"{self.pivot.column} is "), shown(self.pivot.column), F.lit(", which no column is for"))
        rules = F.array(F.lit(f"pivot {self.pivot.column}"))
        left = rows.where(~self._named())
        return shaped(left, rows.columns, dataset=context.dataset, stage="transform", rules=rules, message=told)


@dataclass(frozen=True, kw_only=True)
class _Turned:
    """The groups."""

    effect: ClassVar[Effect] = "reshape"

    pivot: Pivot

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The columns of `by`, then one for each value, in the order of `values`.

        Raises:
            ConfigError: an unknown column, an expression that is refused or no aggregate, names that collide.
        """
        from pyspark.sql import functions as F  # noqa: N812

        pivot, where = self.pivot, context.where
        require(pivot.by, rows.columns, f"{where}.by")
        if not (pivot.by and pivot.values):
            raise ConfigError("no group or no value", where=where, expected="at least one in `by` and in `values`")
        refuse_collisions([*pivot.by, *pivot.names.values()], where)
        bare, wrapped = forms(pivot.aggregate, f"{where}.aggregate")
        place = f"{where}.aggregate"
        analysed(lambda: rows.groupBy().agg(bare.alias("value"), wrapped), rows.columns, place, pivot.aggregate)
        groups = [column(name) for name in pivot.by]
        # One row a cell first: Spark's own pivot asks some aggregates of rows of other values too, as nulls.
        cells = rows.withColumn(_VALUE, pivot.text()).groupBy(*groups, _VALUE).agg(bare.alias(_CELL))
        turned = cells.groupBy(groups).pivot(_VALUE, list(pivot.names)).agg(F.first(_CELL, ignorenulls=True))
        # By place: a value may be called as a column of `by` is.
        return turned.toDF(*pivot.by, *pivot.names.values())
