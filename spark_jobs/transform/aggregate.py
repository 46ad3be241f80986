"""`aggregate`: one row per group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

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
    """One row per combination of the columns in `by`, with the values computed from its rows.

    What the order of rows would decide is refused (`first`, `any_value`, `collect_list`); take `max_by`, `min`,
    `sort_array(collect_list(…))`. Of the approximate ones `approx_count_distinct` gives the same on every run;
    `approx_percentile` may differ a little where rows come in other parts, `percentile` doesn't.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "aggregate: {by: [customer], values: {orders: count(*), amount: sum(amount)}}"
    effect: ClassVar[str] = "reshape"

    by: tuple[str, ...] = field(default=(), metadata={"column": True})
    """Columns that make a group; null is a group of its own. None: one row for all rows, even where there are none."""
    values: dict[str, str] = field(metadata={"expression": True, "aggregate": True})
    """Name of a new column -> aggregate expression over the incoming columns, such as `sum(amount)`,
    `count(distinct customer)`, `approx_count_distinct(customer)`, `sum(amount) FILTER (WHERE paid)`."""
    sets: Literal["rollup", "cube"] | tuple[tuple[str, ...], ...] | None = None
    """Subtotals as rows of their own: `rollup` (all columns of `by`, all but the last …, none), `cube` (every
    combination), or the sets themselves, such as `[[customer, day], [day], []]`. A column that isn't of a row's set is
    null there; `grouping(customer)` among `values` is 1 then, and tells it from a customer that is null."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = {} if self.values else {"values": "no value is computed"}
        if self.sets is not None and not self.by:
            found["sets"] = "there is no column in `by` to make them of"
        elif isinstance(self.sets, tuple) and (wrong := self._wrong(self.sets)):
            found["sets"] = wrong
        return found

    def _wrong(self, sets: tuple[tuple[str, ...], ...]) -> str:
        """What is wrong with sets; nothing where they are right."""
        if not sets:
            return "there is no set"
        strange = [name for names in sets for name in names if name not in self.by]
        if strange:
            return f"{strange[0]!r} isn't in `by`"
        plain = [frozenset(names) for names in sets]
        unused = [name for name in self.by if not any(name in names for names in plain)]
        if unused:
            return f"{unused[0]!r} of `by` is in no set"
        twice = len(set(plain)) < len(plain) or any(len(set(names)) < len(names) for names in sets)
        return "a set, or a column of one, stands there twice: its rows would be doubled" if twice else ""

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """The columns of `by`, then the values."""
        kinds = {name: scope.type_of(text, rows) for name, text in self.values.items()}
        personal = [name for name, text in self.values.items() if rows.says_personal(text, kinds[name])]
        return rows.select(self.by).plus(kinds).holding(personal)

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
        for option, why in self.conflicts().items():
            raise ConfigError(why, where=f"{context.where}.{option}", expected="options that fit together")
        groups = self._groups(rows)
        values = [self._value(name, rows, groups, context) for name in self.values]
        return groups.agg(*values)

    def _groups(self, rows: DataFrame) -> GroupedData:
        by = [column(name) for name in self.by]
        if self.sets is None:
            return rows.groupBy(by)
        if isinstance(self.sets, tuple):
            return rows.groupingSets([[column(name) for name in names] for names in self.sets], *by)
        return rows.rollup(by) if self.sets == "rollup" else rows.cube(by)

    def _value(self, name: str, rows: DataFrame, groups: GroupedData, context: Context) -> Column:
        text, where = self.values[name], f"{context.where}.values.{name}"
        bare, wrapped = forms(text, where)
        analysed(lambda: groups.agg(bare.alias(name), wrapped), rows.columns, where, text)
        return bare.alias(name)
