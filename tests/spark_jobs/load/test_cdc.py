"""`cdc` on Delta: change streams, flat or in envelopes, with key changes, truncates and histories."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.flow import Context
from spark_jobs.load.by_key import Cdc
from tests.spark_jobs.load.by_key import KeyedTable
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

FLAT = "op STRING, id INT, name STRING, lsn BIGINT"
RECORD = "STRUCT<id: INT, name: STRING>"
ENVELOPE = f"op STRING, before {RECORD}, after {RECORD}, lsn BIGINT"
BY_LSN = Cdc(strategy="cdc", keys=("id",), sequence="lsn", operation="op")
ENVELOPES = Cdc(strategy="cdc", keys=("id",), sequence="lsn", operation="op", before="before", after="after")


def test_several_events_of_a_key_in_one_window_and_in_any_order_of_windows(spark: Any, tmp_path: Path) -> None:
    windows = {
        1: [("c", 1, "one", 1), ("u", 1, "uno", 2), ("c", 2, "two", 3), ("d", 2, None, 4)],
        2: [("d", 1, None, 5), ("C ", 1, "again", 6), ("r", 3, "three", 7)],
        3: [("c", 2, "back", 9), ("d", 3, None, 8), ("d", 2, None, 4)],
    }
    found = set()
    for order in ((3, 1, 2),):
        table = KeyedTable(spark, tmp_path / "".join(map(str, order)), BY_LSN, FLAT)
        for number in order:
            table.load(day(number), *windows[number])
        assert table.rows("id", "name", "lsn") == [(1, "again", 6), (2, "back", 9)]
        found.add(tuple(sorted(spark.read.format("delta").load(table.path).columns)))
    assert found == {("id", "lsn", "name")}


def test_an_update_that_changes_the_key_moves_the_row(spark: Any, tmp_path: Path) -> None:
    table = KeyedTable(spark, tmp_path, ENVELOPES, ENVELOPE)
    table.load(day(2), ("u", (1, "one"), (5, "moved"), 2), ("d", (7, "x"), None, 9))
    table.load(day(1), ("c", None, (1, "one"), 1), ("c", None, (7, "seven"), 1), ("c", None, (8, "eight"), 1))
    assert table.rows("id", "name", "lsn") == [(5, "moved", 2), (8, "eight", 1)]


def test_a_truncate_removes_all_that_came_before_it_and_nothing_after(spark: Any, tmp_path: Path) -> None:
    windows = {
        1: [("c", 1, "one", 1), ("c", 2, "two", 2), ("d", 2, None, 7)],
        2: [("t", None, None, 5), ("c", 3, "three", 4)],
        3: [("c", 1, "back", 6), ("u", 4, "late", 3)],
    }
    for order in ((3, 1, 2),):
        table = KeyedTable(spark, tmp_path / "".join(map(str, order)), BY_LSN, FLAT)
        for number in order:
            table.load(day(number), *windows[number])
        assert table.rows("id", "name") == [(1, "back")], order


def test_events_without_a_key_or_with_an_unknown_operation_are_told_and_truncates_are_not(
    spark: Any, tmp_path: Path
) -> None:
    rows = [("c", None, "a", 1), ("t", None, None, 2), ("x", 1, "b", 3), (None, 1, "c", 4), ("d", 1, "d", None)]
    context = Context(spark=spark, plan=plan(tmp_path, day(1), attempt(1)), where="load.lake", dataset="result")
    table = KeyedTable(spark, tmp_path, BY_LSN, FLAT)
    frame = spark.createDataFrame(rows, FLAT)
    found = {
        limit.rule: [row.name for row in frame.where(limit.condition).collect()]
        for limit in table.destination.outside(frame, context)
    }
    assert found == {"unknown_operation": ["b", "c"], "null_key": ["a"], "null_sequence": ["d"]}
    events = [
        ("c", (1, "b"), (None, "a"), 1),
        ("d", (None, "x"), (1, "y"), 2),
        ("u", None, (2, "z"), 3),
        ("d", None, None, 4),
    ]
    enveloped = spark.createDataFrame(events, ENVELOPE)
    keyless = next(
        limit
        for limit in KeyedTable(spark, tmp_path, ENVELOPES, ENVELOPE).destination.outside(enveloped, context)
        if limit.rule == "null_key"
    )
    assert [row.lsn for row in enveloped.where(keyless.condition).collect()] == [1, 2, 4]


@pytest.mark.prove
def test_a_history_of_events_with_a_truncate(spark: Any, tmp_path: Path) -> None:
    write = Cdc(strategy="cdc", keys=("id",), sequence="lsn", operation="op", history="scd2", valid_from="at")

    def at(number: int) -> datetime:
        return datetime(2013, 1, number)  # noqa: DTZ001

    windows = {
        1: [("c", 1, "one", 1, at(1)), ("c", 2, "two", 2, at(2))],
        2: [("t", None, None, 5, at(5)), ("u", 1, "uno", 3, at(3))],
        3: [("c", 1, "back", 6, at(6)), ("d", 2, None, 4, at(4))],
    }
    for order in ((3, 1, 2),):
        table = KeyedTable(spark, tmp_path / "".join(map(str, order)), write, f"{FLAT}, at TIMESTAMP")
        for number in order:
            table.load(day(number), *windows[number])
        assert table.rows("id", "name", "valid_from", "valid_to") == [
            (1, "back", at(6), None),
            (1, "one", at(1), at(3)),
            (1, "uno", at(3), at(5)),
            (2, "two", at(2), at(4)),
        ], order


def test_a_record_before_without_a_key_moves_nothing(spark: Any, tmp_path: Path) -> None:
    """Some streams send an empty record, or only what has changed: it must not pass for a truncate."""
    table = KeyedTable(spark, tmp_path, ENVELOPES, ENVELOPE)
    table.load(day(1), ("c", (None, None), (1, "one"), 7), ("c", None, (2, "two"), 1))
    table.load(day(2), ("u", (None, "one"), (1, "uno"), 8))
    assert table.rows("id", "name") == [(1, "uno"), (2, "two")]


def test_records_before_and_after_are_matched_by_the_names_of_their_fields(spark: Any, tmp_path: Path) -> None:
    schema = "op STRING, before STRUCT<name: STRING, id: STRING>, after STRUCT<id: STRING, name: STRING>, lsn INT"
    table = KeyedTable(spark, tmp_path, ENVELOPES, schema)
    table.load(day(1), ("c", None, ("k1", "one"), 1), ("c", None, ("one", "two"), 1))
    table.load(day(2), ("d", ("one", "k1"), None, 2))
    assert table.rows("id", "name") == [("one", "two")]


def test_a_truncate_is_of_no_key_whatever_its_event_says(spark: Any, tmp_path: Path) -> None:
    table = KeyedTable(spark, tmp_path, BY_LSN, FLAT)
    table.load(day(1), ("c", 1, "one", 1), ("c", 2, "two", 2))
    table.load(day(2), ("t", 0, None, 5))
    assert table.rows("id") == []


def test_envelopes_of_a_scope_delete_and_truncate_their_own_rows_alone(spark: Any, tmp_path: Path) -> None:
    record = "STRUCT<id: INT, country: STRING>"
    schema = f"op STRING, before {record}, after {record}, lsn INT"
    german = KeyedTable(spark, tmp_path, ENVELOPES, schema, scope={"country": "de"})
    austrian = KeyedTable(spark, tmp_path, ENVELOPES, schema, scope={"country": "at"})
    german.load(day(1), ("c", None, (1, "de"), 1), ("c", None, (2, "de"), 1))
    austrian.load(day(1), ("c", None, (1, "at"), 1), pipeline="other")
    german.load(day(2), ("d", (1, None), None, 2))
    assert german.rows("id", "country") == [(1, "at"), (2, "de")]
    german.load(day(3), ("t", None, None, 3))
    assert german.rows("id", "country") == [(1, "at")]
    frame = spark.createDataFrame([("c", None, (3, "at"), 4), ("c", None, (4, "de"), 5)], schema)
    context = Context(spark=spark, plan=plan(tmp_path, day(1), attempt(1)), where="load.lake", dataset="result")
    strays = {
        limit.rule: [row.lsn for row in frame.where(limit.condition).collect()]
        for limit in german.destination.outside(frame, context)
    }
    assert strays["outside_scope"] == [4]
