"""`derive`: new columns from expressions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import column, refuse_collisions
from spark_jobs.expressions import scalar
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Derive:
    """Add columns, or replace some in place; every expression sees the incoming columns, not its neighbours."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "derive: {day: to_date(ordered_at), large: amount > 1000}"
    effect: ClassVar[str] = "rows"
    shorthand: ClassVar[str] = "expressions"
    whole: ClassVar[bool] = True

    expressions: dict[str, str] = field(metadata={"expression": True})
    """Column -> Spark SQL expression over the incoming columns."""

    def outline(self, rows: Outline, scope: Scope) -> Outline:
        """The columns with the new ones behind them."""
        kinds = {name: scope.type_of(text, rows) for name, text in self.expressions.items()}
        personal = [name for name, text in self.expressions.items() if rows.says_personal(text, kinds[name])]
        return rows.plus(kinds).holding(personal)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """New names that differ from others only in letter case."""
        return collisions("", [*rows.columns, *(name for name in self.expressions if name not in rows.columns)])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows with the new columns behind the others; a replaced column keeps its place.

        Raises:
            ConfigError: an expression that Spark refuses, or that gives more than one value for a row.
        """
        values = {name: scalar(text, rows, f"{context.where}.{name}") for name, text in self.expressions.items()}
        kept = [values.pop(name).alias(name) if name in values else column(name) for name in rows.columns]
        refuse_collisions([*rows.columns, *values], context.where)
        return rows.select(*kept, *[value.alias(name) for name, value in values.items()])
