"""Given a commit over Spark Connect that others came before since it had looked, then older rows don't stay unsaid."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from spark_jobs.connect.commit import demand_after
from spark_jobs.errors import DataError
from spark_jobs.ledger import Commit, Ledger, LoadUnit
from spark_jobs.load.reaching import Reading
from spark_jobs.window import Window
from tests.spark_jobs.plans import day

MINE, NEXT = (LoadUnit(pipeline="flights", destination="lake", window=day(number)) for number in (3, 4))
LOOK, OURS = 5, 20


@dataclass
class Log:
    """What a table's log says: no table, and no Spark."""

    told: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    path: str = "lake/flights"

    def load(self, version: int, unit: LoadUnit, number: int, reach: Window) -> None:
        entry = {"unit": unit.key, "number": number, "since": number, "reach": reach.to_json(), "looked": LOOK}
        self.told.append((version, entry | {"window": unit.window.to_json()}))

    def version(self) -> int:
        return max(version for version, _ in self.told)

    def commits(self, limit: int = 100) -> list[Commit]:
        told = sorted(self.told, key=lambda item: item[0], reverse=True)
        found = [Commit(version=version, entry=entry, metrics={}) for version, entry in told]
        return [commit for commit in found if commit.version > self.version() - limit]

    def mine(self) -> Commit:
        return next(commit for commit in self.commits(1000) if commit.entry.get("unit") == MINE.key)


def back(unit: LoadUnit) -> Window:
    return replace(unit.window, start=unit.window.start - timedelta(days=2))


READING = Reading(unit=MINE.key, span=back(MINE), since=OURS, looks_back=True)


def asked(log: Log, reading: Reading | None = READING) -> None:
    demand_after(cast("Ledger", log), log.mine(), reading)


def test_rows_that_were_read_later_and_came_in_between_are_told() -> None:
    log = Log()
    log.load(LOOK + 1, NEXT, OURS + 1, back(NEXT))
    log.load(LOOK + 2, MINE, OURS, back(MINE))
    with pytest.raises(DataError, match=r"between the look.*2013-01-04T") as told:
        asked(log)
    assert told.value.where == log.path
    asked(log, reading=None)
    del log.told[-1][1]["looked"]
    asked(log)


@pytest.mark.parametrize("version", [LOOK, LOOK + 3])
def test_rows_that_came_before_the_look_or_after_the_commit_are_not(version: int) -> None:
    """Before: the look itself has refused them. After: they replace ours, as they should."""
    log = Log()
    log.load(version, NEXT, OURS + 1, back(NEXT))
    log.load(LOOK + 2, MINE, OURS, back(MINE))
    asked(log)


def test_rows_that_were_read_earlier_are_replaced() -> None:
    log = Log()
    log.load(LOOK + 1, NEXT, OURS - 1, back(NEXT))
    log.load(LOOK + 2, MINE, OURS, back(MINE))
    asked(log)


@pytest.mark.parametrize("named", [{}, {"unit": NEXT.key, "attempt": 21}])
def test_a_refresh_in_between_is_told(named: dict[str, Any]) -> None:
    """It numbers no window in its entry, and names one where it was of one alone."""
    log = Log([(LOOK + 1, {"refresh": "order"} | named)])
    log.load(LOOK + 2, MINE, OURS, back(MINE))
    with pytest.raises(DataError, match=r"the table was refreshed.*clear the run"):
        asked(log)


def test_a_table_that_was_adopted_in_between_has_no_new_rows() -> None:
    log = Log([(LOOK + 1, {"adopted": 1, "unit": NEXT.key, "attempt": 21})])
    log.load(LOOK + 2, MINE, OURS, back(MINE))
    asked(log)


def test_many_commits_since_hide_nobody() -> None:
    log = Log()
    log.load(LOOK + 1, NEXT, OURS + 1, back(NEXT))
    log.load(LOOK + 2, MINE, OURS, back(MINE))
    for version in range(LOOK + 3, LOOK + 300):
        log.told.append((version, {"upkeep": "compact"}))
    with pytest.raises(DataError, match="between the look"):
        asked(log)
