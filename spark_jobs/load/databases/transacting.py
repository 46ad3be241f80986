"""The transaction that publishes: it looks into the ledger, changes the table, and writes what was loaded.

It can be sent to an executor: a task that has the rows in hand publishes them without a staging table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from spark_jobs.load.databases.base import Column, Cursor, Database
from spark_jobs.load.databases.books import Books, Entry
from spark_jobs.load.databases.names import TableName
from spark_jobs.load.databases.shape import Shape, Wanted, alter
from spark_jobs.load.reaching import Reading, refuse_overtaken
from spark_jobs.points import reach


@dataclass(frozen=True, kw_only=True)
class Changed:
    """Rows that a transaction has changed."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    def told_in(self, entry: Entry, staged: int) -> Entry:
        """An entry with these rows, of so many that were staged."""
        return replace(entry, staged=staged, inserted=self.inserted, updated=self.updated, deleted=self.deleted)


class Source(Protocol):
    """Rows that a load publishes."""

    @property
    def rows(self) -> int:
        """How many there are."""

    def settle(self, cursor: Cursor) -> None:
        """See that exactly the rows that count are there.

        Raises:
            InfrastructureError: some are missing.
        """

    def insert(self, cursor: Cursor, table: TableName, columns: Sequence[Column]) -> int:
        """Insert them into a table; how many came in."""


class Work(Protocol):
    """What a strategy does in the transaction."""

    def apply(self, cursor: Cursor, source: Any) -> Changed:
        """Change the table by what came."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How an attempt ended.

    Args:
        entry: its commit; None where somebody newer has loaded the unit.
        found: whether an earlier try had made it.
        tries: transactions that were tried.
    """

    entry: Entry | None
    found: bool = False
    tries: int = 1


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """An attempt, as it is held against the ledger.

    Args:
        entry: what it is going to write, without its rows.
        since: the number that a commit would carry if it were as old as the rows: later ones are newer than these.
    """

    entry: Entry
    since: int

    def superseded(self, held: Entry | None) -> bool:
        """Whether the ledger holds a later attempt, or another run's that read its sources after this one did."""
        if held is None or held.number < self.since:
            return False
        return held.number >= self.entry.number or held.run != self.entry.run

    def mine(self, held: Entry | None) -> Entry | None:
        """The ledger's entry, where it is this attempt's own."""
        return held if held is not None and held.token == self.entry.token else None


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """One try to publish.

    Args:
        books: the table's ledger.
        claimed: the attempt.
        reading: what is replaced; None for a snapshot and where rows are merged by key.
        fit: what the tables need, with the shapes that were found.
        work: what is done with the rows.
    """

    books: Books
    claimed: Claimed
    reading: Reading | None
    fit: Sequence[tuple[Wanted, Shape]]
    work: Work

    def run(self, source: Source, *, sending: bool = False) -> Outcome:
        """Publish; the driver's errors are left as they are.

        Args:
            source: the rows.
            sending: whether they go over the transaction's own connection.

        Raises:
            EtlError: rows can't be published.
        """
        database = self.books.database
        with session(database, sending=sending) as cursor:
            self.books.lock(cursor)
            held = self.books.entry(cursor, self.claimed.entry.unit)
            if self.claimed.superseded(held):
                mine = self.claimed.mine(held)
                return Outcome(entry=mine, found=mine is not None)
            if self.reading is not None:
                self.refuse_overtaken(cursor, self.reading)
            if database.transactional_ddl:
                for item, shape in self.fit:
                    alter(database, cursor, item, shape)
            source.settle(cursor)
            changed = self.work.apply(cursor, source)
            entry = changed.told_in(self.claimed.entry, source.rows)
            self.books.record(cursor, entry)
            reach("before commit")
            cursor.connection.commit()
            reach("after commit")
            return Outcome(entry=entry)

    def refuse_overtaken(self, cursor: Cursor, reading: Reading) -> None:
        """See that nobody has published rows of the same time that were read later.

        Raises:
            InfrastructureError: somebody has.
        """
        entries = self.books.entries_after(cursor, reading.since)
        units = {unit: entry.number for unit, entry in entries.items()}
        told = {unit: entry.to_json() for unit, entry in entries.items()}
        refuse_overtaken(lambda: told, units, reading, str(self.books.table))


@contextmanager
def session(database: Database, *, sending: bool = False) -> Iterator[Cursor]:
    """A cursor of a connection of its own; what wasn't committed is undone at the end of the block."""
    made = database.connect(sending=sending)
    try:
        with made.cursor() as cursor:
            yield cursor
    finally:
        for end in (made.rollback, made.close):
            with suppress(*database.errors()):  # it may be broken
                end()


@contextmanager
def telling(database: Database, where: str) -> Iterator[Cursor]:
    """A session whose errors are ours.

    Args:
        database: where it is.
        where: for the errors.

    Raises:
        EtlError: instead of what the driver raises.
    """
    try:
        with session(database) as cursor:
            yield cursor
    except database.errors() as error:
        raise database.explained(error, where) from None
