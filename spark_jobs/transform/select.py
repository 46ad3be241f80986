"""`select`: these columns in this order."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import column, require
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Outline, Scope

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Select:
    """Keep these columns, in this order."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "select: [id, amount]"
    effect: ClassVar[str] = "rows"
    shorthand: ClassVar[str] = "columns"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """Columns to keep; each must exist."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.columns else {"columns": "no column is selected"}

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """These columns and no others."""
        return rows.select(self.columns)

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows with these columns only.

        Raises:
            ConfigError: an unknown column, one named twice, or none.
        """
        require(self.columns, rows.columns, context.where)
        if not self.columns:
            raise ConfigError("no column is selected", where=context.where, expected="at least one")
        return rows.select([column(name) for name in self.columns])
