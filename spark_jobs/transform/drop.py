"""`drop`: fewer columns."""

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
class Drop:
    """Leave columns out."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "drop: [customer]"
    effect: ClassVar[str] = "rows"
    shorthand: ClassVar[str] = "columns"

    columns: tuple[str, ...] = field(metadata={"column": True})
    """Columns to leave out; each must exist, and one must stay."""

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The other columns."""
        return rows.without(self.columns)

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows without the columns.

        Raises:
            ConfigError: an unknown column, or none would stay.
        """
        require(self.columns, rows.columns, context.where)
        kept = [name for name in rows.columns if name not in self.columns]
        if not kept:
            raise ConfigError("every column is dropped", where=context.where, expected="at least one that stays")
        return rows.select([column(name) for name in kept])
