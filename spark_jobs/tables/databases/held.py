"""A load's part of a table of a database: which rows are its own, and which of them are of a window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from spark_jobs.connections import Connections
from spark_jobs.errors import ConfigError
from spark_jobs.flow import Context
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.databases.base import Column, Cursor, Database
from spark_jobs.load.databases.books import Books
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.plain_unkept import unkept
from spark_jobs.load.databases.publishing import Publishing
from spark_jobs.load.databases.transacting import telling
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.load.table import load_unit
from spark_jobs.plan import Plan
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

CARRIED = ("_pipeline", "_window_start", "_window_end")


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Rows that are meant.

    Args:
        parts: conditions that all hold; none where all rows are meant.
        values: what is bound in them.
    """

    parts: tuple[str, ...] = ()
    values: tuple[Any, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        """The rows that both mean."""
        return Condition(parts=self.parts + other.parts, values=self.values + other.values)

    @property
    def where(self) -> str:
        """As the end of a statement."""
        return f" WHERE {' AND '.join(self.parts)}" if self.parts else ""

    @classmethod
    def some(cls, each: Iterable[Condition]) -> Condition:
        """The rows that one of several means."""
        found = list(each)
        one = " OR ".join(f"({' AND '.join(item.parts)})" for item in found)
        return cls(parts=(f"({one})",), values=tuple(value for item in found for value in item.values))


@dataclass(frozen=True, kw_only=True)
class Held:
    """One load, and its table.

    Args:
        spark: the session.
        plan: of any window.
        name: the load's.
        destination: as the file has it.
        connections: those that the plan's kinds name.
    """

    spark: SparkSession
    plan: Plan
    name: str
    destination: Jdbc
    connections: Connections = field(repr=False)

    @property
    def publishing(self) -> Publishing:
        """What publishes into the table."""
        context = Context(
            spark=self.spark,
            plan=self.plan,
            where=f"load.{self.name}",
            dataset=self.plan.load[self.name][0],
            connections=self.connections,
        )
        return self.destination.publishing(self.name, context)

    @property
    def books(self) -> Books:
        """The table's ledger."""
        return self.publishing.books

    @property
    def database(self) -> Database:
        """Where the table is.

        Raises:
            ConfigError: it is a database of which only the driver is known.
        """
        found = self.books.database
        if not found.merges:
            raise unkept(found.connection)
        return found

    @property
    def table(self) -> TableName:
        """The table's name."""
        return self.books.table

    @property
    def place(self) -> str:
        """The table as an identifier."""
        return self.database.table(self.table)

    def session(self) -> AbstractContextManager[Cursor]:
        """A cursor of a connection of its own; what wasn't committed is undone at the end of the block."""
        return telling(self.database, str(self.table))

    def unit(self, window: Window) -> LoadUnit:
        """What a window's load is in the ledger."""
        return load_unit(self.destination.write, self.plan.id, self.name, window)

    def columns(self, cursor: Cursor) -> Mapping[str, Column]:
        """The table's columns, those among them by which a window's rows are known.

        Raises:
            ConfigError: there is no table, or it lacks them.
        """
        found = self.database.columns(cursor, self.table)
        if found is None:
            raise ConfigError(
                "there is no such table",
                where=self.destination.place,
                expected="one that holds rows already",
                remedy="the first run of the pipeline makes it",
            )
        write = self.destination.write
        wanted = [write.column] if isinstance(write, ReplaceWindow) else []
        wanted += CARRIED if isinstance(write, Append) else ()
        for name in (*wanted, *self.destination.scope):
            if spelled(name, found) is None:
                raise ConfigError(
                    f"the table has no column {name!r}",
                    where=self.destination.place,
                    expected="the columns that tell which rows are the load's, and of which window",
                )
        return found

    def column(self, name: str, columns: Mapping[str, Column]) -> tuple[str, Column]:
        """A column as an identifier, and what it is; letter case of the name makes no difference."""
        found = columns[spelled(name, columns) or name]
        return self.database.quote(found.name), found

    def mine(self, columns: Mapping[str, Column]) -> Condition:
        """The rows that are this load's."""
        parts = [f"{self.column(name, columns)[0]} = %s" for name in self.destination.scope]
        values = list(self.destination.scope.values())
        if isinstance(self.destination.write, Append):
            parts.append(f"{self.column('_pipeline', columns)[0]} = %s")
            values.append(self.plan.id)
        return Condition(parts=tuple(parts), values=tuple(values))

    def buried(self, columns: Mapping[str, Column]) -> Condition:
        """The tombstones that are this load's; those from before it had a scope are nobody's, and go with them."""
        known = [(name, value) for name, value in self.destination.scope.items() if spelled(name, columns) is not None]
        named = [self.column(name, columns)[0] for name, _ in known]
        parts = tuple(f"({name} = %s OR {name} IS NULL)" for name in named)
        return Condition(parts=parts, values=tuple(value for _, value in known))

    def within(self, span: Window, columns: Mapping[str, Column]) -> Condition:
        """The rows of a span of time; all of a snapshot."""
        write = self.destination.write
        if isinstance(write, ReplaceWindow):
            name, column = self.column(write.column, columns)
            ends = span.dates if column.kind == "date" else self._ends(span)
            return Condition(parts=(f"{name} >= %s", f"{name} < %s"), values=tuple(ends))
        if isinstance(write, Append):
            start, end = (self.column(name, columns)[0] for name in CARRIED[1:])
            return Condition(parts=(f"{start} >= %s", f"{end} <= %s"), values=self._ends(span))
        return Condition()

    def touching(self, span: Window, columns: Mapping[str, Column]) -> Condition:
        """The rows of windows that overlap a span without lying in it (append)."""
        start, end = (self.column(name, columns)[0] for name in CARRIED[1:])
        first, last = self._ends(span)
        parts = (f"{start} < %s", f"{end} > %s", f"NOT ({start} >= %s AND {end} <= %s)")
        return Condition(parts=parts, values=(last, first, first, last))

    def count(self, cursor: Cursor, condition: Condition) -> int:
        """How many rows are meant."""
        cursor.execute(f"SELECT count(*) FROM {self.place}{condition.where}", condition.values)  # noqa: S608 - quoted
        return int(cursor.fetchone()[0])

    def _ends(self, span: Window) -> tuple[Any, Any]:
        return self.database.moment(span.start), self.database.moment(span.end)


def spelled(name: str, columns: Mapping[str, Column]) -> str | None:
    """A column's name as the table spells it; None where there is none, or where two could be meant."""
    alike = [known for known in columns if known.lower() == name.lower()]
    if name in columns:
        return name
    return alike[0] if len(alike) == 1 else None
