"""The promise as one function: schedules by hypothesis, each on a table of its own, compared row for row."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.conformance import expected
from tests.conformance.events import DAYS
from tests.conformance.harness import Stage, Subject
from tests.conformance.schedule import Schedule, schedules

ROUNDS: Final = int(os.environ.get("ETL_CONFORMANCE_ROUNDS", "2"))
"""Schedules for each strategy in `make test`; `make prove` runs 200."""
HOW_OFTEN: Final = (
    ROUNDS,
    pytest.param(200, id="two hundred", marks=[pytest.mark.prove, pytest.mark.timeout(6 * 3600)]),
)
_ALL: Final = ("id", "seq", "at", "name", "op")


def often(rounds: int) -> settings:
    """How schedules are drawn: the same ones each time in `make test`, new ones by `make prove`."""
    return settings(
        max_examples=rounds,
        deadline=None,
        database=None,
        derandomize=rounds == ROUNDS,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a strategy is given, and what it must leave.

    Args:
        schedules: that it must stand.
        expected: the rows that a plain run leaves.
        shown: the columns of these rows.
        columns: the columns of the dataset.
    """

    schedules: st.SearchStrategy[Schedule]
    expected: Callable[[Schedule], list[expected.Row]]
    shown: Sequence[str]
    columns: Sequence[str] = field(default=_ALL)


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

    @often(rounds)
    @given(schedule=case.schedules)
    def holds(schedule: Schedule) -> None:
        place = folder()
        stage = Stage(
            spark=spark,
            folder=place,
            destination=subject.make(place, write),
            columns=case.columns,
            connections=subject.connections,
            catalogs=subject.catalogs(place),
        )
        stage.run(schedule)
        found = [tuple(row[name] for name in case.shown) for row in subject.read(stage.destination)]
        assert sorted(found, key=repr) == sorted(case.expected(schedule), key=repr), schedule
        shutil.rmtree(place, ignore_errors=True)

    holds()
