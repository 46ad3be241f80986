"""How many schedules a test is given: a few that are always the same, or two hundred, in parts that add up."""

from __future__ import annotations

import os
from collections.abc import Callable
from secrets import randbelow
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.conformance.tally import WANTED, Tally, short, tally, time_is_up

ROUNDS: Final = int(os.environ.get("ETL_CONFORMANCE_ROUNDS", "2"))
"""Schedules for each strategy in `make test`; `make prove` runs 200."""
HOW_OFTEN: Final = (
    ROUNDS,
    pytest.param(WANTED, id="two hundred", marks=[pytest.mark.prove, pytest.mark.timeout(6 * 3600)]),
)
_BATCH: Final = 10
Stands = Callable[[Any], None]


def often(rounds: int, *, derandomize: bool) -> settings:
    """How schedules are drawn.

    Args:
        rounds: how many.
        derandomize: whether they are the same ones each time.
    """
    return settings(
        max_examples=rounds,
        deadline=None,
        database=None,
        derandomize=derandomize,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )


def draw(schedules: st.SearchStrategy[Any], stands: Stands, rounds: int) -> None:
    """Give a test its schedules.

    Args:
        schedules: what is drawn.
        stands: fails where one isn't stood.
        rounds: ROUNDS in `make test`; more are gathered in parts.
    """
    if rounds == ROUNDS:
        often(rounds, derandomize=True)(given(schedules)(_of_one_argument(stands)))()
        return
    gather(schedules, stands, rounds, tally())


def gather(schedules: st.SearchStrategy[Any], stands: Stands, rounds: int, kept: Tally, *, batch: int = _BATCH) -> None:
    """Go on where the last part has ended, until there are enough or time is up, which skips the test.

    Args:
        schedules, stands: as for `draw`.
        rounds: how many schedules, none of them twice.
        kept: what was stood before.
        batch: how many are drawn at once; those of one that fails don't count.
    """
    test = _running()
    while len(done := kept.done(test)) < rounds:
        if time_is_up():
            pytest.skip(f"time is up: {len(done)} of {rounds} so far")
        number, new = randbelow(2**31), set[str]()

        def once(schedule: Any, done: set[str] = done, new: set[str] = new) -> None:
            name = short(schedule)
            if name not in done | new:
                stands(schedule)
                new.add(name)

        wanted = min(batch, rounds - len(done) + 1)
        seed(number)(often(wanted, derandomize=False)(given(schedules)(_of_one_argument(once))))()
        kept.add(test, number, new)


def _running() -> str:
    """The test that runs, as pytest names it."""
    return os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]


def _of_one_argument(stands: Stands) -> Stands:
    """Hypothesis fills in what has no default."""

    def holds(schedule: Any) -> None:
        stands(schedule)

    return holds
