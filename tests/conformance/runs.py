"""Whole runs of a small pipeline, by random schedules: sources and configurations that change, deaths anywhere.

Beside the end there is something to hold after every attempt: the rows in the table and those in quarantine are, window
by window, what one and the same attempt has made of one and the same source. So no row is lost, and none is in both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from spark_jobs import run as entry
from spark_jobs.ledger import Ledger, LoadUnit
from spark_jobs.plan import VERBS, Plan
from spark_jobs.points import HOOK, POINTS
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import Report
from tests.conformance.harness import Died
from tests.spark_jobs.plans import attempt, day, plan

DAYS: Final = 3
LIMITS: Final = (2, 3)
_AT_RUN: Final = tuple(point for point in POINTS if "side" not in point)
_LOAD: Final = "lake"

Row = tuple[int, int]
Outcome = tuple[list[Row], list[int]]
NOTHING: Final[Outcome] = ([], [])


@dataclass(frozen=True)
class Go:
    """One run of a day.

    Args:
        day: from 1.
        version: which of the source's states it reads, 0 or 1.
        limit: the largest value that its check lets pass: another limit is another configuration.
        staged: whether each verb is an application of its own.
        dies_at: the point at which it dies; None where it lives.
        retried: whether the same task tries again where it died.
        zombie: whether it was submitted before all others.
    """

    day: int
    version: int = 1
    limit: int = LIMITS[-1]
    staged: bool = False
    dies_at: str | None = None
    retried: bool = False
    zombie: bool = False


@dataclass(frozen=True)
class Runs:
    """Sources, and what is run.

    Args:
        sources: day -> version -> the values of its rows; None is one that can't be read.
        goes: in this order; every day's last one lives, with the last source and configuration.
    """

    sources: tuple[tuple[tuple[int | None, ...], ...], ...]
    goes: tuple[Go, ...]

    def outcome(self, go: Go) -> Outcome:
        """Rows (id, value) in the table, and ids of records in quarantine, that a run of a day ends with."""
        values = list(enumerate(self.sources[go.day - 1][go.version]))
        good = [(10 * go.day + place, value) for place, value in values if value is not None and value <= go.limit]
        bad = [10 * go.day + place for place, value in values if value is None or value > go.limit]
        return good, sorted(bad)


def line(number: int, place: int, value: int | None) -> str:
    """A record of the source."""
    return f"{10 * number + place},2013-01-{number:02} {place:02}:00:00,{'x' if value is None else value}"


def runs() -> st.SearchStrategy[Runs]:
    """Schedules in which every day is loaded at last."""
    values = st.lists(st.one_of(st.integers(1, 4), st.none()), max_size=4).map(tuple)
    sources = st.tuples(*[st.tuples(values, values) for _ in range(DAYS)])
    go = st.builds(
        Go,
        day=st.integers(1, DAYS),
        version=st.integers(0, 1),
        limit=st.sampled_from(LIMITS),
        staged=st.booleans(),
        dies_at=st.one_of(st.none(), st.sampled_from(_AT_RUN)),
        retried=st.booleans(),
        zombie=st.booleans(),
    )
    last = st.tuples(st.permutations(range(1, DAYS + 1)), st.booleans()).map(
        lambda told: tuple(Go(number, staged=told[1] and not place) for place, number in enumerate(told[0]))
    )
    return st.builds(
        Runs,
        sources=sources,
        goes=st.builds(lambda some, end: (*some, *end), st.lists(go, max_size=5).map(tuple), last),
    )


@dataclass(kw_only=True)
class Scene:
    """A pipeline in a folder.

    Args:
        spark: the suite's session; every application gets one of its own.
        folder: an empty folder.
        told: the sources and what is run.
    """

    spark: Any
    folder: Path
    told: Runs
    second: int = 100
    now: dict[int, Outcome] = field(default_factory=dict)

    def run(self) -> None:
        """Run all, and look after each: only its own day may be another, and only by what it has made of its source."""
        for go in self.told.goes:
            self.second += 10
            made, before = self.told.outcome(go), self.now.get(go.day, NOTHING)
            overtaken = self.number(go.day) > attempt(self._at(go, 1)).number
            self._go(go)
            found = self.outcome(go.day)
            dead = go.dies_at is not None and not go.retried
            assert found == (before if overtaken else made) or (dead and found == before), (go, found)
            self.now[go.day] = found
            for number in range(1, DAYS + 1):
                assert self.outcome(number) == self.now.get(number, NOTHING), (number, go)

    def _at(self, go: Go, after: float) -> float:
        """When an application is submitted, so long after the first one of its run: a zombie's before all others'."""
        return (self.second + after) / (1000 if go.zombie else 1)

    def _go(self, go: Go) -> None:
        lines = [line(go.day, place, value) for place, value in enumerate(self.told.sources[go.day - 1][go.version])]
        (self.folder / f"{go.day}.csv").write_text("\n".join(["id,at,value", *lines]) + "\n")
        try:
            self._applications(go, 0)
        except Died:
            if go.retried:
                self._applications(replace(go, dies_at=None), 5)

    def _applications(self, go: Go, after: float) -> None:
        report: Report | None = None
        for place, verbs in enumerate([(verb,) for verb in VERBS] if go.staged else [VERBS]):
            report = self._application(self._plan(go, verbs, report, after + place / 10), go.dies_at)
            assert report.error is None, report.error

    def _application(self, made: Plan, dies_at: str | None) -> Report:
        def die(point: str) -> None:
            if point == dies_at:
                raise Died(point)

        HOOK.reached = die
        try:
            return entry.run(made, lambda *_: self.spark.newSession())
        finally:
            HOOK.reached = None

    def _plan(self, go: Go, verbs: tuple[str, ...], before: Report | None, after: float) -> Plan:
        fingerprint = f"{go.limit:05}" + "0" * 59
        first = self._at(go, 0)
        who = replace(attempt(self._at(go, after), f"token-{first}-{verbs[-1]}", fingerprint), run=f"run-{first}")
        if before is not None:
            who = replace(who, since=before.attempt["since"])
        kinds = {
            "id": {"type": "int", "required": True}, "at": {"type": "timestamp"}, "value": {"type": "int"}
        }  # fmt: skip
        source = {"type": "files", "path": str(self.folder / f"{go.day}.csv"), "format": "csv", "columns": kinds}
        check = {"in_range": {"column": "value", "max": go.limit, "on_fail": "quarantine"}}
        write = {"strategy": "replace_window", "column": "at"}
        return Plan.from_json(
            plan(self.folder, day(go.day), who, fingerprint=fingerprint).to_json()
            | {
                "verbs": list(verbs),
                "extract": {"rows": source},
                "transform": {"result": {"from": "rows", "steps": []}},
                "check": {"result": [check]},
                "load": {_LOAD: {"from": "result", "type": "delta", "path": self.table, "write": write}},
                "previous": before.to_json() if before else None,
            }
        )

    @property
    def table(self) -> str:
        """Where the rows go."""
        return str(self.folder / "table")

    def number(self, day_of: int) -> int:
        """What the ledger holds for a day's window; 0 where it was never loaded."""
        ledger = Ledger(self.spark, self.table)
        unit = LoadUnit(pipeline="flights", destination=_LOAD, window=day(day_of))
        return (ledger.number(unit) if ledger.version() is not None else None) or 0

    def outcome(self, number: int) -> Outcome:
        """What a day's window holds now: rows in the table, and ids of records in quarantine."""
        if Ledger(self.spark, self.table).version() is None:
            return NOTHING
        rows = self.spark.read.format("delta").load(self.table)
        mine = rows.where(f"at >= '2013-01-{number:02}' AND at < '2013-01-{number + 1:02}'").select("id", "value")
        aside = Quarantine(folder=str(self.folder / "quarantine"), pipeline="flights")
        there = Ledger(self.spark, aside.path).version() is not None
        records = aside.visible(self.spark, day(number), self.number(number)).select("raw").collect() if there else []
        return sorted(tuple(row) for row in mine.collect()), sorted(_id(row[0]) for row in records)


def _id(raw: str) -> int:
    """Of a record as the source has it, or as the check has seen it (JSON): its first number."""
    found = re.search(r"\d+", raw)
    assert found is not None, raw
    return int(found[0])
