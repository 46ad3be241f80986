"""`filter`: fewer rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.expressions import analysed, scalar
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, family

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Filter:
    """Keep the rows for which a condition is true; where it is false or null they are left out and counted."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "filter: amount > 0 AND customer IS NOT NULL"
    effect: ClassVar[str] = "filter"
    shorthand: ClassVar[str] = "where"

    where: str = field(metadata={"expression": True})
    """Spark SQL condition over the incoming columns."""

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The same columns."""
        return rows

    def misfits(self, rows: Outline, scope: Scope) -> Iterator[Misfit]:
        """A condition that is none."""
        kind = scope.type_of(self.where, rows)
        if family(kind) not in {None, "boolean", "void", "text", "nested"}:
            yield Misfit(option="where", message=f"{self.where!r} is {kind}", hint="a condition is true or false")

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows for which the condition is true.

        Raises:
            ConfigError: Spark can't parse the condition, or it is none over these columns.
        """
        condition = scalar(self.where, rows, context.where)
        return analysed(lambda: rows.where(condition), rows.columns, context.where, self.where)
