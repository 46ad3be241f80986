"""Given two pictures of a table, then the proof holds where they are alike, and fails where anything differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from demo.proof import Picture, demand_consistent, demand_identical, demand_rerun, digests
from demo.runs import DemoError

ROWS = [
    {"day": "1", "flight": 1, "delay": None},
    {"day": "1", "flight": 2, "delay": 0.5},
    {"day": "2", "flight": 1, "delay": 3.0},
]
BEFORE = Picture(version=7, rows=3, windows=digests(ROWS, "day"))


def test_the_order_of_rows_does_not_matter() -> None:
    assert digests(ROWS[::-1], "day") == digests(ROWS, "day")


@pytest.mark.parametrize(
    "changed",
    [
        [*ROWS, ROWS[0]],
        ROWS[1:],
        [ROWS[0] | {"delay": 0.0}, *ROWS[1:]],
        [ROWS[0] | {"day": "2"}, *ROWS[1:]],
        [{key: str(value) for key, value in row.items()} for row in ROWS],
    ],
    ids=["doubled", "lost", "null became zero", "other day", "other types"],
)
def test_any_other_content_fails_the_proof(changed: list[dict[str, object]]) -> None:
    after = Picture(version=14, rows=len(changed), windows=digests(changed, "day"))
    with pytest.raises(DemoError, match="changed"):
        demand_identical(BEFORE, after, commits=7)


def test_the_same_content_written_again_is_identical() -> None:
    demand_identical(BEFORE, replace(BEFORE, version=14), commits=7)


def test_a_table_that_nobody_wrote_again_proves_nothing() -> None:
    with pytest.raises(DemoError, match="7 windows ran again"):
        demand_identical(BEFORE, replace(BEFORE, version=13), commits=7)


@pytest.mark.parametrize(
    "after",
    [{}, {("r", "load"): (1, 9)}, {("r", "load"): (2, 5)}, {("q", "load"): (2, 9)}],
    ids=["no run", "not started again", "an old report", "another run"],
)
def test_a_task_that_did_not_run_again_fails_the_proof(after: dict[tuple[str, str], tuple[int, int]]) -> None:
    with pytest.raises(DemoError):
        demand_rerun({("r", "load"): (1, 5)}, after)


def test_tasks_that_ran_again_under_a_later_number_pass() -> None:
    demand_rerun({("r", "load"): (1, 5)}, {("r", "load"): (2, 6)})


def test_what_was_derived_must_say_the_same_as_the_flights(tmp_path: Path) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    flights = {"flight_date": ["2013-01-01"] * 3, "cancelled": [False, False, True]}
    write_deltalake(str(tmp_path / "flights"), pa.table(flights))
    write_deltalake(str(tmp_path / "planes_daily"), pa.table({"flight_date": ["2013-01-01"], "flights": [2]}))
    demand_consistent(tmp_path)
    write_deltalake(
        str(tmp_path / "planes_daily"), pa.table({"flight_date": ["2013-01-01"], "flights": [3]}), mode="overwrite"
    )
    with pytest.raises(DemoError, match="planes_daily"):
        demand_consistent(tmp_path)
