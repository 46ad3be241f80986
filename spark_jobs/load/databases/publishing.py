"""How a table of a database takes a window: look, stage, and publish in one transaction that is its own ledger.

A transaction whose outcome nobody knows, since the connection broke, is simply tried again: the next try waits until
the server has ended the first, looks into the ledger, and finds its own commit there, or none.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.ledger import LoadUnit
from spark_jobs.load import owners
from spark_jobs.load.databases import arriving
from spark_jobs.load.databases.base import Cursor, Database
from spark_jobs.load.databases.books import Books, Entry
from spark_jobs.load.databases.filling import Filling
from spark_jobs.load.databases.replacing import Replacing
from spark_jobs.load.databases.shape import Shape, Wanted, alter, shape_of
from spark_jobs.load.databases.stage import staged
from spark_jobs.load.databases.transacting import Claimed, Outcome, Transaction, Work, session, telling
from spark_jobs.load.reaching import Reading
from spark_jobs.points import reach
from spark_jobs.window import Window

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_TRIES: Final = 8

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Publishing:
    """One attempt at a unit of a table.

    Args:
        books: the table's ledger.
        unit: what is written.
        claim: what the load owns of the table.
        context: session and plan.
        reading: what is replaced; None for a snapshot and where rows are merged by key.
    """

    books: Books
    unit: LoadUnit
    claim: owners.Claim
    context: Context
    reading: Reading | None = None

    @property
    def span(self) -> Window:
        """What is replaced: the window, or with lookback the reach."""
        return self.reading.span if self.reading else self.context.plan.window

    def found(self) -> Entry | None:
        """The commit that an earlier try of this same attempt made, whose result got lost."""
        with self._session() as cursor:
            held = self.books.entry(cursor, self.unit.key) if self.books.there(cursor) else None
            return self._claimed.mine(held)

    def begin(self, wanted: tuple[Wanted, ...]) -> tuple[Shape, ...]:
        """Look whether the attempt may publish, say what it owns, and how its rows fit the table.

        Args:
            wanted: the table first, then those that go with it.

        Returns:
            The shape of each; none where somebody newer has loaded the unit.
        """
        return self._tried(lambda: self._begun(wanted), anyhow=0 if self._database.guards_shapes else 3)

    def _begun(self, wanted: tuple[Wanted, ...]) -> tuple[Shape, ...]:
        with session(self._database) as cursor:
            self.books.ensure(cursor)
            cursor.connection.commit()
            if self._claimed.superseded(self.books.entry(cursor, self.unit.key)):
                return ()
            self.own(cursor)
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
        where, database = self.context.where, self._database
        transaction = self._transaction(fit, work)
        reach("before staging")
        if isinstance(work, Replacing) and self._arrives(expected):
            reach("staged")
            return self._published(lambda: arriving.publish(rows, expected, shape, transaction, where))
        with staged(database, rows, self.books.table, shape, where) as stage:
            if stage.rows != expected:
                raise InfrastructureError(
                    f"{stage.rows} rows were staged, {expected} were checked", where=where, remedy="run it again"
                )
            reach("staged")
            return self._published(lambda: transaction.run(stage))

    def fill(self, rows: DataFrame, expected: int, fit: Sequence[tuple[Wanted, Shape]]) -> Outcome | None:
        """Publish rows into a new table as they arrive; None where they must be staged and compared.

        Args:
            rows: as the shape of the first says; they delete nothing.
            expected: how many there are.
            fit: what was given to `begin`, with what came of it.

        Raises:
            InfrastructureError: the database can't be reached.
        """
        shape = fit[0][1]
        if shape.there or not self._arrives(expected):
            return None
        work = Filling(database=self._database, table=self.books.table, shape=shape)
        transaction, where = self._transaction(fit, work), self.context.where
        try:
            return self._published(lambda: arriving.publish(rows, expected, shape, transaction, where))
        except DataError:
            return None  # the staging table finds out why

    def _arrives(self, rows: int) -> bool:
        """Whether one task may publish rows as they arrive."""
        if rows > arriving.FEW:
            return False
        with self._session() as cursor:
            return self._database.takes(cursor, self.books.table)

    def _published(self, publish: Callable[[], Outcome]) -> Outcome:
        """Publish, and count the tries."""
        tries = iter(range(1, _TRIES + 1))

        def once() -> Outcome:
            tried = next(tries)
            return replace(publish(), tries=tried)

        return self._tried(once)

    def _tried(self, act: Callable[[], T], anyhow: int = 0) -> T:
        """Act; where the server gave way to another transaction, or the connection broke, again with backoff.

        Args:
            act: what is tried.
            anyhow: how often it is tried again whatever the server said.
        """
        for tried in range(1, _TRIES + 1):
            try:
                return act()
            except arriving.Again as again:
                if tried == _TRIES:
                    raise again.error from None
            except self._database.errors() as error:
                passes = self._database.passes(error) or self._database.lost(error) or tried <= anyhow
                if tried == _TRIES or not passes:
                    raise self._database.explained(error, str(self.books.table)) from None
            time.sleep(random.uniform(0, min(0.25 * 2**tried, 10)))  # noqa: S311 - jitter, not a secret
        raise AssertionError  # the last try returns or raises

    def _alter(self, cursor: Cursor, fit: Sequence[tuple[Wanted, Shape]]) -> None:
        for item, shape in fit:
            alter(self._database, cursor, item, shape)

    def own(self, cursor: Cursor) -> None:
        """Say what the load owns, where that isn't said yet: whoever says it at the same time waits."""
        said = self.books.claims(cursor)
        if said.get(self.claim.key) != self.claim.value:
            self.books.lock(cursor)
            said = self.books.claims(cursor)
            self.refuse_others(cursor, said)
            self.books.claim(cursor, self.claim)
            cursor.connection.commit()
        else:
            self.refuse_others(cursor, said)

    def refuse_others(self, cursor: Cursor, said: Mapping[str, str]) -> None:
        """See that this load and those of other pipelines leave each other's rows alone.

        Args:
            cursor: of a session.
            said: all claims on the table.

        Raises:
            ConfigError: they don't.
        """
        claims, table = owners.claims_of(said), str(self.books.table)
        owners.refuse_others(self.claim, claims, self.books.pipelines(cursor), table, exact=False)

    def _transaction(self, fit: Sequence[tuple[Wanted, Shape]], work: Work) -> Transaction:
        return Transaction(books=self.books, claimed=self._claimed, reading=self.reading, fit=tuple(fit), work=work)

    @property
    def _claimed(self) -> Claimed:
        plan, details = self.context.plan, dict[str, Any]()
        if self.claim.scope:
            details["scope"] = dict(self.claim.scope)
        if self.reading is not None:
            details |= self.reading.told()
        since = self.unit.commit_number(plan.attempt.since)
        return Claimed(entry=Entry.of(plan, self.unit, details), since=since)

    @property
    def _database(self) -> Database:
        return self.books.database

    def _session(self) -> AbstractContextManager[Cursor]:
        """A cursor of a connection of its own; what wasn't committed is undone at the end of the block."""
        return telling(self._database, str(self.books.table))
