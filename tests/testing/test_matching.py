"""Given expected rows and those that are there, then what is missing, surplus or different is told, nothing else."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_etl.testing.matching import Found, compared, paired
from airflow_provider_etl.testing.values import Comparison, shown
from airflow_provider_etl.testing.wanted import WantedRow, WantedRows

TYPES = {"id": "int", "name": "string", "at": "timestamp", "price": "double", "on": "date", "ok": "boolean"}


def found(*rows: dict[str, Any], total: int | None = None) -> Found:
    texts = [json.dumps(dict.fromkeys(TYPES) | row) for row in rows]
    return Found.from_json({"columns": TYPES, "rows": texts, "total": len(rows) if total is None else total})


def problems(wanted: list[dict[str, Any]], there: Found, **options: Any) -> list[tuple[int, str, str]]:
    rows = tuple(WantedRow(cells=row, line=10 + place) for place, row in enumerate(wanted))
    expected = WantedRows(rows=rows, line=9, **options)
    return [(item.line, item.kind, item.message) for item in compared("dataset x", expected, there, "America/New_York")]


def test_order_and_unnamed_columns_do_not_count() -> None:
    there = found({"id": 2, "name": "b"}, {"id": 1, "name": "a"})
    assert problems([{"id": "1"}, {"id": "2", "name": "b"}], there) == []


def test_repeats_count() -> None:
    assert problems([{"id": "1"}], found({"id": 1}, {"id": 1})) == [
        (9, "surplus", "{id: 1, name: null, at: null, price: null, on: null, ok: null}")
    ]
    assert problems([{"id": "1"}, {"id": "1"}], found({"id": 1})) == [(11, "missing", "{id: 1}")]


def test_a_row_that_differs_in_a_cell_is_told_so_at_its_line() -> None:
    there = found({"id": 1, "name": "a", "ok": True}, {"id": 2, "name": "b", "ok": True})
    assert problems([{"id": "1", "name": "a", "ok": "true"}, {"id": "2", "name": "b", "ok": "false"}], there) == [
        (11, "differs", "ok: expected false, found true  in {id: 2, name: b}")
    ]


def test_rows_that_have_nothing_in_common_are_missing_and_surplus() -> None:
    there = found({"id": 2, "name": "b"})
    kinds = [kind for _, kind, _ in problems([{"id": "1", "name": "a"}], there)]
    assert kinds == ["missing", "surplus"]


def test_a_row_that_would_do_for_two_is_given_to_the_one_that_has_no_other() -> None:
    there = found({"id": 1, "name": "a"}, {"id": 1, "name": "b"})
    assert problems([{"id": "1"}, {"id": "1", "name": "a"}], there) == []


def test_no_rows_expected_and_none_there() -> None:
    assert problems([], found()) == []
    assert [kind for _, kind, _ in problems([], found({"id": 1}))] == ["surplus"]


def test_a_column_that_is_not_there_is_told_once_with_what_was_meant() -> None:
    (only,) = problems([{"nam": "a"}, {"nam": "b"}], found({"id": 1}))
    assert only[:2] == (10, "column")
    assert "did you mean 'name'?" in only[2]


def test_exact_notices_columns_that_no_row_names() -> None:
    (only,) = problems([{"id": "1", "name": None}], found({"id": 1}), exact=True)
    assert only == (9, "column", "columns that no row names: at, price, on, ok (exact: true)")


def test_more_rows_than_were_read_are_no_silent_success() -> None:
    (only,) = problems([{"id": "1"}], found({"id": 1}, total=2000))
    assert "2000 rows are there, of which 1 were read" in only[2]


@pytest.mark.parametrize(
    ("wanted", "there", "kind", "equal"),
    [
        ("1", 1, "int", True),
        ("1.0", 1, "bigint", True),
        ("1", 2, "int", False),
        ("x", 1, "int", False),
        ("0.30000000000000004", 0.3, "double", True),
        ("0.31", 0.3, "double", False),
        ("3.9", 3.9000001, "float", True),
        ("NaN", "NaN", "double", True),
        ("NaN", 1.0, "double", False),
        ("Infinity", "Infinity", "double", True),
        ("1.10", 1.1, "decimal(10,2)", True),
        ("true", True, "boolean", True),
        ("True", True, "boolean", False),
        ("1", True, "boolean", False),
        ("2013-01-01T05:00", "2013-01-01T10:00:00.000000Z", "timestamp", True),  # New York
        ("2013-01-01", "2013-01-01T05:00:00.000000Z", "timestamp", True),
        ("2013-01-01T10:00:00Z", "2013-01-01T10:00:00.000000Z", "timestamp", True),
        ("2013-01-01T10:00:00.000001Z", "2013-01-01T10:00:00.000000Z", "timestamp", False),
        ("yesterday", "2013-01-01T10:00:00.000000Z", "timestamp", False),
        ("2013-01-01T10:00", "2013-01-01T10:00:00.000000", "timestamp_ntz", True),
        ("2013-01-01", "2013-01-01", "date", True),
        ("2013-1-1", "2013-01-01", "date", False),
        ("007", "007", "string", True),
        ("7", "007", "string", False),
        ("", "", "string", True),
        (None, None, "int", True),
        (None, "", "string", False),
        ("", None, "string", False),
        (["1", None], [1, None], "array<int>", True),
        (["1"], [1, 2], "array<int>", False),
        ({"a": "x"}, {"a": "x", "b": 1}, "struct<a:string,b:int>", True),
        ({"a": "x", "c": None}, {"a": "x"}, "struct<a:string>", False),
    ],
)
def test_values_are_compared_as_the_column_s_type(wanted: Any, there: Any, kind: str, equal: bool) -> None:
    given_ = json.loads(json.dumps(there), parse_float=Decimal)
    assert Comparison(zone="America/New_York").equal(wanted, given_, kind) is equal


def test_a_tolerance_is_a_distance() -> None:
    comparison = Comparison(zone="UTC", tolerance=0.05)
    assert comparison.equal("1.0", 1.05, "double")
    assert not comparison.equal("1.0", 1.06, "double")
    assert comparison.equal("10", 10, "int")


def test_what_is_shown_can_be_read_on_one_line() -> None:
    value = {"a": None, "b": True, "c": " x", "d": "2013-01-01T10:00:00.000000Z", "e": ["", "null"], "f": "a\nb"}
    assert shown(value) == "{a: null, b: true, c: ' x', d: 2013-01-01T10:00:00Z, e: ['', 'null'], f: 'a\\nb'}"


@given(st.lists(st.lists(st.integers(0, 6), unique=True), max_size=7))
def test_as_many_rows_are_paired_as_possible(candidates: list[list[int]]) -> None:
    pairs = paired(candidates)
    assert len(set(pairs.values())) == len(pairs)
    assert all(row in candidates[place] for place, row in pairs.items())
    assert len(pairs) == best(candidates, frozenset())


def best(candidates: list[list[int]], used: frozenset[int]) -> int:
    """The largest number of pairs, by trying all."""
    if not candidates:
        return 0
    rest = candidates[1:]
    return max([best(rest, used), *(1 + best(rest, used | {row}) for row in candidates[0] if row not in used)])
