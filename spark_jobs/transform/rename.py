"""`rename`: other names for columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Rename:
    """Rename columns in place, all at once: two may swap their names."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "rename: {ordered_at: at}"
    effect: ClassVar[str] = "rows"
    shorthand: ClassVar[str] = "columns"
    whole: ClassVar[bool] = True

    columns: dict[str, str] = field(metadata={"column": True})
    """Column -> its new name."""

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns under their new names."""
        return rows.renamed(self.columns)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """New names that other columns have."""
        others = [name for name in rows.columns if name not in self.columns]
        return collisions("", [*others, *self.columns.values()])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows under the new names.

        Raises:
            ConfigError: an unknown column, or a new name that another column has.
        """
        require(self.columns, rows.columns, context.where)
        refuse_collisions([self.columns.get(name, name) for name in rows.columns], context.where)
        return rows.select([column(name).alias(self.columns.get(name, name)) for name in rows.columns])
