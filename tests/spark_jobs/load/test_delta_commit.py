"""Given commits that come while another is being made, then the table holds no row twice, or older than it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.load.delta import Delta
from spark_jobs.load.strategies import Append, ReplaceWindow
from spark_jobs.points import HOOK
from spark_jobs.transaction import Transaction
from spark_jobs.window import Window
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
APPEND = Append(strategy="append")


@dataclass
class Days:
    """A table with a file for each day; its rows say when they were read."""

    spark: Any
    folder: Path
    destination: Delta

    def load(self, window: Window, read: int, days: Sequence[int] | None = None, **rest: Any) -> str:
        """Publish what was read at a second: rows of all days of the window, or of some."""
        made = plan(self.folder, window, attempt(read), **rest)
        context = Context(spark=self.spark.newSession(), plan=made, where="load.lake", dataset="result")
        found = [window.start + timedelta(days=ahead) for ahead in range((window.end - window.start).days)]
        rows = [(read, at, at.date()) for at in found if days is None or at.day in days]
        made_of = frame(context.spark, rows, "read INT, at TIMESTAMP, date DATE")
        return str(self.destination.publish("lake", made_of, len(rows), context).state)

    def rows(self) -> list[tuple[int, int]]:
        """Day, and when it was read."""
        held = self.spark.read.format("delta").load(self.destination.path).collect()
        return sorted((row["at"].replace(tzinfo=UTC).day, row["read"]) for row in held)


@pytest.fixture
def days(spark: Any, tmp_path: Path) -> Callable[..., Days]:
    def made(write: Any, **rest: Any) -> Days:
        destination = Delta(path=str(tmp_path / "table"), write=write, partition_by=("date",), **rest)
        return Days(spark, tmp_path, destination)

    return made


def once(monkeypatch: pytest.MonkeyPatch, name: str, come: Callable[[], Any], *, after: bool = False) -> list[Any]:
    """Let something come before, or after, a transaction's method is called for the first time."""
    real, came = getattr(Transaction, name), list[Any]()

    def called(transaction: Transaction, *given: Any) -> Any:
        first = not came
        if first:
            came.append(None)
        if first and not after:
            came[0] = come()
        told = real(transaction, *given)
        if first and after:
            came[0] = come()
        return told

    monkeypatch.setattr(Transaction, name, called)
    return came


def test_a_span_that_comes_after_the_last_look_for_cuts_is_seen(
    days: Callable[..., Days], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows were read earlier, so that it isn't newer: but the window's rows would stand beside its own."""
    table = days(APPEND)
    assert table.load(day(9), 1) == "loaded"
    come = ["", "loads"]

    def reached(point: str) -> None:
        if point == "before commit" and come.pop():
            come.append(table.load(day(1, 3), 20))

    monkeypatch.setattr(HOOK, "reached", reached)
    with pytest.raises(DataError, match=r"2013-01-02.* cuts through 2013-01-01"):
        table.load(day(2), 40)
    assert come == ["loaded"]
    assert table.rows() == [(1, 20), (2, 20), (3, 20), (9, 1)]


def test_a_span_that_was_emptied_while_older_rows_of_a_window_in_it_were_written_stays_empty(
    days: Callable[..., Days], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = days(BY_TIME)
    assert table.load(day(9), 1) == "loaded"
    came = once(monkeypatch, "commit", lambda: table.load(day(1, 3), 40, days=()))
    with pytest.raises(InfrastructureError, match="loaded meanwhile with window 2013-01-01T"):
        table.load(day(2), 20)
    assert came == ["loaded"]
    assert table.rows() == [(9, 1)]


def test_a_span_with_rows_elsewhere_alone_empties_a_day_whose_older_rows_are_being_written(
    days: Callable[..., Days], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It touches no file of the day: to Delta the two have nothing to do with each other."""
    table = days(BY_TIME)
    assert table.load(day(9), 1) == "loaded"
    came = once(monkeypatch, "replace", lambda: table.load(day(1, 3), 40, days=(1,)), after=True)
    with pytest.raises(InfrastructureError, match="loaded meanwhile with window 2013-01-01T"):
        table.load(day(2), 20)
    assert came == ["loaded"]
    assert table.rows() == [(1, 40), (9, 1)]


def test_windows_that_find_nothing_do_not_get_in_each_other_s_way_for_long(
    days: Callable[..., Days], monkeypatch: pytest.MonkeyPatch
) -> None:
    table = days(BY_TIME)
    assert table.load(day(9), 1) == "loaded"
    came = once(monkeypatch, "commit", lambda: table.load(day(3), 30, days=()))
    assert table.load(day(2), 20, days=()) == "loaded"
    assert came == ["loaded"]
    assert table.rows() == [(9, 1)]


def test_rows_that_were_staged_are_not_tried_again_where_newer_ones_are_there(days: Callable[..., Days]) -> None:
    """The retry of a task that only loads would bring the same rows: it fails for good, and says what helps."""
    table = days(BY_TIME)
    assert table.load(day(1, 3), 40) == "loaded"
    with pytest.raises(DataError, match="clear the run from its extract task on"):
        table.load(day(2), 20, verbs=("load",))
    with pytest.raises(InfrastructureError, match="the retry reads again"):
        table.load(day(2), 20)
    assert table.rows() == [(1, 40), (2, 40), (3, 40)]


@pytest.mark.parametrize("partition_by", [(), ("date",)])
def test_a_snapshot_may_lay_the_table_out_anew_and_take_a_column_away(
    spark: Any, tmp_path: Path, partition_by: tuple[str, ...]
) -> None:
    from spark_jobs.ledger import Ledger
    from spark_jobs.load.strategies import Snapshot

    path, other = str(tmp_path / "table"), ("date",) if not partition_by else ()
    rows = [(1, datetime(2013, 1, 1, tzinfo=UTC), datetime(2013, 1, 1, tzinfo=UTC).date())]
    first = frame(spark, rows, "read INT, at TIMESTAMP, date DATE")
    for number, layout, made in ((1, partition_by, first), (2, other, first.drop("at"))):
        destination = Delta(path=path, write=Snapshot(strategy="snapshot"), partition_by=layout)
        made_for = plan(tmp_path, day(number), attempt(number))
        context = Context(spark=spark, plan=made_for, where="load.lake", dataset="result")
        assert destination.publish("lake", made, 1, replace(context)).rows_inserted == 1
        assert Ledger(spark, path).partition_columns() == list(layout)
    assert spark.read.format("delta").load(path).columns == ["read", "date"]
