"""Given windows that replace rows of each other, then no run puts older rows in place of newer ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from spark_jobs.errors import InfrastructureError
from spark_jobs.extract.contract import WindowColumn
from spark_jobs.extract.table import Table
from spark_jobs.flow import Context
from spark_jobs.ledger import Ledger
from spark_jobs.load import reaching
from spark_jobs.load.delta import Delta
from spark_jobs.load.strategies import ReplaceWindow
from spark_jobs.plan import Attempt, Dataset, Plan
from spark_jobs.report import LoadReceipt
from spark_jobs.transaction import Transaction
from spark_jobs.window import Window
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
SOURCE = Table(format="delta", path="unused", window=WindowColumn(column="at"))
FIRST = 1


class Days:
    """A table with one row a day, which says when its source was read."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        self.destination = Delta(path=str(folder / "table"), write=BY_TIME)

    def plan(self, number: int, who: Attempt, back: int | None = 2) -> Plan:
        """The plan of a day that reaches so many days back; None: a file without lookback."""
        window = day(number)
        reach = None if back is None else replace(window, start=day(max(number - back, FIRST)).start)
        datasets = {"result": Dataset(source="rows")}
        load = {"lake": ("result", self.destination)}
        return plan(self.folder, window, who, reach=reach, extract={"rows": SOURCE}, transform=datasets, load=load)

    def load(self, made: Plan, read: int) -> LoadReceipt:
        """Publish what a run has read at a moment: every day of its reach."""
        context = Context(spark=self.spark, plan=made, where="load.lake", dataset="result")
        rows = [(date, read) for date in _dates(made.reading)]
        frame = self.spark.createDataFrame(rows, "at TIMESTAMP, read INT")
        assert self.destination.outside(frame, context)
        return self.destination.publish("lake", frame, len(rows), context)

    def rows(self) -> list[tuple[int, int]]:
        frame = self.spark.read.format("delta").load(self.destination.path)
        return sorted((row["at"].day, row["read"]) for row in frame.collect())


def _dates(window: Window) -> list[datetime]:
    start, days = window.start.replace(tzinfo=None), (window.end - window.start).days
    return [start + timedelta(days=number, hours=6) for number in range(days)]


def run(second: float, read: float | None = None) -> Attempt:
    """An attempt that loads at a second what it has read at an earlier one."""
    who = attempt(second)
    return replace(who, since=attempt(second if read is None else read).number)


@pytest.fixture
def days(spark: Any, tmp_path: Path) -> Days:
    return Days(spark, tmp_path)


def test_a_reach_is_replaced_whole_and_the_days_beside_it_stay(days: Days) -> None:
    for number in (1, 2, 3, 4, 5):
        days.load(days.plan(number, run(number)), number)
    receipt = days.load(days.plan(4, run(9)), 9)
    assert days.rows() == [(1, 3), (2, 9), (3, 9), (4, 9), (5, 5)]
    assert (receipt.state, receipt.rows_inserted, receipt.rows_deleted) == ("loaded", 3, 3)


def test_what_another_run_has_read_later_is_not_overwritten(days: Days) -> None:
    days.load(days.plan(4, run(20)), 20)
    version = Ledger(days.spark, days.destination.path).version()
    with pytest.raises(InfrastructureError, match=r"loaded meanwhile with window 2013-01-04T.*reads again") as told:
        days.load(days.plan(3, run(30, read=10)), 10)
    assert told.value.where == days.destination.path
    assert days.rows() == [(2, 20), (3, 20), (4, 20)]
    assert Ledger(days.spark, days.destination.path).version() == version
    assert days.load(days.plan(3, run(40)), 40).state == "loaded"
    assert days.rows() == [(1, 40), (2, 40), (3, 40), (4, 20)]


def test_the_first_window_is_guarded_too_though_it_can_reach_no_further(days: Days) -> None:
    days.load(days.plan(2, run(20)), 20)
    made = days.plan(FIRST, run(30, read=10))
    assert made.reach == made.window
    with pytest.raises(InfrastructureError, match="loaded meanwhile"):
        days.load(made, 10)
    assert days.rows() == [(1, 20), (2, 20)]


def test_a_window_loaded_before_lookback_was_set_counts_by_its_number(days: Days) -> None:
    days.load(days.plan(2, run(20), back=None), 20)
    with pytest.raises(InfrastructureError, match="loaded meanwhile with window 2013-01-02T"):
        days.load(days.plan(3, run(30, read=10)), 10)
    assert days.load(days.plan(5, run(31, read=11)), 11).state == "loaded"  # its reach ends behind that window
    assert days.load(days.plan(3, run(32, read=25)), 25).state == "loaded"


def test_windows_of_one_run_that_were_read_in_turn_are_loaded_in_turn(days: Days) -> None:
    """A run of several windows reads all before it loads the first: its commit's number is no time of reading."""
    days.load(days.plan(2, run(30, read=10)), 10)
    assert days.load(days.plan(3, run(31, read=11)), 11).state == "loaded"
    assert days.rows() == [(1, 11), (2, 11), (3, 11)]


def test_a_cleared_load_of_the_same_rows_is_no_overlap(days: Days) -> None:
    days.load(days.plan(3, run(20, read=10)), 10)
    again = replace(run(30, read=10), run="run-20")
    assert days.load(days.plan(3, again), 10).state == "loaded"


def test_a_lost_result_is_found_again_though_newer_rows_came_since(days: Days) -> None:
    made = days.plan(3, run(10))
    days.load(made, 10)
    days.load(days.plan(4, run(20)), 20)
    context = Context(spark=days.spark, plan=made, where="load.lake", dataset="result")
    found = days.destination.done("lake", context)
    assert found is not None
    assert (found.state, found.rows_inserted) == ("already_done", 3)
    assert days.rows() == [(1, 10), (2, 20), (3, 20), (4, 20)]


def test_a_commit_whose_entry_is_gone_counts_as_later(days: Days) -> None:
    days.load(days.plan(5, run(5)), 5)
    transaction = Transaction(days.spark, days.destination.path)
    transaction.record({days.destination.unit("lake", days.plan(4, run(20))).key: run(20).number})
    transaction.commit({"refresh": "order"})
    with pytest.raises(InfrastructureError, match="loaded meanwhile with window 2013-01-04T"):
        days.load(days.plan(3, run(30, read=10)), 10)
    with pytest.raises(InfrastructureError, match="loaded meanwhile with window 2013-01-04T"):
        days.load(days.plan(FIRST, run(31, read=10)), 10)  # how far back it looked isn't known
    assert days.load(days.plan(7, run(32, read=10)), 10).state == "loaded", "its reach begins behind that window"


def test_a_commit_between_the_look_and_the_write_is_seen(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    days.load(days.plan(3, run(1)), 1)
    real, came = reaching.overtaken, []

    def overtaken(*asked: Any) -> str | None:
        told = real(*asked)
        if not came:
            came.append(True)
            days.load(days.plan(4, run(20)), 20)
        return told

    monkeypatch.setattr(reaching, "overtaken", overtaken)
    with pytest.raises(InfrastructureError, match="loaded meanwhile with window 2013-01-04T"):
        days.load(days.plan(3, run(30, read=10)), 10)
    assert days.rows() == [(1, 1), (2, 20), (3, 20), (4, 20)]


@pytest.mark.prove
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    reads=st.lists(st.integers(min_value=1, max_value=5), min_size=2, max_size=5),
    turns=st.permutations(range(5)),
)
@example(reads=[5, 4, 3, 2, 1], turns=[0, 1, 2, 3, 4])  # a backfill in reverse order
@example(reads=[1, 2, 3, 4, 5], turns=[4, 3, 2, 1, 0])
def test_whatever_the_order_each_day_is_as_it_was_last_read(
    spark: Any, tmp_path: Path, reads: list[int], turns: Sequence[int]
) -> None:
    """Runs read one after the other and publish in any order: no day is lost, doubled, or older than it was."""
    days, wanted = Days(spark, tmp_path / uuid4().hex), dict[int, int]()
    for place, turn in enumerate(turn for turn in turns if turn < len(reads)):
        made = days.plan(reads[turn], run(100 + place, read=turn))
        dates = [date.day for date in _dates(made.reading)]
        try:
            published = days.load(made, turn).state == "loaded"
        except InfrastructureError:
            published = False
        newer = any(wanted.get(date, -1) > turn for date in dates)
        assert not (published and newer)
        wanted.update(dict.fromkeys(dates, turn) if published else {})
        assert days.rows() == sorted(wanted.items())
    assert wanted, "the first is always published"
