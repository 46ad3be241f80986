"""Refresh of a table of a database: windows are loaded anew beside it, and it takes their rows in one transaction.

The rows go over, not the table: its grants, views, keys and triggers stay, part of a table can be refreshed as well as
all of it, and the ledger changes in the same transaction, on MariaDB too, where RENAME TABLE would end it. Readers see
the old rows or the new ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.books import Books, Entry
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.reaching import overtaken
from spark_jobs.load.strategies import Append
from spark_jobs.lookback import reach_of
from spark_jobs.plan import Plan
from spark_jobs.tables.databases.held import Condition, Held
from spark_jobs.tables.spans import covered, merged, window_of_unit
from spark_jobs.tables.swap import Behind
from spark_jobs.window import Window

_SHADOW = "etl_refresh_"


@dataclass(frozen=True, kw_only=True)
class DatabaseRebuild:
    """One load that is rebuilt.

    Args:
        held: the load, and its table.
        plans: one for each window.
        whole: whether they are all that the load's part of the table shall hold.
    """

    held: Held
    plans: Sequence[Plan]
    whole: bool

    @property
    def name(self) -> str:
        """The load's."""
        return self.held.name

    @property
    def shadow_name(self) -> TableName:
        """The table beside the live one."""
        return shadow_of(self.held)

    @property
    def shadow(self) -> Jdbc:
        """The destination beside the live one."""
        table = self.shadow_name
        return replace(self.held.destination, table=f"{table.schema}.{table.name}" if table.schema else table.name)

    @property
    def _books(self) -> Books:
        return Books(database=self.held.database, table=shadow_of(self.held))

    def begin(self) -> None:
        """Make the shadow anew: what an earlier refresh has left may be of other windows.

        Raises:
            Behind: the table holds windows that no plan is for.
            ConfigError: there is no table, or its strategy can't be refreshed; or rows of the table belong to none of
                the windows, so that they would be lost.
            DataError: a window of the table reaches over the edge of those that are rebuilt (append).
        """
        write = self.held.destination.write
        if isinstance(write, Keyed):
            raise ConfigError(
                f"strategy {write.strategy}: its rows are of all windows together",
                where=self.held.destination.place,
                expected="a load by replace_window, append or snapshot",
                remedy="give the load another table, run its windows, and point its readers there",
            )
        with self.held.session() as cursor:
            columns = self.held.columns(cursor)
            self.held.books.ensure(cursor)
            self.held.publishing.refuse_others(cursor, self.held.books.claims(cursor))
            self._refuse_cut(cursor, columns)
            self._refuse_uncovered(self._own(self.held.books, cursor))
            self._refuse_lost(cursor, columns)
            self._drop(cursor)
            self.held.database.like(cursor, self._books.table, self.held.table)
            cursor.connection.commit()

    def drop(self) -> None:
        """Remove the shadow."""
        with self.held.session() as cursor:
            self._drop(cursor)
            cursor.connection.commit()

    def _drop(self, cursor: Cursor) -> None:
        cursor.execute(f"DROP TABLE IF EXISTS {self.held.database.table(self._books.table)}", ())
        self._books.forget(cursor)

    def numbers(self) -> dict[str, int]:
        """Key -> number of the units that the live table's ledger holds of this load."""
        with self.held.session() as cursor:
            return {key: entry.number for key, entry in self._own(self.held.books, cursor).items()}

    def lacks(self, window: Window) -> bool:
        """Whether the shadow lacks a window, or the live table has got it later."""
        with self.held.session() as cursor:
            built, live = self._own(self._books, cursor), self._own(self.held.books, cursor)
        entry = built.get(self.held.unit(window).key)
        return entry is None or self._later(window, entry.number, live)

    def swap(self) -> dict[str, Any]:
        """Take the shadow's rows in, in one transaction that is the ledger's too.

        Returns:
            `{"table", "rows", "before", "version"}`.

        Raises:
            Behind: windows were loaded into the live table meanwhile.
            ConfigError: rows of the table belong to none of the windows, so that they would be lost.
            DataError: one that was loaded meanwhile reaches over the edge of those that are rebuilt (append).
        """
        held = self.held
        with held.session() as cursor:
            self._add_columns(cursor)
            held.books.lock(cursor)
            columns = held.columns(cursor)
            self._refuse_cut(cursor, columns)
            built, live = self._own(self._books, cursor), self._own(held.books, cursor)
            self._refuse_behind(built, live)
            self._refuse_lost(cursor, columns)
            gone = held.mine(columns) if self.whole else held.mine(columns) & self._windows(columns)
            cursor.execute(f"DELETE FROM {held.place}{gone.where}", gone.values)  # noqa: S608 - quoted, bound
            rows = self._insert(cursor, columns)
            held.books.forget_units(cursor, self._replaced(live) - built.keys())
            for entry in built.values():
                held.books.record(cursor, entry)
            self._books.forget(cursor)
            cursor.connection.commit()
        return {"table": held.destination.place, "rows": rows, "before": None, "version": None}

    def _replaced(self, live: Mapping[str, Entry]) -> set[str]:
        """The live units whose rows go: those of windows that lie in the rebuilt ones, however they were cut."""
        spans = merged(plan.window for plan in self.plans)
        return {key for key, window in self._windows_of(live) if covered(window, spans)}

    def _insert(self, cursor: Cursor, columns: Mapping[str, Column]) -> int:
        held, shadow = self.held, self._books.table
        there = held.database.columns(cursor, shadow) or {}
        computed = held.database.computed(cursor, held.table)
        listed = ", ".join(held.database.quote(name) for name in columns if name in there and name not in computed)
        source = held.database.table(shadow)
        cursor.execute(f"INSERT INTO {held.place} ({listed}) SELECT {listed} FROM {source}", ())  # noqa: S608 - quoted
        return int(cursor.rowcount)

    def _add_columns(self, cursor: Cursor) -> None:
        """Columns that came new with the windows; as with every load, they stay where nothing is swapped."""
        held = self.held
        live, there = held.columns(cursor), held.database.columns(cursor, self._books.table) or {}
        for name in there:
            if name not in live:
                kind = f"{held.database.quote(name)} {there[name].kind} NULL"
                cursor.execute(f"ALTER TABLE {held.place} ADD COLUMN {kind}", ())
        cursor.connection.commit()

    def _refuse_behind(self, built: Mapping[str, Entry], live: Mapping[str, Entry]) -> None:
        self._refuse_uncovered(live)
        for plan in self.plans:
            entry = built.get(self.held.unit(plan.window).key)
            if entry is None or self._later(plan.window, entry.number, live):
                raise Behind

    def _refuse_uncovered(self, live: Mapping[str, Entry]) -> None:
        spans = merged(plan.window for plan in self.plans)
        uncovered = [window for _, window in self._windows_of(live) if not covered(window, spans)]
        if uncovered and self.whole:
            raise Behind(uncovered)

    def _later(self, window: Window, number: int, live: Mapping[str, Entry]) -> bool:
        """Whether the live table holds later rows for any part of a window."""
        numbers, key = {unit: entry.number for unit, entry in live.items()}, self.held.unit(window).key
        if numbers.get(key, 0) > number or self.held.destination.write.numbered_by_window:
            return numbers.get(key, 0) > number
        # With lookback, windows beside those that are rebuilt replace rows of theirs: what each has replaced counts.
        return overtaken(partial(_told, live), numbers, key, self._reach(window), number) is not None

    def _refuse_lost(self, cursor: Cursor, columns: Mapping[str, Column]) -> None:
        inside = self._windows(columns)
        if not (self.whole and inside.parts):
            return
        lost = self.held.count(
            cursor,
            self.held.mine(columns)
            & Condition(parts=(f"NOT coalesce({inside.parts[0]}, false)",), values=inside.values),
        )
        if lost:
            first, last = min(plan.window for plan in self.plans), max(plan.window for plan in self.plans)
            raise ConfigError(
                f"{lost} rows of the table belong to no window from {first.key} to {last.key}: they would be lost",
                where=self.held.destination.place,
                expected="windows that cover the whole table",
                remedy="say --from and --to, and only rows of those windows are replaced; or give an earlier start",
            )

    def _refuse_cut(self, cursor: Cursor, columns: Mapping[str, Column]) -> None:
        if self.whole or not isinstance(self.held.destination.write, Append):
            return
        for span in merged(plan.window for plan in self.plans):
            if self.held.count(cursor, self.held.mine(columns) & self.held.touching(span, columns)):
                raise DataError(
                    f"{span} cuts through windows of the table: rows would be there twice",
                    where=self.held.destination.place,
                    expected="the windows loaded before, or a span that covers them",
                    remedy="say an earlier --from or a later --to",
                )

    def _windows(self, columns: Mapping[str, Column]) -> Condition:
        """The rows of the windows that are rebuilt; all of a snapshot."""
        spans = merged(self._reach(plan.window) for plan in self.plans)
        each = [self.held.within(span, columns) for span in spans]
        return Condition.some(each) if each[0].parts else Condition()

    def _reach(self, window: Window) -> Window:
        plan = next(plan for plan in self.plans if plan.window == window)
        return reach_of(plan, plan.load[self.name][0], self.held.destination) or window

    def _windows_of(self, units: Iterable[str]) -> Iterator[tuple[str, Window]]:
        """Units with their windows; a snapshot has none."""
        zone = self.held.plan.window.timezone
        return ((key, window) for key in units if (window := window_of_unit(key, zone)) is not None)

    def _own(self, books: Books, cursor: Cursor) -> dict[str, Entry]:
        prefix = f"etl:{self.held.plan.id}:{self.name}:"
        return {key: entry for key, entry in books.entries(cursor).items() if key.startswith(prefix)}


def _told(entries: Mapping[str, Entry]) -> dict[str, dict[str, Any]]:
    return {unit: entry.to_json() for unit, entry in entries.items()}


def shadow_of(held: Held) -> TableName:
    """The table in which a load's is rebuilt: several pipelines may refresh their parts of one table at once."""
    said = f"{held.table} {held.plan.id} {held.name}"
    return held.table.beside(_SHADOW + hashlib.sha256(said.encode()).hexdigest()[:16])
