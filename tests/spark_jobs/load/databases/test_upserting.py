"""`merge` into real databases: per key the highest sequence wins, whichever window brings it, and when."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.load.by_key import Merge
from tests.spark_jobs.load.databases.tables import DatabaseTable
from tests.spark_jobs.plans import day

pytestmark = pytest.mark.spark

SCHEMA = "id INT, seq INT, name STRING, op STRING"
BY_SEQ = Merge(strategy="merge", keys=("id",), sequence="seq", delete_when="op = 'd'")
Maker = Callable[..., DatabaseTable]


@pytest.fixture(params=["postgres", "mariadb"])
def table(spark: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Maker:
    server = request.getfixturevalue(request.param)

    def make(name: str = "people", write: Merge = BY_SEQ, schema: str = SCHEMA, **options: Any) -> DatabaseTable:
        ours = (name, "_etl_loads", "_etl_owners", f"_etl_gone_{name}")
        server.run(*[f"DROP TABLE IF EXISTS {known}" for known in ours])
        return DatabaseTable(spark, server, tmp_path, name, write, schema, **options)

    return make


def test_the_highest_sequence_wins_whatever_the_order_of_arrival(table: Maker) -> None:
    people = table()
    people.load(day(2), (1, 5, "new", None), (2, 1, "two", None))
    rows = [(1, 3, "old", None), (3, 1, "three", None), (3, 2, "three again", None), (2, 2, None, None)]
    receipt = people.load(day(1), *rows)
    assert people.rows("id, seq, name") == [(1, 5, "new"), (2, 2, None), (3, 2, "three again")]
    assert (receipt.rows_inserted, receipt.rows_updated, receipt.rows_deleted) == (1, 1, 0)
    again = people.load(day(1), *rows)
    assert (again.state, again.rows_inserted, again.rows_updated, again.rows_deleted) == ("loaded", 0, 0, 0)
    assert people.load(day(1), (1, 9, "zombie", None), second=0.5).state == "superseded"
    assert people.rows("id, seq, name") == [(1, 5, "new"), (2, 2, None), (3, 2, "three again")]
    assert people.load(day(3)).rows_inserted == 0


def test_deleted_keys_stay_deleted_and_late_deletes_remove_nothing_newer(table: Maker) -> None:
    people = table()
    people.load(day(1), (1, 1, "one", None), (4, 9, "four", None))
    gone = people.load(day(3), (1, 9, None, "d"), (7, 4, None, "d"), (4, 5, None, "d"), (1, 8, None, "d"))
    assert gone.rows_deleted == 1
    assert people.rows("id, name") == [(4, "four")]
    people.load(day(2), (1, 5, "late", None), (7, 3, "late", None), (7, 4, "tie", None))
    assert people.rows("id, name") == [(4, "four")]
    people.load(day(4), (1, 10, "back", None))
    assert people.rows("id, name") == [(1, "back"), (4, "four")]


def test_equal_sequences_are_decided_by_content_and_a_delete_before_all(table: Maker) -> None:
    rows = [
        *[(1, 5, "b", None), (1, 5, "B", None), (1, 5, "b ", None)],
        *[(2, 5, "b", None), (2, 5, "z", "d"), (3, 1, None, None), (3, 1, "x", None)],
    ]
    found = set()
    for order in ([6, 5, 4, 3, 2, 1, 0], [1, 4, 3, 6, 5, 0, 2]):
        people = table()
        half = [rows[place] for place in order]
        people.load(day(1), *half[:4])
        people.load(day(2), *half[4:])
        found.add(tuple(people.rows("id, name")))
    whole = table()
    whole.load(day(1, 6), *rows)
    assert found == {tuple(whole.rows("id, name"))} == {((1, "b "), (3, "x"))}


def test_without_a_sequence_the_later_window_wins_and_two_rows_of_a_key_are_refused(table: Maker) -> None:
    people = table(write=Merge(strategy="merge", keys=("id",)))
    people.load(day(2), (1, 0, "second", None))
    people.load(day(1), (1, 0, "first", None), (2, 0, "two", None))
    assert people.rows("id, name") == [(1, "second"), (2, "two")]
    with pytest.raises(DataError, match=r"stand twice.*\(5,\)"):
        people.load(day(3), (5, 0, "a", None), (5, 0, "b", None))
    assert people.rows("id, name") == [(1, "second"), (2, "two")]
    assert people.stages() == []


def test_a_soft_delete_keeps_the_row_and_listed_columns_alone_are_updated(table: Maker) -> None:
    soft = Merge(
        strategy="merge", keys=("id",), sequence="seq", delete_when="op = 'd'", soft_delete=True, update=("name",)
    )
    people = table(write=soft)
    people.load(day(2), (1, 5, None, "d"), (2, 1, "two", "kept"))
    people.load(day(1), (1, 3, "late", None), (2, 2, "gone", "d"))
    deleted = people.quoted("_deleted")
    assert people.rows(f"id, name, op, {deleted}") == [(1, None, "d", True), (2, "gone", "kept", True)]
    people.load(day(3), (1, 6, "back", None))
    assert people.rows(f"id, name, {deleted}") == [(1, "back", False), (2, "gone", True)]


def test_keys_of_several_odd_columns_that_differ_by_case_and_spaces_and_a_scope(table: Maker) -> None:
    write = Merge(strategy="merge", keys=("a b", "c.d%"), sequence=("s1", 's"2'))
    schema = '`a b` STRING, `c.d%` DATE, s1 DOUBLE, `s"2` STRING, `x``y` MAP<STRING,INT>'
    odd = table("odd", write, schema, scope={"country": "de"})
    first, second = date(2020, 1, 1), date(2020, 1, 2)
    odd.load(day(2), ("k", first, -0.0, "a", {"n": 1}), ("K", first, 1.0, "a", None), ("k ", second, 1.0, "a", None))
    odd.load(day(3), ("k", first, 5.0, "z", {"n": 2}), ("k", first, 5.0, "Z", {"n": 3}))
    odd.destination = type(odd.destination)(**{**vars(odd.destination), "scope": {"country": "at"}})
    odd.load(day(3), ("k", first, 1.0, "", {"n": 9}), pipeline="other")
    key = odd.quoted("a b")
    got = odd.rows(f"{key}, country, s1", f"country, s1, {key}")
    assert got == [("k", "at", 1.0), ("K", "de", 1.0), ("k ", "de", 1.0), ("k", "de", 5.0)]


def test_rows_without_a_key_or_sequence_are_told_apart_and_columns_that_are_not_there_named(table: Maker) -> None:
    people = table()
    frame = people.spark.createDataFrame([(None, 1, "a", None), (1, None, "b", None), (2, 2, "c", None)], SCHEMA)
    limits = people.destination.outside(frame, people.context(day(1)))
    found = {limit.rule: [row.name for row in frame.where(limit.condition).collect()] for limit in limits}
    assert {rule: names for rule, names in found.items() if names} == {"null_key": ["a"], "null_sequence": ["b"]}
    with pytest.raises(ConfigError, match="unknown column 'seq'"):
        people.load(day(1), (1, "x", "d"), schema="id INT, name STRING, op STRING")


def test_windows_that_merge_the_same_keys_at_once_leave_the_highest(table: Maker) -> None:
    people = table()
    contexts = [people.context(day(number)) for number in (1, 2, 3, 4)]
    with ThreadPoolExecutor(4) as pool:
        work = [
            pool.submit(people.load, day(1), *[(key, turn, f"{turn}", None) for key in range(20)], context=who)
            for turn, who in enumerate(contexts)
        ]
        assert {item.result().state for item in work} == {"loaded"}
    assert people.rows("id, name") == [(key, "3") for key in range(20)]
