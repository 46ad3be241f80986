"""`rank`: what a row is among others: its place, running sums, the row before it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from spark_jobs.columns import column, refuse_collisions, require
from spark_jobs.errors import ConfigError
from spark_jobs.expressions import analysed, refuse_code
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import Misfit, Outline, Scope, collisions
from spark_jobs.transform.dedupe import directed, ordered, sorted_by
from spark_jobs.transform.order import content

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, WindowSpec

# Rows that tie in `order_by` get one place from these; from all others each row gets its own.
_TIES: Final = re.compile(r"\s*(rank|dense_rank|percent_rank|cume_dist)\s*\(", re.IGNORECASE)
_MOST: Final = sys.maxsize  # Window.unboundedFollowing; its negative is taken for unboundedPreceding
_FRAMELESS: Final = re.compile(
    r"\s*(rank|dense_rank|percent_rank|cume_dist|row_number|ntile|lag|lead)\s*\(", re.IGNORECASE
)
_BY_ORDER: Final = re.compile(
    r"\s*(first|last|first_value|last_value|nth_value|any_value|mode|collect_list|array_agg|listagg|string_agg)\s*\(",
    re.IGNORECASE,
)
_MOMENTS: Final = ("timestamp", "timestamp_ntz", "date")


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
    within: timedelta | None = field(default=None, metadata={"ge": timedelta(seconds=1)})
    """In place of `frame`: an aggregate sees the rows of this time, up to the row's own moment and with all of that
    moment: `7d` with `order_by: [ordered_at]`, a timestamp or a date. Rows without a moment see each other."""

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
        return found | dict(self._not_within())

    def _not_within(self) -> Iterator[tuple[str, str]]:
        if self.within is None:
            return
        if self.frame is not None:
            yield "within", "frame says already which rows count"
        if len(self.order_by) != 1:
            yield "order_by", "within counts back from one timestamp or date"
        if decided := [name for name, text in self.values.items() if _BY_ORDER.match(text)]:
            yield "values", f"{decided[0]!r}: rows of one moment have no order; take min_by, max_by or an aggregate"

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
        """Names that collide; a moment that is none."""
        yield from collisions("values", [*rows.columns, *self.values])
        kind = rows.columns.get(directed(self.order_by[0], rows.columns)[0]) if self.within and self.order_by else None
        if kind is not None and kind not in _MOMENTS:
            yield Misfit(
                option="order_by", message=f"within counts in time, and {self.order_by[0]!r} is {kind}", hint="cast it"
            )

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
            made[:] = [F.expr(text).over(self._around(text, rows, asked, where)).alias(name)]
            return rows.select("*", *made)

        analysed(build, rows.columns, place, text)
        return made[0]

    def _ticks(self, rows: DataFrame, within: timedelta, where: str) -> tuple[Column, int]:
        """The moment as a whole number, and how far back the frame begins.

        Raises:
            ConfigError: it is neither a timestamp nor a date, or a date, and the time is no number of days.
        """
        from pyspark.sql import functions as F  # noqa: N812

        name = directed(self.order_by[0], rows.columns)[0]
        kind = rows.schema[name].dataType.simpleString()
        days, rest = divmod(within, timedelta(days=1))
        if kind == "date" and not rest:
            return F.unix_date(column(name)), days
        if kind not in _MOMENTS or kind == "date":
            expected = "a number of days, of a date" if kind == "date" else "a timestamp or a date"
            raise ConfigError(f"within counts back from {name!r}, which is {kind}", where=where, expected=expected)
        return F.unix_micros(column(name).cast("timestamp")), within // timedelta(microseconds=1)

    def _around(self, text: str, rows: DataFrame, asked: list[Column], where: str) -> WindowSpec:
        from pyspark.sql import Window

        ties = _TIES.match(text) is not None
        part = Window.partitionBy(*[column(name) for name in self.by])
        if self.within is not None and not _FRAMELESS.match(text):
            ticks, span = self._ticks(rows, self.within, where)
            return part.orderBy(ticks).rangeBetween(-span, 0)
        around = part.orderBy(*asked, *([] if ties else [sorted_by(value, False) for value in content(rows)]))
        if _FRAMELESS.match(text):
            return around
        return around.rowsBetween(self._first, self._last)
