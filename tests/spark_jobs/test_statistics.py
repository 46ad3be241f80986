"""What files know of their rows, put together and read from Delta's actions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from spark_jobs.check.evidence import comparable
from spark_jobs.statistics import Known, Statistics, known, of_delta, together


def of(nulls: int, least: Any = None, greatest: Any = None, rows: int = 3, *, exact: bool = True) -> Statistics:
    return Statistics(rows=rows, columns={"a": Known(nulls=nulls, least=least, greatest=greatest, exact=exact)})


def test_parts_are_known_together_where_each_is() -> None:
    assert together([of(1, 2, 5), of(0, 1, 3)]).columns["a"] == Known(nulls=1, least=1, greatest=5)
    assert together([of(1, 2, 5), of(3)]).columns["a"] == Known(nulls=4, least=2, greatest=5)  # all are null there
    assert together([of(1, 2, 5), of(2)]).columns["a"] == Known(nulls=3)
    assert together([of(1, 2, 5), of(0, 1, 3, exact=False)]).columns["a"].exact is False
    assert together([of(1, 2, 5), Statistics(rows=4, columns={})]) == Statistics(rows=7, columns={})
    assert together([]) == Statistics(rows=0, columns={})


@pytest.mark.parametrize(
    ("kind", "least", "greatest"),
    [
        ("double", 1.0, float("nan")),
        ("date", -40_000, 0),
        ("timestamp", -(10**17), 0),
        ("string collate UTF8_LCASE", b"a", b"b"),
        ("int", None, 3),
    ],
)
def test_what_is_not_certain_is_unknown(kind: str, least: Any, greatest: Any) -> None:
    assert known(2, least, greatest, kind, exact=True) == Known(nulls=2)


def test_delta_cuts_texts_and_times() -> None:
    stats = (
        '{"numRecords": 2, "minValues": {"t": "%s", "at": "2020-01-01T00:00:00.123Z", "d": 0.10},'
        ' "maxValues": {"t": "b", "at": "2020-01-01T00:00:00.123Z", "d": 0.30},'
        ' "nullCount": {"t": 0, "at": 1, "d": 0, "s": {"x": 0}}}'
    )
    types = {"t": "string", "at": "timestamp", "d": "decimal(3,2)", "s": "struct<x:int>"}
    found = of_delta([stats % ("a" * 32)], types)
    assert found is not None
    micros = 1_577_836_800_123_000
    assert found.columns == {
        "t": Known(nulls=0, least=b"a" * 32, greatest=b"b", exact=False),
        "at": Known(nulls=1, least=micros, greatest=micros + 1000, exact=False),
        "d": Known(nulls=0, least=Decimal("0.1"), greatest=Decimal("0.3")),
    }


@pytest.mark.parametrize("stats", [None, "{}", '{"numRecords": 2, "tightBounds": false, "nullCount": {"a": 0}}'])
def test_delta_files_without_counts_or_with_deleted_rows_tell_nothing(stats: str | None) -> None:
    assert of_delta(['{"numRecords": 1, "nullCount": {"a": 0}}', stats], {"a": "int"}) is None


def of_name(kind: str) -> Any:
    """A Spark type by its name; `fromDDL` would start Spark."""
    from pyspark.sql import types as T  # noqa: N812

    plain = (T.LongType(), T.IntegerType(), T.FloatType(), T.DateType(), T.TimestampType(), T.TimestampNTZType())
    known = (*plain, T.StringType(), T.BooleanType(), T.BinaryType(), T.DecimalType(38, 2))
    return {item.simpleString(): item for item in known}[kind]


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [
        (1.5, "bigint", Decimal("1.5")),
        (0.1, "decimal(38,2)", Decimal("0.1")),
        (0.001, "decimal(38,2)", None),
        (1e30, "bigint", Decimal("1E+30")),
        (1e300, "bigint", None),
        (float("inf"), "bigint", float("inf")),
        (0.1, "float", 0.10000000149011612),
        (1e300, "float", float("inf")),
        ("2013-01-02", "date", 15707),
        ("2013-01-02", "timestamp", 15707 * 86_400_000_000 + 5 * 3_600_000_000),
        ("2013-01-02", "timestamp_ntz", 15707 * 86_400_000_000),
        ("ä", "string", "ä".encode()),
        ("x", "date", None),
        (True, "boolean", True),
        (True, "int", None),
        (1, "binary", None),
    ],
)
def test_bounds_are_read_as_statistics_have_them(value: Any, kind: str, found: Any) -> None:
    assert comparable(value, of_name(kind), "America/New_York") == found
