"""`dedupe`: one row per key, always the same one."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.columns import column, require, spare
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Outline, Scope
from spark_jobs.transform.order import content
from spark_jobs.transform.step import Effect

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


@dataclass(frozen=True, kw_only=True)
class Dedupe:
    """Keep one row per key; null keys are equal keys. Ties are decided by the rows' content, never by their order."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "dedupe: {keys: [id], order_by: [ordered_at], keep: last}"
    effect: ClassVar[Effect] = "dedupe"

    keys: tuple[str, ...] = field(metadata={"column": True})
    """Columns that name a row."""
    keep: Literal["first", "last"] = "last"
    """Which row of a key stays, in the order of `order_by`; ties go on with all columns, by name."""
    order_by: tuple[str, ...] = field(default=(), metadata={"column": True, "directed": True})
    """Columns that order the rows of a key, each with `asc` (default) or `desc` after it. Null is smaller than every
    value, NaN larger than every number."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.keys else {"keys": f"there is no key; {_WHOLE_ROWS}"}

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The same columns."""
        return rows

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """One row per key.

        Raises:
            ConfigError: an unknown column, no key, or a key that Spark can't compare, such as a map.
        """
        from pyspark.sql import Window
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        require(self.keys, rows.columns, f"{context.where}.keys")
        if not self.keys:
            raise ConfigError("no key", where=context.where, expected="keys: [column, …]", remedy=_WHOLE_ROWS)
        rank = spare(rows.columns, "rank")
        keys = [column(name) for name in self.keys]
        ranked = F.row_number().over(Window.partitionBy(*keys).orderBy(*self._order(rows, context.where)))
        return analysed(
            lambda: rows.withColumn(rank, ranked).where(column(rank) == 1).drop(rank), rows.columns, context.where
        )

    def _order(self, rows: DataFrame, where: str) -> list[Column]:
        """Best row first; in both directions null counts as the smallest value."""
        last = self.keep == "last"
        return ordered(self.order_by, rows, where, backwards=last) + [sorted_by(value, last) for value in content(rows)]


_WHOLE_ROWS = "`clean: {duplicates: drop}` drops rows that are equal in every column"


def ordered(texts: Sequence[str], rows: DataFrame, where: str, *, backwards: bool = False) -> list[Column]:
    """What to sort by, as `order_by` says it.

    Raises:
        ConfigError: an unknown column.
    """
    terms = [directed(text, rows.columns) for text in texts]
    require([name for name, _ in terms], rows.columns, f"{where}.order_by")
    return [sorted_by(column(name), descending != backwards) for name, descending in terms]


def directed(text: str, columns: Collection[str]) -> tuple[str, bool]:
    """`dep_time desc` as (column, whether descending); a column may itself be called so."""
    name, _, direction = text.rpartition(" ")
    if text in columns or direction.lower() not in {"asc", "desc"}:
        return text, False
    return name.strip(), direction.lower() == "desc"


def sorted_by(value: Column, descending: bool) -> Column:
    """A value to sort by; in both directions null counts as the smallest."""
    return value.desc_nulls_last() if descending else value.asc_nulls_first()
