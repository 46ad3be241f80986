"""`rank`: what a row is among others: its place, running sums, the row before it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed, refuse_code
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions
from spark_jobs.transform.dedupe import ordered, sorted_by
from spark_jobs.transform.order import content

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, WindowSpec

# Rows that tie in `order_by` get one place from these; from all others each row gets its own.
_TIES: Final = re.compile(r"\s*(rank|dense_rank|percent_rank|cume_dist)\s*\(", re.IGNORECASE)
_MOST: Final = sys.maxsize  # Window.unboundedFollowing; its negative is taken for unboundedPreceding
_FRAMELESS: Final = re.compile(
    r"\s*(rank|dense_rank|percent_rank|cume_dist|row_number|ntile|lag|lead)\s*\(", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True)
class Rank:
    """Add columns computed over the rows around each row; rows that tie go on with all their columns, by name."""

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = (
        "rank: {by: [customer], order_by: [ordered_at desc], values: {place: row_number(), before: lag(amount)}}"
    )
    effect: ClassVar[str] = "rows"

    by: tuple[str, ...] = field(default=(), metadata={"column": True})
    """Columns that part the rows; none: all rows together, in one task of Spark."""
    order_by: tuple[str, ...] = field(metadata={"column": True, "directed": True})
    """Columns that order the rows of a part, each with `asc` (default) or `desc` after it."""
    values: dict[str, str] = field(metadata={"expression": True})
    """Name of a new column -> a function over the rows around: `row_number()`, `rank()`, `dense_rank()`, `ntile(4)`,
    `lag(amount)`, `first(amount)`, or an aggregate."""
    frame: tuple[int | None, ...] | None = None
    """Which rows an aggregate sees, counted from the row, itself 0: `[-6, 0]` are the last seven; null is the part's
    end. Default: from the part's begin to the row."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        found = {} if self.values else {"values": "no value is computed"}
        found |= (
            {} if self.order_by else {"order_by": "there is no order; over rows without one, use aggregate and join"}
        )
        if self.frame is not None and len(self.frame) != 2:
            found["frame"] = "it is [first, last]"
        elif self._first > self._last:
            found["frame"] = f"{self._first} lies behind {self._last}"
        return found

    @property
    def _first(self) -> int:
        """Of the frame; Spark takes the largest numbers for a part's ends."""
        first = (self.frame or (None, 0))[0]
        return -_MOST if first is None else first

    @property
    def _last(self) -> int:
        last = (self.frame or (None, 0))[-1]
        return _MOST if last is None else last

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns with the new ones behind them."""
        return rows.plus(dict.fromkeys(self.values))

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """Names that collide."""
        return collisions("values", [*rows.columns, *self.values])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows with the new columns behind the others.

        Raises:
            ConfigError: an unknown column, an expression that is no function over rows, names that collide.
        """
        require(self.by, rows.columns, f"{context.where}.by")
        asked = ordered(self.order_by, rows, context.where)
        if not (asked and self.values):
            raise ConfigError("no order or no value", where=context.where, expected="`order_by` and `values`")
        refuse_collisions([*rows.columns, *self.values], context.where)
        found = [self._value(name, rows, asked, context.where) for name in self.values]
        return rows.select("*", *found)

    def _value(self, name: str, rows: DataFrame, asked: list[Column], where: str) -> Column:
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        text, place = self.values[name], f"{where}.values.{name}"
        refuse_code(text, place)
        made: list[Column] = []

        def build() -> DataFrame:
            made[:] = [F.expr(text).over(self._around(text, rows, asked)).alias(name)]
            return rows.select("*", *made)

        analysed(build, rows.columns, place, text)
        return made[0]

    def _around(self, text: str, rows: DataFrame, asked: list[Column]) -> WindowSpec:
        from pyspark.sql import Window

        ties = _TIES.match(text) is not None
        part = Window.partitionBy(*[column(name) for name in self.by])
        around = part.orderBy(*asked, *([] if ties else [sorted_by(value, False) for value in content(rows)]))
        if _FRAMELESS.match(text):
            return around
        return around.rowsBetween(self._first, self._last)
