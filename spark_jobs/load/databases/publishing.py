"""How a table of a database takes a window: look, stage, and publish in one transaction that is its own ledger.

A transaction whose outcome nobody knows, since the connection broke, is simply tried again: the next try waits until
the server has ended the first, looks into the ledger, and finds its own commit there, or none.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from spark_jobs.errors import InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.ledger import LoadUnit
from spark_jobs.load import owners
from spark_jobs.load.databases.base import Cursor, Database
from spark_jobs.load.databases.books import Books, Entry
from spark_jobs.load.databases.replacing import Changed
from spark_jobs.load.databases.shape import Shape, Wanted, alter, shape_of
from spark_jobs.load.databases.stage import Stage, staged
from spark_jobs.load.reaching import refuse_overtaken
from spark_jobs.points import reach
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TRIES: Final = 8


class Work(Protocol):
    """What a strategy does in the transaction."""

    def apply(self, cursor: Cursor, stage: Stage) -> Changed:
        """Change the table by what was staged."""


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
class Publishing:
    """One attempt at a unit of a table.

    Args:
        books: the table's ledger.
        unit: what is written.
        claim: what the load owns of the table.
        context: session and plan.
        back: with lookback what is replaced, else None.
    """

    books: Books
    unit: LoadUnit
    claim: owners.Claim
    context: Context
    back: Window | None = None

    @property
    def number(self) -> int:
        """What the attempt's commit carries."""
        return self.unit.commit_number(self.context.plan.attempt.number)

    def found(self) -> Entry | None:
        """The commit that an earlier try of this same attempt made, whose result got lost."""
        with self._session() as cursor:
            held = self.books.entry(cursor, self.unit.key) if self.books.there(cursor) else None
            return self._mine(held)

    def begin(self, wanted: tuple[Wanted, ...]) -> tuple[Shape, ...]:
        """Look whether the attempt may publish, say what it owns, and how its rows fit the table.

        Args:
            wanted: the table first, then those that go with it.

        Returns:
            The shape of each; none where somebody newer has loaded the unit.
        """
        with self._session() as cursor:
            self.books.ensure(cursor)
            cursor.connection.commit()
            if self._superseded(self.books.entry(cursor, self.unit.key)):
                return ()
            self._claim(cursor)
            shapes = tuple(shape_of(self._database, cursor, item) for item in wanted)
            if not self._database.transactional_ddl:
                self._alter(cursor, list(zip(wanted, shapes, strict=True)))
            cursor.connection.commit()
            return shapes

    def publish(
        self, rows: DataFrame, expected: int, fit: Sequence[tuple[Wanted, Shape]], shape: Shape, work: Work
    ) -> Outcome:
        """Stage rows and publish them.

        Args:
            rows: as the shape says.
            expected: how many there are.
            fit: what was given to `begin`, with what came of it.
            shape: rows' column -> the staging table's.
            work: what is done with them.

        Raises:
            InfrastructureError: other rows were staged than are expected; or the database can't be reached.
        """
        where = self.context.where
        reach("before staging")
        with staged(self._database, rows, self.books.table, shape, where) as stage:
            if stage.rows != expected:
                raise InfrastructureError(
                    f"{stage.rows} rows were staged, {expected} were checked", where=where, remedy="run it again"
                )
            reach("staged")
            return self._tried(lambda: self._once(stage, fit, work))

    def _tried(self, publish: Callable[[], Outcome]) -> Outcome:
        """Publish; where the server gave way to another transaction, or the connection broke, again with backoff."""
        for tried in range(1, _TRIES + 1):
            try:
                done = publish()
                return Outcome(entry=done.entry, found=done.found, tries=tried)
            except self._database.errors() as error:
                again = self._database.passes(error) or self._database.lost(error)
                if tried == _TRIES or not again:
                    raise self._database.explained(error, str(self.books.table)) from None
            time.sleep(random.uniform(0, min(0.25 * 2**tried, 10)))  # noqa: S311 - jitter, not a secret
        raise AssertionError  # the last try returns or raises

    def _once(self, stage: Stage, fit: Sequence[tuple[Wanted, Shape]], work: Work) -> Outcome:
        with self._session(raw=True) as cursor:
            self.books.lock(cursor)
            held = self.books.entry(cursor, self.unit.key)
            if self._superseded(held):
                mine = self._mine(held)
                return Outcome(entry=mine, found=mine is not None)
            if self.back is not None:
                self._refuse_overtaken(cursor, self.back)
            if self._database.transactional_ddl:
                self._alter(cursor, fit)
            stage.settle(cursor)
            changed = work.apply(cursor, stage)
            entry = self._entry(stage.rows, changed)
            self.books.record(cursor, entry)
            reach("before commit")
            cursor.connection.commit()
            reach("after commit")
            return Outcome(entry=entry)

    def _alter(self, cursor: Cursor, fit: Sequence[tuple[Wanted, Shape]]) -> None:
        for item, shape in fit:
            alter(self._database, cursor, item, shape)

    def _claim(self, cursor: Cursor) -> None:
        """Say what the load owns, where that isn't said yet: whoever says it at the same time waits."""
        said = self.books.claims(cursor)
        if said.get(self.claim.key) != self.claim.value:
            self.books.lock(cursor)
            said = self.books.claims(cursor)
            self._refuse_others(cursor, said)
            self.books.claim(cursor, self.claim)
            cursor.connection.commit()
        else:
            self._refuse_others(cursor, said)

    def _refuse_others(self, cursor: Cursor, said: Mapping[str, str]) -> None:
        owners.refuse_others(self.claim, owners.claims_of(said), self.books.pipelines(cursor), str(self.books.table))

    def _refuse_overtaken(self, cursor: Cursor, back: Window) -> None:
        entries = self.books.entries(cursor)
        units = {unit: entry.number for unit, entry in entries.items()}
        told = {unit: entry.to_json() for unit, entry in entries.items()}
        since = self.context.plan.attempt.since
        refuse_overtaken(lambda: told, units, self.unit.key, back, since, str(self.books.table))

    def _superseded(self, held: Entry | None) -> bool:
        """Whether the ledger holds a later attempt, or another run's that read its sources after this one did."""
        attempt = self.context.plan.attempt
        if held is None or held.number < self.unit.commit_number(attempt.since):
            return False
        return held.number >= self.number or held.run != attempt.run

    def _mine(self, held: Entry | None) -> Entry | None:
        return held if held is not None and held.token == self.context.plan.attempt.token else None

    def _entry(self, rows: int, changed: Changed) -> Entry:
        plan, details = self.context.plan, dict[str, Any]()
        if self.claim.scope:
            details["scope"] = dict(self.claim.scope)
        if self.back is not None:
            details |= {"reach": self.back.to_json(), "since": plan.attempt.since}
        return Entry.of(
            plan,
            self.unit,
            details,
            staged=rows,
            inserted=changed.inserted,
            updated=changed.updated,
            deleted=changed.deleted,
        )

    @property
    def _database(self) -> Database:
        return self.books.database

    @contextmanager
    def _session(self, *, raw: bool = False) -> Iterator[Cursor]:
        """A cursor of a connection of its own; what wasn't committed is undone at the end of the block.

        Args:
            raw: whether the driver's errors are left as they are.
        """
        database = self._database
        made = database.connect()
        try:
            with made.cursor() as cursor:
                yield cursor
        except database.errors() as error:
            if raw:
                raise
            raise database.explained(error, str(self.books.table)) from None
        finally:
            for end in (made.rollback, made.close):
                with suppress(*database.errors()):  # it may be broken
                    end()
