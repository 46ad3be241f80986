"""`sessionize`: rows that follow one another closely are one session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from spark_jobs.columns import column, refuse_collisions, require, spare
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.kinds import PYDANTIC
from spark_jobs.outline import INSTANTS, Misfit, Outline, Scope, collisions, family

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Sessionize:
    """Give each row the begin of its session: the rows of a visitor between which there is no longer gap.

    A session is made of the rows that a window reads: one that begins before the window is cut at its start, unless
    `lookback` gives those rows as context, to a load that isn't by `replace_window` on the source's own column.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = PYDANTIC
    example: ClassVar[str] = "sessionize: {by: [customer], at: ordered_at, gap: 30m, as: session_start}"
    effect: ClassVar[str] = "rows"

    by: tuple[str, ...] = field(metadata={"column": True})
    """Columns that name the visitor; null is one of its own."""
    at: str = field(metadata={"column": True})
    """When a row happened: a timestamp. A row without one is in no session."""
    gap: timedelta = field(metadata={"ge": timedelta(seconds=1)})
    """The longest time between two rows of a session."""
    name: str = field(default="session_start", metadata={"alias": "as", "min_length": 1})
    """The new column: when the session's first row happened. With `by` it names the session."""

    def conflicts(self) -> dict[str, str]:
        """Options that can't be: option -> why."""
        return {} if self.by else {"by": "there is no column that names the visitor"}

    def outline(self, rows: Outline, _scope: Scope) -> Outline:
        """The columns with the new one behind them."""
        return rows.plus({self.name: rows.columns.get(self.at)})

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A column that is no instant, a name that collides."""
        kind = rows.columns.get(self.at)
        if family(kind) not in {None, *(INSTANTS - {"date"})}:
            yield Misfit(option="at", message=f"column {self.at!r} is {kind}, no timestamp", hint="cast it first")
        yield from collisions("as", [*rows.columns, self.name])

    def apply(self, rows: DataFrame, context: Context) -> DataFrame:
        """The rows with the begin of their session.

        Raises:
            ConfigError: an unknown column, one that is no timestamp, a name that collides.
        """
        from pyspark.sql import Window
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        require([*self.by, self.at], rows.columns, context.where)
        refuse_collisions([*rows.columns, self.name], context.where)
        kind = rows.schema[self.at].dataType.simpleString()
        if not kind.startswith("timestamp"):
            raise ConfigError(f"column {self.at!r} is {kind}", where=f"{context.where}.at", expected="a timestamp")
        # Equal times are one place in the order: which of them comes first makes no difference.
        ordered = Window.partitionBy(*[column(name) for name in self.by]).orderBy(column(self.at))
        before, begin = F.lag(column(self.at)).over(ordered), spare(rows.columns, "begin")
        gap = F.make_dt_interval(secs=F.lit(self.gap.total_seconds()))
        first = before.isNull() | (column(self.at) > before + gap)
        marked = rows.withColumn(begin, F.when(first, column(self.at)))
        found = F.max(column(begin)).over(ordered.rangeBetween(Window.unboundedPreceding, Window.currentRow))
        named = F.when(column(self.at).isNotNull(), found).alias(self.name)
        return marked.select(*[column(name) for name in rows.columns], named)
