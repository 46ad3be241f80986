"""`cast`: a value either becomes the type, or its row is set aside with the reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_rows_with_a_value_that_fits_pass_and_the_others_go_whole_with_the_reason(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("1", "x"), (" 2 ", None), (None, "y"), ("1.5", "z"), ("", "e"), ("1e3", "f")], "`n.n` string, t string"
    )
    done = run(rows, {"cast": {"n.n": "int"}})
    assert done.rows == [(1, "x"), (2, None), (None, "y")]
    assert done.counts.quarantined == 3
    assert done.raw[0] == {"n.n": "1.5", "t": "z"}
    assert done.messages == ["n.n: '1.5' is no int", "n.n: '' is no int", "n.n: '1e3' is no int"]
    assert {(row["dataset"], row["stage"], row["rules"][0]) for row in done.refused} == {
        ("result", "transform", "cast n.n")
    }


def test_nulls_stay_in_the_raw_record_and_every_bad_column_is_named(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("a", "b" * 200, None)], "x string, y string, z string")
    done = run(rows, {"cast": {"x": "int", "y": "date", "z": "double"}})
    assert done.raw == [{"x": "a", "y": "b" * 200, "z": None}]
    assert done.refused[0]["rules"] == ["cast x", "cast y"]
    assert done.messages == [f"x: 'a' is no int; y: '{'b' * 100}…' is no date"]


@pytest.mark.parametrize(
    ("source", "value", "target", "expected"),
    [
        ("double", 2.0, "int", 2),
        ("double", 2.5, "int", "refused"),
        ("double", float("nan"), "bigint", "refused"),
        ("double", 1e30, "bigint", "refused"),
        ("bigint", 2**40, "int", "refused"),
        ("decimal(10,2)", Decimal("1.50"), "int", "refused"),
        ("decimal(10,2)", Decimal("3.00"), "int", 3),
        ("string", "1.239", "decimal(10,2)", Decimal("1.24")),
        ("string", "99999999999", "decimal(10,2)", "refused"),
        ("string", "2013-02-30", "date", "refused"),
        ("string", "2013-02-03", "date", date(2013, 2, 3)),
        ("string", "2013-02-03 04:05:06", "date", date(2013, 2, 3)),
        ("string", "2013-02-03 or so", "date", "refused"),
        ("string", "12:30", "timestamp", "refused"),
        ("string", "now", "timestamp", "refused"),
        ("string", "yes", "boolean", True),
        ("string", "maybe", "boolean", "refused"),
        ("int", 7, "string", "7"),
        ("int", 7, "int", 7),
    ],
)
def test_nothing_is_cut_off_in_silence(
    spark: SparkSession, source: str, value: object, target: str, expected: object
) -> None:
    done = run(spark.createDataFrame([(value,)], f"x {source}"), {"cast": {"x": target}})
    assert [row[0] for row in done.rows] == ([] if expected == "refused" else [expected])
    assert done.counts.quarantined == (1 if expected == "refused" else 0)


def test_timestamps_without_an_offset_are_read_in_the_pipelines_timezone(spark: SparkSession) -> None:
    texts = [
        "2013-01-01 05:00:00",
        "2013-01-01",
        "2013-07-01T05:00:00Z",
        "2013-01-01 05:00:00+01:00",
        "2013-01-01 05:00:00 ",
    ]
    rows = spark.createDataFrame([(text,) for text in texts], "t string").coalesce(1)
    done = run(rows, {"cast": {"t": "timestamp"}}, {"derive": {"t": "unix_timestamp(t)"}}, zone="America/New_York")
    hours = [datetime.fromtimestamp(row[0], UTC).strftime("%m-%d %H") for row in done.rows]
    assert hours == ["01-01 10", "01-01 05", "07-01 05", "01-01 04", "01-01 10"]


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"m": "int"}, "unknown column 'm'"),
        ({"n": "integr"}, "transform.result[0].cast.n"),
        ({"n": "decimal(50,2)"}, "Decimal precision 50 exceeds max precision 38"),
        ({"n": "array<int>"}, "transform.result[0].cast.n"),
    ],
)
def test_an_impossible_type_is_an_error_of_the_file(spark: SparkSession, columns: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        run(spark.createDataFrame([(1,)], "n int"), {"cast": columns})
    assert words in str(error.value)
