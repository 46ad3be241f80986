"""Given a unit that a ledger holds, then an attempt knows whether rows read later than its own are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from spark_jobs.flow import Context
from spark_jobs.ledger import Commit, LoadUnit
from spark_jobs.load.attempts import Attempting
from spark_jobs.load.owners import Claim
from tests.spark_jobs.plans import attempt, day, plan

UNIT = LoadUnit(pipeline="flights", destination="lake", window=day(5))


@dataclass
class Book:
    """A table's ledger: the units' numbers, and those commits that name one unit, the newest first."""

    units: dict[str, int] = field(default_factory=dict)
    told: list[Commit] = field(default_factory=list)

    @property
    def ledger(self) -> Book:
        return self

    def version(self) -> int | None:
        return len(self.told)

    def number(self, unit: LoadUnit) -> int | None:
        return self.units.get(unit.key)

    def find(self, unit: LoadUnit) -> Commit | None:
        return next((commit for commit in self.commits() if commit.entry["unit"] == unit.key), None)

    def commits(self) -> Iterable[Commit]:
        return self.told

    def load(self, second: float, run: str) -> None:
        """One run's commit of the unit."""
        self.units[UNIT.key] = number = attempt(second).number
        entry = {"unit": UNIT.key, "number": number, "run": run}
        self.told.insert(0, Commit(version=len(self.told), entry=entry, metrics={}))


def superseded(book: Book, second: float, read: float, run: str = "mine") -> bool:
    """Whether an attempt is, that loads at a second what its run has read at an earlier one."""
    who = replace(attempt(second), since=attempt(read).number, run=run)
    context = Context(spark=cast("Any", None), plan=plan(Path(), day(5), who), where="load.lake", dataset="result")
    claim = Claim(pipeline="flights", load="lake", scope={})
    return Attempting(lake=cast("Any", book), unit=UNIT, claim=claim, context=context).superseded()


def test_another_run_s_later_rows_stay_and_the_same_run_s_are_replaced() -> None:
    book = Book()
    assert not superseded(book, 40, read=5)
    book.load(20, "other")
    assert superseded(book, 40, read=5), "they were read after these"
    assert not superseded(book, 40, read=30)
    book.load(20, "mine")
    assert not superseded(book, 40, read=5), "a cleared load of the same rows"
    assert superseded(book, 15, read=5)


def test_what_a_refresh_has_put_there_is_not_the_run_s_though_its_own_commit_is_the_last_that_names_the_unit() -> None:
    book = Book()
    book.load(3, "mine")
    book.units[UNIT.key] = attempt(10).number  # the swap numbers all its windows in one commit
    assert superseded(book, 40, read=5)
    assert not superseded(book, 40, read=11)
