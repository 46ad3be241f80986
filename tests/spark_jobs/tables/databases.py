"""A load's part of a table in a real database, for tests of what is done to it between two loads.

No Spark runs: rows are told to the very transactions that loads publish by, which is where tables and ledger change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from spark_jobs.connections import Connections
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.table import Table
from spark_jobs.flow import Context
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.shape import Wanted
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.plan import Dataset, Plan
from spark_jobs.tables.databases.held import Held
from spark_jobs.tables.databases.refresh import DatabaseRebuild
from spark_jobs.window import Window
from tests.spark_jobs.plans import attempt, day, plan

SOURCE = Table(format="delta", path="unused", window=WindowColumn(column="at"))


@dataclass(frozen=True)
class Told:
    """Rows that a transaction publishes."""

    database: Any
    values: Sequence[tuple[Any, ...]]

    @property
    def rows(self) -> int:
        return len(self.values)

    def settle(self, cursor: Cursor) -> None:
        """They are here."""

    def insert(self, cursor: Cursor, table: TableName, columns: Sequence[Column]) -> int:
        names = ", ".join(self.database.quote(column.name) for column in columns)
        marks = ", ".join(["%s"] * len(columns))
        for row in self.values:
            cursor.execute(f"INSERT INTO {self.database.table(table)} ({names}) VALUES ({marks})", row)  # noqa: S608
        return len(self.values)


def forget(server: Any) -> None:
    """Drop `facts` and what stands for it beside it: other tests of the same server have left theirs."""
    gone = [name for (name,) in server.rows("SELECT table_name FROM information_schema.tables") if _ours(name)]
    server.run(*[f"DROP TABLE IF EXISTS {name}" for name in ("facts", *gone)])


class Part:
    """One load of the table `facts`, whose rows say when their source was read: `id` is that second, `at` their day.

    Args:
        server: a running server of tests/servers.
        folder: for plans.
        write: the strategy.
        back: days of lookback; None for none.
        scope: of the destination.
    """

    def __init__(self, server: Any, folder: Path, write: Any, back: int | None = None, **scope: str) -> None:
        self.server, self.folder, self.back = server, folder, back
        self.destination = Jdbc(connection="db", table="facts", write=write, scope=scope)
        forget(server)

    def plan(self, window: Window, second: float, destination: Jdbc | None = None) -> Plan:
        """Of a run that reads its sources at a second."""
        back = timedelta(days=self.back or 0)
        reach = None if self.back is None else replace(window, start=max(window.start - back, day(1).start))
        load = {"mart": ("result", destination or self.destination)}
        datasets = {"result": Dataset(source="rows")}
        who = attempt(second)
        who = replace(who, since=who.number)
        return plan(self.folder, window, who, reach=reach, extract={"rows": SOURCE}, transform=datasets, load=load)

    def held(self, second: float = 0, spark: Any = None) -> Held:
        """The load, as orders see it."""
        connections = Connections(self.server.connection("db"))
        made = self.plan(day(1), second)
        return Held(spark=spark, plan=made, name="mart", destination=self.destination, connections=connections)

    def load(self, window: Window, second: int, destination: Jdbc | None = None) -> None:
        """Publish a row for each day of what the window replaces."""
        from pyspark.sql.types import StructType

        into, made = destination or self.destination, self.plan(window, second, destination)
        context = Context(
            spark=None,  # type: ignore[arg-type] # nothing here needs one
            plan=made,
            where="load.mart",
            dataset="result",
            connections=Connections(self.server.connection("db")),
        )
        carried = {"_pipeline": made.id, "_window_start": window.start, "_window_end": window.end}
        kinds, added = {"id": "integer", "at": "timestamp"}, tuple[Any, ...]()
        if into.write.rows_carry_pipeline:
            kinds |= {"_pipeline": "string", "_window_start": "timestamp", "_window_end": "timestamp"}
            added = tuple(carried.values())
        schema = StructType()
        for name, kind in kinds.items():
            schema.add(name, kind)
        publishing = into.publishing("mart", context)
        wanted = Wanted(table=publishing.books.table, schema=schema, by=into._by, where="load.mart")
        [shape] = publishing.begin((wanted,))
        rows = [(second, moment, *added) for moment in _days(publishing.span)]
        work = into._replacing(publishing, shape, schema)
        outcome = publishing._transaction([(wanted, shape)], work).run(Told(publishing.books.database, rows))
        assert outcome.entry is not None, "it was superseded"

    def refresh(self, *windows: Window, second: int, whole: bool = False) -> DatabaseRebuild:
        """A refresh of windows."""
        return DatabaseRebuild(held=self.held(), plans=[self.plan(item, second) for item in windows], whole=whole)

    def build(self, rebuild: DatabaseRebuild, second: int) -> int:
        """Load what a refresh lacks into its shadow; how many windows that were."""
        lacking = [item.window for item in rebuild.plans if rebuild.lacks(item.window)]
        for window in lacking:
            self.load(window, second, rebuild.shadow)
        return len(lacking)

    def rows(self) -> list[tuple[int, int]]:
        """Day and second of each row."""
        found = self.server.rows("SELECT at, id FROM facts ORDER BY at, id")
        return [(moment.day, second) for moment, second in found]

    def units(self) -> list[str]:
        """The windows in the table's ledger."""
        found = self.server.rows("SELECT unit FROM _etl_loads WHERE table_name = 'facts' AND unit <> '' ORDER BY unit")
        return [unit.split(":", 3)[3] for (unit,) in found]

    def beside(self) -> list[str]:
        """Tables of refreshes that are there."""
        found = self.server.rows("SELECT table_name FROM information_schema.tables")
        return [name for (name,) in found if name.startswith("etl_refresh_")]


def _ours(name: str) -> bool:
    return name.startswith(("_etl_", "etl_refresh_"))


def _days(window: Window) -> list[datetime]:
    return [window.start + timedelta(days=number, hours=6) for number in range((window.end - window.start).days)]
