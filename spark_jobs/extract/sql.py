"""Source `sql`: a query over the sources above it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from spark_jobs.audit import refuse_taken
from spark_jobs.columns import column, require
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.spans import Span
from spark_jobs.flow import Context, Flow
from spark_jobs.kinds import PYDANTIC
from spark_jobs.observe import Counter
from spark_jobs.outline import INSTANTS, Misfit, Outline, Scope, family
from spark_jobs.queries import answer, named_in
from spark_jobs.report import DatasetCounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pyspark.sql import DataFrame


@dataclass(frozen=True, kw_only=True)
class Sql:
    """One SELECT over the sources above it, each a table of its own name; several datasets can start from it.

    It needs no window: the sources that it reads have theirs. `window: {column: …}` takes, of what the query answers,
    the window's rows, and with `lookback` those before it too.
    """

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = """\
type: sql
query: SELECT o.*, c.name FROM placed o LEFT JOIN customers c ON o.customer = c.id
"""
    type: ClassVar[str] = "sql"
    reads_datasets: ClassVar[bool] = True
    looks_back: ClassVar[bool] = True

    query: str = field(metadata={"query": True, "substitute": "sql"})
    """Spark SQL, one SELECT over sources that stand above this one, such as `SELECT * FROM orders WHERE amount > 0`."""
    window: Literal["all"] | WindowColumn | None = None
    """Which of its rows belong to a window: those whose column lies in it; default: all that the query answers."""

    audit_columns: bool = False
    """Whether rows get `_source` (this source's name) and `_extracted_at` (when they were read, one instant a run)."""

    def outline(self, scope: Scope) -> Outline:
        """What the query selects."""
        return scope.query(self.query, None)

    def misfits(self, rows: Outline, _scope: Scope) -> Iterator[Misfit]:
        """A window's column that can't say which rows belong to it."""
        name = self.window.column if isinstance(self.window, WindowColumn) else None
        kind = rows.columns.get(name) if name is not None else None
        if family(kind) not in {None, *INSTANTS}:
            hint = "cast it to timestamp or date in the query"
            yield Misfit(option="window.column", message=f"the window's column {name!r} is {kind}", hint=hint)

    def read(self, context: Context) -> Flow:
        """The rows that the query answers, lazily.

        Raises:
            ConfigError: Spark refuses the query, it runs code that isn't Spark's, or the window's column isn't there.
        """
        from pyspark.sql import functions as F  # noqa: N812 - the name that every Spark user knows

        found = answer(self.query, named_in(self.query, context.datasets), context)
        if self.audit_columns:
            refuse_taken(found.columns, context.where)
        counter = Counter(self._within(found, context), read=F.count(F.lit(1)))

        def counts() -> DatasetCounts:
            read = counter.values()["read"]
            return DatasetCounts(read=read, rows=read)

        return Flow(rows=counter.rows, counts=counts, refused=lambda: None)

    def _within(self, rows: DataFrame, context: Context) -> DataFrame:
        if not isinstance(self.window, WindowColumn):
            return rows
        name, window = self.window.column, context.plan.reading
        require([name], rows.columns, f"{context.where}.window.column")
        span = Span(column=name, window=window, zone=window.timezone, where=context.where)
        return rows.where(span.inside(column(name), rows.schema[name].dataType))
