"""`merge` on Delta: per key the highest sequence wins, whichever window brings it, and when; deletes stay deleted."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread, current_thread
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.load.by_key import Merge
from spark_jobs.load.side import TOMBSTONES
from spark_jobs.points import HOOK
from tests.spark_jobs.load.by_key import KeyedTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

SCHEMA = "id INT, seq INT, name STRING, op STRING"
BY_SEQ = Merge(strategy="merge", keys=("id",), sequence="seq", delete_when="op = 'd'")


@pytest.fixture
def people(spark: Any, tmp_path: Path) -> KeyedTable:
    return KeyedTable(spark, tmp_path, BY_SEQ, SCHEMA)


def test_the_highest_sequence_wins_whatever_the_order_of_arrival(people: KeyedTable) -> None:
    people.load(day(2), (1, 5, "new", None), (2, 1, "two", None))
    receipt = people.load(day(1), (1, 3, "old", None), (3, 1, "three", None), (3, 2, "three again", None))
    assert people.rows("id", "seq", "name") == [(1, 5, "new"), (2, 1, "two"), (3, 2, "three again")]
    assert (receipt.rows_inserted, receipt.rows_updated, receipt.rows_deleted) == (1, 0, 0)


def test_a_repeat_changes_nothing(people: KeyedTable) -> None:
    rows = [(1, 1, "one", None), (2, 1, "two", None), (2, 2, "two", "d")]
    people.load(day(1), *rows)
    receipt = people.load(day(1), *rows)
    assert people.rows("id", "name") == [(1, "one")]
    assert (receipt.state, receipt.rows_inserted, receipt.rows_updated, receipt.rows_deleted) == ("loaded", 0, 0, 0)


def test_a_late_older_row_does_not_bring_a_deleted_key_back(people: KeyedTable) -> None:
    people.load(day(1), (1, 1, "one", None))
    people.load(day(3), (1, 9, None, "d"))
    assert people.rows("id") == []
    people.load(day(2), (1, 5, "late", None))
    assert people.rows("id") == []
    people.load(day(4), (1, 10, "back", None))
    assert people.rows("id", "name") == [(1, "back")]


def test_a_delete_of_a_key_that_never_came_is_remembered(people: KeyedTable) -> None:
    people.load(day(2), (7, 4, None, "d"))
    people.load(day(1), (7, 3, "late", None), (8, 1, "eight", None))
    assert people.rows("id") == [(8,)]


def test_a_late_delete_does_not_remove_a_newer_row(people: KeyedTable) -> None:
    people.load(day(2), (1, 9, "new", None))
    people.load(day(1), (1, 5, None, "d"))
    assert people.rows("id", "name") == [(1, "new")]


@pytest.mark.prove
def test_equal_sequences_are_decided_by_content_and_a_delete_before_all(spark: Any, tmp_path: Path) -> None:
    rows = [
        (1, 5, "b", None),
        (1, 5, "a", None),
        (2, 5, "b", None),
        (2, 5, "z", "d"),
        (3, 1, None, None),
        (3, 1, "x", None),
    ]
    found = set()
    for turn, order in enumerate(([5, 4, 3, 2, 1, 0], [1, 0, 3, 2, 5, 4])):
        table = KeyedTable(spark, tmp_path / str(turn), BY_SEQ, SCHEMA)
        for number, place in enumerate(order):
            table.load(day(number + 1), rows[place])
        found.add(tuple(table.rows("id", "name")))
    whole = KeyedTable(spark, tmp_path / "whole", BY_SEQ, SCHEMA)
    whole.load(day(1, 6), *rows)
    assert found == {tuple(whole.rows("id", "name"))} == {((1, "b"), (3, "x"))}


def test_rows_without_a_key_or_a_sequence_are_told_apart_before_the_merge(people: KeyedTable) -> None:
    from spark_jobs.flow import Context
    from tests.spark_jobs.plans import attempt, plan

    context = Context(
        spark=people.spark, plan=plan(people.folder, day(1), attempt(1)), where="load.lake", dataset="result"
    )
    rows = people.spark.createDataFrame([(None, 1, "a", None), (1, None, "b", None), (2, 2, "c", None)], SCHEMA)
    limits = people.destination.outside(rows, context)
    found = {limit.rule: [row.name for row in rows.where(limit.condition).collect()] for limit in limits}
    assert found == {"null_key": ["a"], "null_sequence": ["b"]}


def test_without_a_sequence_the_later_window_wins_and_two_rows_of_a_key_are_refused(spark: Any, tmp_path: Path) -> None:
    table = KeyedTable(spark, tmp_path, Merge(strategy="merge", keys=("id",)), SCHEMA)
    table.load(day(2), (1, 0, "second", None))
    table.load(day(1), (1, 0, "first", None), (2, 0, "two", None))
    assert table.rows("id", "name") == [(1, "second"), (2, "two")]
    table.load(day(2), (1, 0, "mended", None))
    assert table.rows("id", "name") == [(1, "mended"), (2, "two")]
    before = table.version
    with pytest.raises(DataError, match=r"stand twice.*\(5,\)"):
        table.load(day(3), (5, 0, "a", None), (5, 0, "b", None))
    assert table.version == before


def test_a_soft_delete_keeps_the_row_and_what_the_deleting_row_says(spark: Any, tmp_path: Path) -> None:
    soft = Merge(strategy="merge", keys=("id",), sequence="seq", delete_when="op = 'd'", soft_delete=True)
    table = KeyedTable(spark, tmp_path, soft, SCHEMA)
    table.load(day(2), (1, 5, None, "d"), (2, 1, "two", None))
    table.load(day(1), (1, 3, "late", None), (2, 2, "gone", "d"))
    assert table.rows("id", "name", "_deleted") == [(1, None, True), (2, "gone", True)]
    table.load(day(3), (1, 6, "back", None))
    assert table.rows("id", "name", "_deleted") == [(1, "back", False), (2, "gone", True)]
    assert not (tmp_path / "table" / TOMBSTONES).exists()


def test_listed_columns_alone_are_updated(spark: Any, tmp_path: Path) -> None:
    some = Merge(strategy="merge", keys=("id",), sequence="seq", update=("name",))
    table = KeyedTable(spark, tmp_path, some, SCHEMA)
    table.load(day(1), (1, 1, "first", "kept"))
    table.load(day(2), (1, 2, "second", "ignored"))
    table.load(day(3), (1, 1, "older", "ignored"))
    assert table.rows() == [(1, 2, "second", "kept")]


def test_an_older_attempt_is_superseded_and_changes_nothing(people: KeyedTable) -> None:
    people.load(day(1), (1, 1, "one", None), second=20)
    before = people.version
    assert people.load(day(1), (1, 2, "zombie", None), second=10).state == "superseded"
    assert (people.rows("name"), people.version) == ([("one",)], before)


def test_the_same_attempt_finds_its_own_commit_again(people: KeyedTable) -> None:
    first = people.load(day(1), (1, 1, "one", None), second=10, token="mine")
    again = people.found_again(day(1), "mine")
    assert again is not None
    assert (again.state, again.version) == ("already_done", first.version)


def test_a_tombstone_that_came_between_the_look_and_the_commit_is_heeded(people: KeyedTable) -> None:
    """A late row is about to be committed; meanwhile another window deletes its key, wholly."""
    people.load(day(1), (2, 1, "two", None), (3, 1, None, "d"))
    try:

        def delete_meanwhile(point: str) -> None:
            if point == "before commit":
                HOOK.reached = None
                people.load(day(3), (1, 9, None, "d"))

        HOOK.reached = delete_meanwhile
        people.load(day(2), (1, 5, "late", None))
    finally:
        HOOK.reached = None
    assert people.rows("id") == [(2,)]


def test_what_an_earlier_try_left_undone_is_done_where_its_commit_is_found(people: KeyedTable) -> None:
    """It died right after its commit, in which it brought back a key that had been deleted since it looked."""
    people.load(day(1), (2, 1, "two", None), (3, 1, None, "d"))

    class Died(BaseException):
        pass

    def die(point: str) -> None:
        if point == "before commit":
            HOOK.reached = die_after
            hook, HOOK.reached = HOOK.reached, None
            people.load(day(3), (1, 9, None, "d"))
            HOOK.reached = hook

    def die_after(point: str) -> None:
        if point == "after commit":
            raise Died

    try:
        HOOK.reached = die
        with pytest.raises(Died):
            people.load(day(2), (1, 5, "late", None), token="mine")
    finally:
        HOOK.reached = None
    assert people.rows("id") == [(1,), (2,)]
    assert people.found_again(day(2), "mine") is not None
    assert people.rows("id") == [(2,)]


def test_new_columns_come_in_and_wider_types_are_cast(people: KeyedTable) -> None:
    people.load(day(1), (1, 1, "one", None))
    people.load(day(2), (1, 2, "uno", None, "Turin"), schema=f"{SCHEMA}, city STRING")
    people.load(day(3), (2, 1, "two", None))
    assert people.rows("id", "name", "city") == [(1, "uno", "Turin"), (2, "two", None)]


def test_scopes_keep_their_keys_and_their_tombstones_apart(spark: Any, tmp_path: Path) -> None:
    one = KeyedTable(spark, tmp_path, BY_SEQ, SCHEMA, scope={"country": "de"})
    two = KeyedTable(spark, tmp_path, BY_SEQ, SCHEMA, scope={"country": "at"})
    one.load(day(1), (1, 1, "eins", None), (2, 1, "zwei", None))
    two.load(day(1), (1, 2, "ans", None), (2, 5, None, "d"), pipeline="other")
    one.load(day(2), (2, 2, "noch", None))
    assert one.rows("id", "name", "country") == [(1, "ans", "at"), (1, "eins", "de"), (2, "noch", "de")]


def test_empty_windows_and_keys_of_several_odd_columns(spark: Any, tmp_path: Path) -> None:
    write = Merge(strategy="merge", keys=("a-b", "c.d"), sequence=("s1", "s2"))
    table = KeyedTable(spark, tmp_path, write, "`a-b` STRING, `c.d` DATE, s1 DOUBLE, s2 STRING, `x``y` MAP<STRING,INT>")
    from datetime import date

    table.load(day(1))
    table.load(day(2), ("k", date(2020, 1, 1), float("nan"), "a", {"n": 1}), ("k", date(2020, 1, 2), 1.0, "a", None))
    table.load(day(3), ("k", date(2020, 1, 1), 5.0, "z", {"n": 2}), ("k", date(2020, 1, 2), 1.0, "b", {"n": 3}))
    assert table.rows("`x``y`") == [({"n": 1},), ({"n": 3},)]


def test_a_column_that_is_not_there_is_named(people: KeyedTable) -> None:
    with pytest.raises(ConfigError, match="unknown column 'seq'"):
        people.load(day(1), (1, "x", "d"), schema="id INT, name STRING, op STRING")


def test_a_row_that_lacks_a_column_says_that_it_is_null_whichever_window_comes_first(
    spark: Any, tmp_path: Path
) -> None:
    narrow, wide = (1, 6, "b", None), (1, 5, "a", None, "Turin")
    found = []
    for turn in ("narrow first", "wide first"):
        table = KeyedTable(spark, tmp_path / turn.replace(" ", "_"), BY_SEQ, SCHEMA)
        if turn == "narrow first":
            table.load(day(1), narrow)
        table.load(day(2), wide, schema=f"{SCHEMA}, city STRING")
        if turn == "wide first":
            table.load(day(1), narrow)
        found.append(table.rows("id", "seq", "name", "city"))
    assert found == [[(1, 6, "b", None)]] * 2


def test_what_an_attempt_has_buried_that_never_committed_deletes_nothing(people: KeyedTable) -> None:
    class Died(BaseException):
        pass

    def die(point: str) -> None:
        if point == "after side commit":
            raise Died

    try:
        HOOK.reached = die
        with pytest.raises(Died):
            people.load(day(3), (1, 9, None, "d"))
    finally:
        HOOK.reached = None
    people.load(day(1), (1, 5, "one", None))
    assert people.rows("id", "name") == [(1, "one")]
    people.load(day(3), (2, 1, "two", None))
    people.load(day(1), (1, 5, "one", None))
    assert people.rows("id") == [(1,), (2,)], "the mended window deletes nothing"


def test_deletes_of_an_attempt_that_was_thought_dead_outlive_a_later_one_s(people: KeyedTable) -> None:
    """It commits after the later one has written its own tombstones; a repeat that deletes no more unsays nothing."""

    class Died(BaseException):
        pass

    def later(point: str) -> None:
        if point == "before commit":
            HOOK.reached = die
            with pytest.raises(Died):
                people.load(day(3), (2, 9, None, "d"), second=20)

    def die(point: str) -> None:
        if point == "after side commit":
            HOOK.reached = None
            raise Died

    people.load(day(1), (1, 1, "one", None))
    try:
        HOOK.reached = later
        people.load(day(3), (1, 9, None, "d"), second=10)
    finally:
        HOOK.reached = None
    people.load(day(2), (1, 5, "late", None), (2, 5, "two", None), second=30)
    assert people.rows("id") == [(2,)]
    people.load(day(3), (3, 1, "three", None), second=40)
    people.load(day(2), (1, 5, "late", None), (2, 5, "two", None), second=50)
    assert people.rows("id") == [(2,), (3,)]


def test_an_attempt_that_was_thought_dead_and_commits_meanwhile_stops_the_later_one(people: KeyedTable) -> None:
    """Its deletes aren't among the tombstones that the later one has written; the retry takes them in."""
    is_ready, may_commit = Event(), Event()

    def reached(point: str) -> None:
        if current_thread() is zombie and point == "before commit":
            is_ready.set()
            may_commit.wait(60)
        elif current_thread() is not zombie and point == "after side commit":
            may_commit.set()
            zombie.join()

    people.load(day(1), (1, 1, "one", None))
    zombie = Thread(target=lambda: people.load(day(3), (1, 9, None, "d"), second=10))
    try:
        HOOK.reached = reached
        zombie.start()
        assert is_ready.wait(60)
        with pytest.raises(InfrastructureError, match="an earlier attempt of the window committed"):
            people.load(day(3), (2, 9, None, "d"), second=20)
    finally:
        HOOK.reached = None
        may_commit.set()
    people.load(day(3), (2, 9, None, "d"), second=30)
    people.load(day(2), (1, 5, "late", None), (2, 5, "late", None), (3, 5, "three", None), second=40)
    assert people.rows("id") == [(3,)]


def test_a_pipeline_that_is_refused_has_touched_nothing(people: KeyedTable, tmp_path: Path) -> None:
    people.load(day(1), (1, 1, "one", None))
    before = people.version
    with pytest.raises(ConfigError, match="is loaded by flights too"):
        people.load(day(2), (1, 9, None, "d", "x"), schema=f"{SCHEMA}, more STRING", pipeline="stranger")
    assert people.version == before
    assert not (tmp_path / "table" / TOMBSTONES).exists()


def test_the_next_load_puts_right_what_a_dead_process_left_undone(people: KeyedTable) -> None:
    """It committed a late row after another window had deleted its key, and died before it looked again."""
    people.load(day(1), (2, 1, "two", None), (3, 1, None, "d"))

    class Died(BaseException):
        pass

    def meanwhile(point: str) -> None:
        if point == "before commit":
            HOOK.reached = None
            people.load(day(3), (1, 9, None, "d"))
            HOOK.reached = die

    def die(point: str) -> None:
        if point == "after commit":
            raise Died

    try:
        HOOK.reached = meanwhile
        with pytest.raises(Died):
            people.load(day(2), (1, 5, "late", None))
    finally:
        HOOK.reached = None
    assert people.rows("id") == [(1,), (2,)]
    people.load(day(5), (7, 1, "seven", None))
    assert people.rows("id") == [(2,), (7,)]


@pytest.mark.parametrize("kind", ["DECIMAL(10,2)", "STRING", "BIGINT", "DOUBLE"])
def test_a_type_whose_values_the_table_cannot_hold_is_refused(people: KeyedTable, kind: str) -> None:
    from decimal import Decimal

    people.load(day(1), (1, 1, "one", None))
    value: Any = {"STRING": "1", "BIGINT": 1, "DOUBLE": 1.5}.get(kind, Decimal("1.50"))
    with pytest.raises(DataError, match="column 'id' is"):
        people.load(day(2), (value, 2, "x", None), schema=f"id {kind}, seq INT, name STRING, op STRING")
    people.load(day(3), (1, 3, "three", None), schema="id SMALLINT, seq INT, name STRING, op STRING")
    assert people.rows("id", "name") == [(1, "three")]


def test_a_table_that_is_laid_out_otherwise_is_refused(spark: Any, tmp_path: Path) -> None:
    KeyedTable(spark, tmp_path, BY_SEQ, SCHEMA, partition_by=("name",)).load(day(1), (1, 1, "one", None))
    KeyedTable(spark, tmp_path, BY_SEQ, SCHEMA).load(day(2), (2, 2, "two", None))
    with pytest.raises(ConfigError, match="the table is partitioned by 'name'"):
        KeyedTable(spark, tmp_path, BY_SEQ, SCHEMA, partition_by=("id",)).load(day(3), (3, 3, "three", None))
