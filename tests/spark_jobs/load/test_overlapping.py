"""Given windows that overlap, such as a live one and a span that somebody asks for, then no row goes back in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from spark_jobs.connections import Connections
from spark_jobs.errors import InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.iceberg.attaching import attach
from spark_jobs.iceberg.catalogs import Catalog
from spark_jobs.iceberg.table import IcebergTable
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.delta import Delta
from spark_jobs.load.files import Files
from spark_jobs.load.iceberg import Iceberg
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.load.reaching import reading_of, refuse_overtaken
from spark_jobs.load.strategies import Append, ReplaceWindow, Snapshot
from spark_jobs.plan import Attempt
from spark_jobs.points import HOOK
from spark_jobs.window import Window
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, day, plan

BY_TIME = ReplaceWindow(strategy="replace_window", column="at")
APPEND = Append(strategy="append")
Run = tuple[int, int, int]  # the day that its window begins with, how many days it has, how long it works


@dataclass
class Book:
    """A ledger as all destinations have it, and what the table then holds: day -> when its source was read."""

    units: dict[str, int] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    days: dict[int, int] = field(default_factory=dict)

    def commit(self, window: Window, read: int, number: int, *, told: bool) -> str:
        """What becomes of rows that were read at a moment, and are published with a number of their own."""
        unit = LoadUnit(pipeline="flights", destination="lake", window=window).key
        made = plan(Path(), window, Attempt(number=number, since=read, token="t", run="r"))
        reading = reading_of(made, "result", Delta(path="unused", write=BY_TIME), unit)
        assert reading is not None
        if self.units.get(unit, -1) >= read:
            return "superseded"  # by another run of the very window
        try:
            refuse_overtaken(lambda: self.entries, self.units, reading, "table")
        except InfrastructureError:
            return "refused"
        self.units[unit] = number
        if told:
            self.entries[unit] = {"number": number, "window": window.to_json(), **reading.told()}
        self.days.update(dict.fromkeys(_days(window), read))
        return "loaded"


def _days(window: Window) -> list[int]:
    return [(window.start + timedelta(days=ahead)).day for ahead in range((window.end - window.start).days)]


RUNS = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 12)), min_size=2, max_size=9)


@settings(deadline=None)
@given(runs=RUNS, told=st.booleans())
@example(runs=[(1, 6, 9), (3, 1, 1)], told=True)  # a live day is read and loaded while the span that holds it runs
@example(runs=[(3, 1, 9), (1, 6, 1)], told=False)  # the span is read later than the day, and loaded earlier
def test_whatever_overlaps_each_day_is_as_it_was_last_read(runs: list[Run], told: bool) -> None:
    """Runs begin one after the other, read at once, and publish when they are through."""
    book = Book()
    ends = sorted((begun + lasts, begun) for begun, (_, _, lasts) in enumerate(runs, 1))
    for ended, begun in ends:
        first, days, _ = runs[begun - 1]
        window = day(first, days)
        newer = any(book.days.get(which, 0) > begun for which in _days(window))
        before = dict(book.days)
        state = book.commit(window, begun, ended, told=told)
        assert not (state == "loaded" and newer)
        assert all(book.days[which] >= read for which, read in before.items())
        if told and state == "refused":
            assert newer, "nobody is sent back for nothing"


def test_windows_that_only_touch_ask_nothing_of_the_ledger() -> None:
    """A backfill's windows are loaded in any order: each would else read the whole log."""
    held = {LoadUnit(pipeline="flights", destination="lake", window=day(number)).key: 99 for number in (1, 3, 4)}
    held |= {LoadUnit(pipeline="flights", destination="other", window=day(2)).key: 99}
    made = plan(Path(), day(2), attempt(1))
    reading = reading_of(made, "result", Delta(path="unused", write=APPEND), "etl:flights:lake:x")
    assert reading is not None
    refuse_overtaken(lambda: pytest.fail("it was asked"), held, reading, "table")


def test_a_snapshot_is_guarded_by_its_window_s_end() -> None:
    made = plan(Path(), day(2), attempt(1))
    destination = Delta(path="unused", write=Snapshot(strategy="snapshot"))
    assert reading_of(made, "result", destination, "etl:flights:lake:snapshot") is None


# -- the same, with tables ------------------------------------------------------------------------------------------


@dataclass
class Table:
    """A table; each of its rows says when it was read."""

    destination: Any
    context: Callable[[Window, int], Context]
    held: Callable[[], list[tuple[int, int]]]

    def load(self, window: Window, number: int, since: int | None = None) -> str:
        """Publish what was read at a second, which the number of the attempt is of where nothing else is said."""
        context, read = self.context(window, number), number if since is None else since
        who = replace(context.plan.attempt, since=attempt(read).number)
        context = replace(context, plan=replace(context.plan, attempt=who))
        rows = [(read, datetime(2013, 1, number, 12, tzinfo=UTC)) for number in _days(window)]
        made = frame(context.spark, rows, "read INT, at TIMESTAMP")
        return str(self.destination.publish("lake", made, len(rows), context).state)


@pytest.fixture(params=["delta", "iceberg", "files", "postgres"])
def table(spark: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Table:
    def context(window: Window, read: int, **more: Any) -> Context:
        known = more.pop("connections", Connections())
        made = plan(tmp_path, window, attempt(read), **more)
        session = spark.newSession()
        return Context(spark=session, plan=made, where="load.lake", dataset="result", connections=known)

    def sorted_rows(rows: Any) -> list[tuple[int, int]]:
        return sorted((row["at"].day, row["read"]) for row in rows.collect())

    path = str(tmp_path / "table")
    if request.param == "delta":
        return Table(
            Delta(path=path, write=BY_TIME), context, lambda: sorted_rows(spark.read.format("delta").load(path))
        )
    if request.param == "files":
        files = Files(path=path, format="parquet", write=BY_TIME)
        counts = f"{path}/_etl/current.txt"
        return Table(
            files,
            context,
            lambda: sorted_rows(spark.read.parquet(*[f"{path}/{name}" for name in Path(counts).read_text().split()])),
        )
    if request.param == "iceberg":
        catalog = Catalog(name="lake", type="hadoop", warehouse=str(tmp_path / "warehouse"))

        def rows() -> Any:
            session = spark.newSession()
            attach(session, catalog, Connections())
            return IcebergTable(session, catalog, "sales.seen").rows()

        destination = Iceberg(catalog="lake", table="sales.seen", write=BY_TIME)
        known = {"lake": catalog.to_json()}
        return Table(
            destination,
            lambda window, read: context(window, read, catalogs=known),
            lambda: sorted_rows(rows()),
        )
    server = request.getfixturevalue("postgres")
    server.run(*[f"DROP TABLE IF EXISTS {name}" for name in ("spans_seen", "_etl_loads", "_etl_owners")])
    given_here = Connections(server.connection("db"))
    return Table(
        Jdbc(connection="db", table="spans_seen", write=BY_TIME),
        lambda window, read: context(window, read, connections=given_here),
        lambda: server.rows("SELECT EXTRACT(day FROM at)::int, read FROM spans_seen ORDER BY at"),
    )


@pytest.mark.spark
def test_a_table_goes_back_neither_by_the_span_nor_by_the_window_in_it(table: Table) -> None:
    assert table.load(day(1), 1) == "loaded"
    assert table.load(day(1, 3), 20) == "loaded"
    with pytest.raises(InfrastructureError, match=r"loaded meanwhile with window 2013-01-01T00:00:00Z/2013-01-04T"):
        table.load(day(2), 10)
    assert table.load(day(2), 30) == "loaded"
    with pytest.raises(InfrastructureError, match=r"loaded meanwhile with window 2013-01-02T00:00:00Z/2013-01-03T"):
        table.load(day(1, 4), 25)
    assert table.held() == [(1, 20), (2, 30), (3, 20)]
    assert table.load(day(4), 5) == "loaded", "it shares no day with them"
    assert table.load(day(1, 4), 40) == "loaded"
    assert table.held() == [(1, 40), (2, 40), (3, 40), (4, 40)]


@pytest.mark.spark
@pytest.mark.parametrize("table", ["delta", "iceberg"], indirect=True)  # the others look again within their lock
def test_a_run_of_the_same_window_that_commits_just_before_is_not_undone(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A staged run that read at 5 has looked for newer ones; then one that read at 20 commits, with a lower number."""
    assert table.load(day(1), 1) == "loaded"
    come = ["", "loads"]

    def reached(point: str) -> None:
        if point == "before commit" and come.pop():
            come.append(table.load(day(1), 20))

    monkeypatch.setattr(HOOK, "reached", reached)
    assert table.load(day(1), 40, since=5) == "superseded"
    assert (come, table.held()) == (["loaded"], [(1, 20)])
