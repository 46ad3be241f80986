"""Given windows that overlap and are loaded at once, then no row is replaced by one that was read before it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import InfrastructureError
from spark_jobs.load.strategies import ReplaceWindow, Snapshot
from tests.spark_jobs.load.test_delta import BY_TIME, Table, at
from tests.spark_jobs.plans import day

pytestmark = [pytest.mark.prove, pytest.mark.spark]


def at_once(table: Table, *loads: tuple[Any, list[tuple[Any, ...]], float]) -> list[str]:
    """How each ended."""

    def ended(*load: Any) -> str:
        try:
            return str(table.load(*load).state)
        except InfrastructureError as error:
            return "to be read again" if "read later" in str(error) else str(error)

    with ThreadPoolExecutor(len(loads)) as pool:
        return list(pool.map(lambda load: ended(*load), loads))


@pytest.mark.parametrize("write", [BY_TIME, Snapshot(strategy="snapshot")])
def test_f19_windows_that_overlap_never_mix(spark: Any, tmp_path: Path, write: ReplaceWindow | Snapshot) -> None:
    """Days 1 to 3 by one backfill, 2 to 4 by another, on a table that has all four."""
    table = Table(spark, tmp_path, write)
    table.load(day(1, 4), [(0, at(number)) for number in (1, 2, 3, 4)], 1)
    one = (day(1, 3), [(1, at(number)) for number in (1, 2, 3)], 10)
    other = (day(2, 3), [(2, at(number)) for number in (2, 3, 4)], 20)
    states = at_once(table, one, other)
    found = tuple(row[0] for row in sorted(table.rows(), key=lambda row: row[1]))
    if isinstance(write, Snapshot):
        assert found == (2, 2, 2), "the newer window's"
        assert states[1] == "loaded"
    else:
        assert states[1] == "loaded"
        assert (states[0], found) in {("loaded", (1, 2, 2, 2)), ("to be read again", (0, 2, 2, 2))}


def test_f20_a_backfill_beside_the_live_run_of_its_window_leaves_what_was_submitted_last(
    spark: Any, tmp_path: Path
) -> None:
    table = Table(spark, tmp_path, BY_TIME)
    table.load(day(1), [(0, at(1))], 1)
    for begin in (10, 30):
        states = at_once(table, (day(1), [(begin, at(1))], begin), (day(1), [(begin + 1, at(1))], begin + 1))
        assert table.rows() == [(begin + 1, at(1))]
        assert states[1] == "loaded"
        assert states[0] in {"loaded", "superseded"}
