"""`scd2` on Delta: a history is a function of the set of its events, in whatever windows and order they come."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.load.by_key import Scd2
from spark_jobs.points import HOOK
from tests.spark_jobs.load.by_key import KeyedTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

SCHEMA = "id INT, at TIMESTAMP, city STRING, note STRING"
TRACKED = Scd2(strategy="scd2", keys=("id",), valid_from="at", track=("city",), delete_when="note = 'gone'")
COLUMNS = ("id", "city", "note", "valid_from", "valid_to", "is_current")


def at(number: int) -> datetime:
    return datetime(2013, 1, number)  # noqa: DTZ001 - Spark's session is in UTC


@pytest.fixture
def people(spark: Any, tmp_path: Path) -> KeyedTable:
    return KeyedTable(spark, tmp_path, TRACKED, SCHEMA)


def test_a_change_of_a_tracked_column_ends_a_version_and_begins_one(people: KeyedTable) -> None:
    people.load(day(1), (1, at(1), "Rome", "a"))
    people.load(day(2), (1, at(2), "Rome", "b"))
    people.load(day(3), (1, at(3), "Oslo", "c"))
    assert people.rows(*COLUMNS) == [
        (1, "Oslo", "c", at(3), None, True),
        (1, "Rome", "a", at(1), at(3), False),
    ]


def test_a_late_event_splits_a_version(people: KeyedTable) -> None:
    people.load(day(1), (1, at(1), "Rome", "a"))
    people.load(day(4), (1, at(4), "Rome", "d"))
    assert people.rows(*COLUMNS) == [(1, "Rome", "a", at(1), None, True)]
    receipt = people.load(day(2), (1, at(2), "Oslo", "b"))
    assert people.rows(*COLUMNS) == [
        (1, "Oslo", "b", at(2), at(4), False),
        (1, "Rome", "a", at(1), at(2), False),
        (1, "Rome", "d", at(4), None, True),
    ]
    assert (receipt.rows_inserted, receipt.rows_updated, receipt.rows_deleted) == (2, 1, 0)


def test_a_delete_closes_without_opening_and_null_is_a_value(people: KeyedTable) -> None:
    people.load(
        day(1), (1, at(1), "Rome", None), (1, at(2), None, None), (1, at(3), None, "gone"), (2, at(1), "x", "gone")
    )
    people.load(day(5), (1, at(5), None, "back"))
    assert people.rows(*COLUMNS) == [
        (1, "Rome", None, at(1), at(2), False),
        (1, None, "back", at(5), None, True),
        (1, None, None, at(2), at(3), False),
    ]


@pytest.mark.prove
def test_every_order_of_windows_ends_alike(spark: Any, tmp_path: Path) -> None:
    windows = {
        1: [(1, at(1), "Rome", "a"), (2, at(3), "Bern", "x")],
        2: [(1, at(4), "Oslo", "b"), (1, at(2), "Rome", "late")],
        3: [(1, at(3), "Rome", "gone"), (2, at(1), "Bern", "y"), (2, at(9), "Graz", "z")],
    }
    found = set()
    for order in ((3, 1, 2),):
        table = KeyedTable(spark, tmp_path / "".join(map(str, order)), TRACKED, SCHEMA)
        for number in order:
            table.load(day(number), *windows[number])
        found.add(tuple(table.rows(*COLUMNS)))
    assert found == {
        (
            (1, "Oslo", "b", at(4), None, True),
            (1, "Rome", "a", at(1), at(3), False),
            (2, "Bern", "y", at(1), at(9), False),
            (2, "Graz", "z", at(9), None, True),
        )
    }


def test_a_repeat_whose_source_has_changed_replaces_what_the_window_contributed(people: KeyedTable) -> None:
    people.load(day(1), (1, at(1), "Rome", "a"), (2, at(1), "Bern", "b"))
    people.load(day(2), (1, at(2), "Oslo", "c"))
    people.load(day(1), (3, at(1), "Graz", "d"))
    assert people.rows(*COLUMNS) == [
        (1, "Oslo", "c", at(2), None, True),
        (3, "Graz", "d", at(1), None, True),
    ]
    people.load(day(1))
    assert people.rows("id") == [(1,)]


def test_a_try_that_died_before_the_table_s_commit_leaves_nothing_behind_for_ever(people: KeyedTable) -> None:
    """It had replaced the events already: the key that the window brings no more must still be mended."""
    people.load(day(1), (1, at(1), "Rome", "a"))

    class Died(BaseException):
        pass

    def die(point: str) -> None:
        if point == "before commit":
            raise Died

    try:
        HOOK.reached = die
        with pytest.raises(Died):
            people.load(day(1), (2, at(1), "Bern", "b"))
    finally:
        HOOK.reached = None
    assert people.rows("id") == [(1,)]
    people.load(day(1), (2, at(1), "Bern", "b"))
    assert people.rows("id") == [(2,)]


def test_two_differing_events_at_one_instant_are_refused_before_anything_is_written(people: KeyedTable) -> None:
    people.load(day(1), (1, at(1), "Rome", "a"), (1, at(1), "Rome", "a"))
    with pytest.raises(DataError, match="differ at one instant"):
        people.load(day(2), (1, at(1), "Oslo", "b"))
    people.load(day(3), (1, at(3), "Graz", "c"))
    assert people.rows("city") == [("Graz",), ("Rome",)]


def test_a_sequence_orders_events_of_one_instant(spark: Any, tmp_path: Path) -> None:
    write = Scd2(strategy="scd2", keys=("id",), valid_from="at", track=("city",), sequence="note")
    table = KeyedTable(spark, tmp_path, write, SCHEMA)
    table.load(day(2), (1, at(1), "Oslo", "2"))
    table.load(day(1), (1, at(1), "Rome", "1"), (1, at(1), "Bern", "0"))
    assert table.rows(*COLUMNS) == [(1, "Oslo", "2", at(1), None, True)]


def test_an_event_that_comes_between_the_look_and_the_commit_is_in_the_history(people: KeyedTable) -> None:
    people.load(day(1), (1, at(1), "Rome", "a"))

    def meanwhile(point: str) -> None:
        if point == "before commit":
            HOOK.reached = None
            people.load(day(3), (1, at(3), "Graz", "c"))

    try:
        HOOK.reached = meanwhile
        people.load(day(2), (1, at(2), "Oslo", "b"))
    finally:
        HOOK.reached = None
    assert people.rows("city", "valid_from", "valid_to") == [
        ("Graz", at(3), None),
        ("Oslo", at(2), at(3)),
        ("Rome", at(1), at(2)),
    ]


def test_a_covering_window_takes_the_smaller_ones_place_and_one_that_cuts_through_is_refused(
    people: KeyedTable,
) -> None:
    people.load(day(1), (1, at(1), "Rome", "a"))
    people.load(day(2), (1, at(2), "Oslo", "b"))
    people.load(day(1, 2), (1, at(1), "Rome", "a"), (1, at(2), "Bern", "c"))
    assert people.rows("city") == [("Bern",), ("Rome",)]
    with pytest.raises(DataError, match="cuts through"):
        people.load(day(2, 2), (1, at(3), "x", "d"))


def test_an_older_attempt_is_superseded_and_changes_neither_table_nor_events(people: KeyedTable) -> None:
    people.load(day(1), (1, at(1), "Rome", "a"), second=20)
    assert people.load(day(1), (1, at(1), "Oslo", "zombie"), second=10).state == "superseded"
    people.load(day(2), (1, at(2), "Rome", "b"), second=21)
    assert people.rows("city", "note") == [("Rome", "a")]


def test_new_columns_are_tracked_once_they_come(spark: Any, tmp_path: Path) -> None:
    table = KeyedTable(
        spark, tmp_path, Scd2(strategy="scd2", keys=("id",), valid_from="at"), "id INT, at TIMESTAMP, a STRING"
    )
    table.load(day(1), (1, at(1), "x"))
    table.load(day(2), (1, at(2), "x", "new"), schema="id INT, at TIMESTAMP, a STRING, b STRING")
    assert table.rows("a", "b", "valid_from") == [("x", "new", at(2)), ("x", None, at(1))]


def test_a_window_whose_commit_a_covering_one_overtook_leaves_the_covering_ones_history(people: KeyedTable) -> None:
    def covering(point: str) -> None:
        if point == "before commit":
            HOOK.reached = None
            people.load(day(1, 2), (1, at(1), "Rome", "a"), (1, at(2), "Oslo", "b"))

    try:
        HOOK.reached = covering
        people.load(day(2), (1, at(2), "Oslo", "b"))
    finally:
        HOOK.reached = None
    assert people.rows("city", "valid_from", "valid_to") == [("Oslo", at(2), None), ("Rome", at(1), at(2))]


def test_events_of_an_attempt_that_died_are_in_no_other_window_s_history(people: KeyedTable) -> None:
    class Died(BaseException):
        pass

    def die(point: str) -> None:
        if point == "after side commit":
            raise Died

    people.load(day(1), (1, at(1), "Rome", "a"))
    try:
        HOOK.reached = die
        with pytest.raises(Died):
            people.load(day(2), (1, at(2), "Oslo", "b"), (2, at(2), "Bern", "c"))
    finally:
        HOOK.reached = None
    people.load(day(3), (1, at(3), "Graz", "d"))
    assert people.rows("city") == [("Graz",), ("Rome",)]
    people.load(day(2), (1, at(2), "Oslo", "b"), (2, at(2), "Bern", "c"))
    assert people.rows("city") == [("Bern",), ("Graz",), ("Oslo",), ("Rome",)]


def test_an_attempt_that_was_thought_dead_commits_after_a_later_one_has_begun(people: KeyedTable) -> None:
    """The later one must leave the events alone that the table's ledger is about to name."""

    class Died(BaseException):
        pass

    def later(point: str) -> None:
        if point == "before commit":
            HOOK.reached = die
            with pytest.raises(Died):
                people.load(day(1), (1, at(1), "Rome", "a"), second=20)

    def die(point: str) -> None:
        if point == "after side commit":
            HOOK.reached = None
            raise Died

    try:
        HOOK.reached = later
        people.load(day(1), (1, at(1), "Rome", "a"), second=10)
    finally:
        HOOK.reached = None
    assert people.rows(*COLUMNS) == [(1, "Rome", "a", at(1), None, True)]
    people.load(day(2), (1, at(2), "Oslo", "b"), second=30)
    assert people.rows("city", "valid_to") == [("Oslo", None), ("Rome", at(2))]
    people.load(day(1), (1, at(1), "Graz", "c"), second=40)
    assert people.rows("city", "valid_to") == [("Graz", at(2)), ("Oslo", None)]


@pytest.mark.prove
def test_a_narrower_window_changes_no_version_that_wider_ones_have_made(spark: Any, tmp_path: Path) -> None:
    schema = "id INT, at TIMESTAMP, a STRING"
    table = KeyedTable(spark, tmp_path, Scd2(strategy="scd2", keys=("id",), valid_from="at"), schema)
    table.load(day(1), (1, at(1), "x"))
    table.load(day(2), (1, at(2), "x", "new"), schema=f"{schema}, b STRING")
    table.load(day(3), (1, at(3), "x"))
    assert table.rows("a", "b", "valid_from") == [("x", "new", at(2)), ("x", None, at(1)), ("x", None, at(3))]


def test_a_table_whose_rows_no_event_explains_is_refused(spark: Any, tmp_path: Path) -> None:
    table = KeyedTable(spark, tmp_path, TRACKED, SCHEMA)
    rows = spark.createDataFrame([(1, at(1), "Rome", "a")], SCHEMA)
    rows.write.format("delta").save(table.path)
    with pytest.raises(ConfigError, match="no event of this load explains"):
        table.load(day(1), (1, at(1), "Rome", "a"))
