"""`replace_window`, `append` and `snapshot` in a database: rows go, rows come, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.load.databases.base import Cursor, Database
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.shape import Shape
from spark_jobs.load.databases.transacting import Changed, Source
from spark_jobs.load.strategies import Append, ReplaceWindow, Strategy
from spark_jobs.window import Window, iso


@dataclass(frozen=True, kw_only=True)
class Replacing:
    """One load of one window.

    Args:
        database: where the table is.
        table: its name.
        write: the strategy.
        shape: rows' column -> the table's.
        pipeline: the pipeline's id.
        window: what is loaded.
        span: what is replaced: the window, or with lookback the reach.
        dates: whether the window's column is a date.
        scope: column -> value: the rows that are this load's.
    """

    database: Database
    table: TableName
    write: Strategy
    shape: Shape
    pipeline: str
    window: Window
    span: Window
    dates: bool = False
    scope: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, cursor: Cursor, source: Source) -> Changed:
        """Replace what the window, or the scope, has in the table by what came.

        Raises:
            DataError: the window cuts through an earlier one (append).
            InfrastructureError: another number of rows came in than there are.
        """
        self._refuse_overlap(cursor)
        conditions, values = self._replaced()
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        cursor.execute(f"DELETE FROM {self.database.table(self.table)}{where}", values)  # noqa: S608 - quoted, bound
        deleted = max(cursor.rowcount, 0)
        inserted = source.insert(cursor, self.table, list(self.shape.columns.values()))
        if inserted != source.rows:
            raise InfrastructureError(
                f"{inserted} rows came in, {source.rows} were staged",
                where=str(self.table),
                expected="equal counts",
                remedy="nothing was published; a trigger or rule of the table that keeps rows away must go",
            )
        return Changed(inserted=inserted, deleted=deleted)

    def _replaced(self) -> tuple[list[str], tuple[Any, ...]]:
        """The rows that go: conditions and the values that are bound in them."""
        conditions, values = self._scoped()
        if isinstance(self.write, ReplaceWindow):
            column = self._quoted(self.write.column)
            conditions += [f"{column} >= %s", f"{column} < %s"]
            values += self.span.dates if self.dates else self._ends(self.span)
        if isinstance(self.write, Append):
            start, end = self._ends(self.window)
            conditions += [f"{self._quoted('_pipeline')} = %s", *self._covered()]
            values += [self.pipeline, start, end]
        return conditions, tuple(values)

    def _refuse_overlap(self, cursor: Cursor) -> None:
        if not isinstance(self.write, Append):
            return
        begin, finish = self._quoted("_window_start"), self._quoted("_window_end")
        start, end = self._ends(self.window)
        conditions, values = self._scoped()
        touched = [f"{self._quoted('_pipeline')} = %s", f"{begin} < %s", f"{finish} > %s"]
        query = " AND ".join([*conditions, *touched, f"NOT ({' AND '.join(self._covered())})"])
        place = self.database.table(self.table)
        bound = (*values, self.pipeline, end, start, start, end)
        cursor.execute(f"SELECT DISTINCT {begin}, {finish} FROM {place} WHERE {query}", bound)  # noqa: S608
        found = cursor.fetchone()
        if found is not None:
            cut = "/".join(iso(moment if moment.tzinfo else moment.replace(tzinfo=start.tzinfo)) for moment in found)
            raise DataError(
                f"window {self.window} cuts through {cut}",
                where=str(self.table),
                expected="the windows loaded before, or one that covers them",
                remedy="run a window that covers both",
            )

    def _covered(self) -> list[str]:
        return [f"{self._quoted('_window_start')} >= %s", f"{self._quoted('_window_end')} <= %s"]

    def _scoped(self) -> tuple[list[str], list[Any]]:
        return [f"{self._quoted(name)} = %s" for name in self.scope], list(self.scope.values())

    def _ends(self, window: Window) -> tuple[Any, Any]:
        return self.database.moment(window.start), self.database.moment(window.end)

    def _quoted(self, name: str) -> str:
        return self.database.quote(self.shape.spelled([name])[0])
