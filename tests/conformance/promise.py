"""The promise as one function: schedules by hypothesis, each on a table of its own, compared row for row."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from tests.conformance import expected
from tests.conformance.drawing import draw
from tests.conformance.events import DAYS, ENVELOPES, FIRST, Event
from tests.conformance.harness import Stage, Subject
from tests.conformance.schedule import Load, Schedule, schedules

_ALL: Final = ("id", "seq", "at", "name", "op")
_MINE: Final = {"part": "mine"}
_THEIRS: Final = [Event(key, 9, FIRST + timedelta(days=key), "theirs", "c") for key in (1, 2, 3)]


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a strategy is given, and what it must leave.

    Args:
        schedules: that it must stand.
        expected: the rows that a plain run leaves.
        shown: the columns of these rows.
        columns: the columns of the dataset.
        shape: SQL: what is made of these columns.
        scope: the part of the table that is loaded; another pipeline has loaded another one before.
    """

    schedules: st.SearchStrategy[Schedule]
    expected: Callable[[Schedule], list[expected.Row]]
    shown: Sequence[str]
    columns: Sequence[str] = field(default=_ALL)
    shape: Sequence[str] = ()
    scope: Mapping[str, Any] = field(default_factory=dict)


def _rows(schedule: Schedule) -> list[expected.Row]:
    return sorted((event.row for event in expected.everything(schedule)), key=repr)


def _newest(schedule: Schedule) -> list[expected.Row]:
    whole = any(load.days == DAYS for step in schedule.steps for load in step)
    return _rows(schedule) if whole else sorted((event.row for event in schedule.source[-1]), key=repr)


CASES: Final = {
    "replace_window": Case(schedules=schedules(), expected=_rows, shown=_ALL),
    "append": Case(schedules=schedules(), expected=_rows, shown=_ALL),
    "snapshot": Case(schedules=schedules(), expected=_newest, shown=_ALL),
    "merge": Case(
        schedules=schedules(mended=False),
        expected=lambda schedule: expected.entities(expected.everything(schedule)),
        shown=("id", "seq", "name"),
    ),
    "merge by window": Case(
        schedules=schedules(mended=False, one_per_key=True, spans=False),
        expected=expected.by_window,
        shown=("id", "seq", "name"),
    ),
    "scd2": Case(
        schedules=schedules(),
        expected=lambda schedule: expected.histories(expected.everything(schedule)),
        shown=("id", "name", "valid_from", "valid_to"),
    ),
    "cdc": Case(
        schedules=schedules(mended=False, truncates=True),
        expected=lambda schedule: expected.entities(expected.everything(schedule)),
        shown=("id", "seq", "name"),
    ),
    "replace_window evolving": Case(
        schedules=schedules(widens=True),
        expected=lambda schedule: expected.widened(schedule, expected.everything(schedule)),
        shown=(*_ALL, "more"),
    ),
    "merge evolving": Case(
        schedules=schedules(mended=False, widens=True),
        expected=lambda schedule: expected.widened(schedule, expected.winners(expected.everything(schedule))),
        shown=(*_ALL, "more"),
    ),
    "merge softly": Case(
        schedules=schedules(mended=False),
        expected=lambda schedule: expected.softly(expected.everything(schedule)),
        shown=("id", "seq", "name", "_deleted"),
    ),
    "cdc of envelopes": Case(
        schedules=schedules(mended=False, truncates=True),
        expected=lambda schedule: expected.of_envelopes(expected.everything(schedule)),
        shown=("id", "seq", "name"),
        shape=ENVELOPES,
    ),
    "snapshot in a scope": Case(schedules=schedules(), expected=_newest, shown=_ALL, scope=_MINE),
    "merge in a scope": Case(
        schedules=schedules(mended=False),
        expected=lambda schedule: expected.entities(expected.everything(schedule)),
        shown=("id", "seq", "name"),
        scope=_MINE,
    ),
}


def prove(  # noqa: PLR0917 - who, what, where and how often
    spark: Any, subject: Subject, write: Any, case: Case, folder: Callable[[], Path], rounds: int
) -> None:
    """Run schedules, and compare the tables with what a plain run leaves.

    Args:
        spark: the suite's session.
        subject: the destination.
        write: the strategy.
        case: what it is given.
        folder: gives an empty folder.
        rounds: how many schedules.
    """

    def holds(schedule: Schedule) -> None:
        place = folder()
        destination = subject.make(place, write)
        stage = Stage(
            spark=spark,
            folder=place,
            destination=replace(destination, scope=dict(case.scope)) if case.scope else destination,
            columns=case.columns,
            connections=subject.connections,
            catalogs=subject.catalogs(place),
            shape=case.shape,
            wide=schedule.wide,
        )
        if case.scope:
            theirs = replace(destination, scope=dict.fromkeys(case.scope, "theirs"))
            replace(stage, destination=theirs, pipeline="theirs").load(Load(0, days=DAYS), 1, _THEIRS)
        stage.run(schedule)
        held = subject.read(stage.destination)
        found = [tuple(row.get(name) for name in case.shown) for row in held if _is_mine(row, case)]
        assert sorted(found, key=repr) == sorted(case.expected(schedule), key=repr), schedule
        if case.scope:
            left = [row["id"] for row in held if not _is_mine(row, case)]
            assert sorted(left) == [1, 2, 3], schedule
        shutil.rmtree(place, ignore_errors=True)

    draw(case.schedules, holds, rounds)


def _is_mine(row: Mapping[str, Any], case: Case) -> bool:
    return all(row[name] == value for name, value in case.scope.items())
