"""Adopt: a table of a database that somebody else made becomes this pipeline's; only the ledger is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from spark_jobs.errors import ConfigError
from spark_jobs.load.by_key import Keyed
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.books import Entry
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.tables.census import UNITS, Census, of_moments, of_spans, refused_by_key, unit_of
from spark_jobs.tables.databases.held import CARRIED, Held
from spark_jobs.window import Window

_MICROSECOND = UNITS["MICROSECOND"]


@dataclass(frozen=True, kw_only=True)
class DatabaseAdoption:
    """One load whose table is adopted."""

    held: Held

    @property
    def name(self) -> str:
        """The load's."""
        return self.held.name

    def look(self, windows: list[Window]) -> dict[str, Any]:
        """What the table holds of each window; refused where the pipeline couldn't load it."""
        held, books = self.held, self.held.books
        if isinstance(held.destination.write, Keyed):
            raise refused_by_key(held.destination.write, f"load.{self.name}")
        with held.session() as cursor:
            columns = held.columns(cursor)
            there = books.there(cursor)
            if there:
                held.publishing.refuse_others(cursor, books.claims(cursor))
            counted = self._counted(cursor, columns, sorted(windows))
            known = books.entries(cursor) if there else {}
        states = {window: self._state(window, rows, known) for window, rows in counted.windows.items()}
        return {
            "table": held.destination.place,
            "strategy": held.destination.write.strategy,
            "rows": counted.rows,
            "outside": counted.outside,
            "windows": [
                window.to_json() | {"key": window.key, "rows": rows, "state": states[window]}
                for window, rows in counted.windows.items()
            ],
            "version": None,
        }

    def begin(self, told: dict[str, Any]) -> None:
        """Let windows count as loaded, with today's configuration; what a run has loaded since the look stays its own.

        Args:
            told: what `look` found; the windows' states become those of the ledger.
        """
        windows = {Window.from_json(item): item for item in told["windows"] if item["state"] == "adopted"}
        if not windows:
            return
        books = self.held.books
        with self.held.session() as cursor:
            books.ensure(cursor)
            cursor.connection.commit()
            self.held.publishing.own(cursor)
            books.lock(cursor)
            loaded = books.entries(cursor)
            for window, item in windows.items():
                item["state"] = self._state(window, item["rows"], loaded)
                if item["state"] == "adopted":
                    books.record(cursor, self._entry(window, item["rows"]))
            cursor.connection.commit()

    def _state(self, window: Window, rows: int, loaded: Mapping[str, Entry]) -> str:
        if self.held.unit(window).key in loaded:
            return "loaded"
        return "adopted" if rows else "empty"

    def _entry(self, window: Window, rows: int) -> Entry:
        plan = replace(self.held.plan, window=window)
        scope = {"scope": dict(self.held.destination.scope)} if self.held.destination.scope else {}
        return Entry.of(plan, self.held.unit(window), {"adopted": True, **scope}, staged=rows)

    def _counted(self, cursor: Cursor, columns: Mapping[str, Column], windows: Sequence[Window]) -> Census:
        held, write = self.held, self.held.destination.write
        mine = held.mine(columns)
        if isinstance(write, ReplaceWindow):
            name, column = held.column(write.column, columns)
            by_day = column.kind == "date"
            if not by_day and held.database.spark_kind(column) not in {"timestamp", "timestamp_ntz"}:
                raise ConfigError(
                    f"column {write.column!r} is {column.kind}",
                    where=held.destination.place,
                    expected="a date, or a timestamp, which says to which window a row belongs",
                )
            step = UNITS[unit_of(windows)] // _MICROSECOND
            bucket = held.database.buckets(name, column, step)
            query = f"SELECT {bucket}, count(*) FROM {held.place}{mine.where} GROUP BY 1"  # noqa: S608 - quoted
            cursor.execute(query, mine.values)
            return of_moments(
                [(_moment(at, step, by_day=by_day), int(count)) for at, count in cursor.fetchall()], windows
            )
        if isinstance(write, Append):
            ends = ", ".join(held.column(name, columns)[0] for name in CARRIED[1:])
            query = f"SELECT {ends}, count(*) FROM {held.place}{mine.where} GROUP BY {ends}"  # noqa: S608 - quoted
            cursor.execute(query, mine.values)
            return of_spans(
                [(_aware(start), _aware(end), int(count)) for start, end, count in cursor.fetchall()], windows
            )
        rows = held.count(cursor, mine)
        return Census(rows=rows, windows=dict.fromkeys(windows[-1:], rows), outside=0)


def _moment(bucket: Any, step: int, *, by_day: bool) -> Any:
    """A day, or microseconds since 1970."""
    if bucket is None:
        return None
    return datetime.fromtimestamp(int(bucket) * 86_400, UTC).date() if by_day else int(bucket) * step


def _aware(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
