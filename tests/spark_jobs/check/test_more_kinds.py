"""Checks of one row's columns against each other, of an order, of the schema, and of shares of all rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.check.flow import check
from spark_jobs.errors import ConfigError
from tests.spark_jobs.check.checking import built, checks
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
NAN = float("nan")
MORNING = datetime(2013, 1, 1, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    data = [
        (1, 2, 1.0, NAN, Decimal("0.10"), "1.1.2013", MORNING, date(2013, 1, 1), "a"),
        (2, 2, 2.0, 5.0, Decimal("0.20"), "31.12.2012", MORNING + HOUR, None, "a"),
        (3, None, NAN, 1.0, Decimal("0.30"), "30.2.2013", MORNING + 2 * HOUR, None, "b"),
        (3, 1, 4.0, None, None, "", MORNING + 3 * HOUR, None, "b"),
        (None, None, None, None, None, None, None, None, None),
    ]
    schema = "a int, b int, x double, y double, c decimal(10,2), t string, at timestamp, day date, k string"
    return spark.createDataFrame(data, schema).cache()


def test_a_row_s_columns_are_held_against_each_other(rows: DataFrame) -> None:
    done = checks(
        rows,
        {"compare": {"column": "a", "is": "less_or_equal", "other": "b"}},
        {"compare": {"column": "a", "is": "equal", "other": "b", "ignore_nulls": "all"}},
        {"compare": {"column": "a", "is": "greater", "other": "b", "ignore_nulls": "never"}},
        {"compare": {"column": "y", "is": "greater", "other": "x"}},  # NaN is larger than any number
        {"compare": {"column": "a", "is": "not_equal", "other": "x"}},
        {"sum_of_columns": {"columns": ["a", "b"], "equals": 3}},
        {"sum_of_columns": {"columns": ["a", "x"], "equals": 2.1, "tolerance": 0.2}},
        {"sum_of_columns": {"columns": ["c", "a"], "equals": 1.1, "ignore_nulls": "any"}},
        {"condition": "a < 3"},
        {"condition": {"holds": "k = 'a'", "mostly": 0.4}},
    )
    assert [numbers[:2] for numbers in done.numbers] == [
        (3, 1), (4, 3), (5, 2), (3, 1), (4, 2), (4, 2), (4, 3), (3, 2), (5, 3), (5, 3),
    ]  # fmt: skip
    assert done.results[0].column == "a, b"
    assert done.results[1].missing_count == 1
    assert done.results[2].missing_count is None
    aside = checks(rows, {"compare": {"column": "a", "is": "less", "other": "b", "on_fail": "quarantine"}})
    assert [row["message"] for row in aside.refused] == ["a: '2' is not less b: '2'", "a: '3' is not less b: '1'"]


def test_dates_are_parsed_by_their_pattern_and_must_exist(rows: DataFrame) -> None:
    done = checks(rows, {"parseable_date": {"column": "t", "format": "d.M.yyyy"}})
    assert done.numbers == [(4, 2, False)]
    assert checks(rows, {"parseable_date": {"column": "t", "format": "dd.MM.yyyy"}}).numbers == [(4, 3, False)]


def test_values_go_one_way_in_the_order_of_another_column(rows: DataFrame, spark: SparkSession) -> None:
    done = checks(
        rows,
        {"monotonic": {"column": "a", "order_by": "at"}},
        {"monotonic": {"column": "a", "order_by": "at", "strictly": True}},
        {"monotonic": {"column": "x", "order_by": "at"}},  # NaN fails, and doesn't stand in the way of the next
        {"monotonic": {"column": "a", "order_by": "at", "direction": "decreasing"}},
        {"monotonic": {"column": "b", "order_by": "at", "by": ["k"]}},
    )
    assert [numbers[:2] for numbers in done.numbers] == [(4, 0), (4, 1), (4, 1), (4, 2), (3, 0)]
    assert {result.answered_by for result in done.results} == {"rows"}
    data = [(1, 1), (1, 3), (1, 2), (2, 2)]
    aside = checks(
        spark.createDataFrame(data, "o int, v int"),
        {"monotonic": {"column": "v", "order_by": "o", "on_fail": "quarantine"}},
    )
    assert aside.raw == [{"o": 2, "v": 2}]  # rows of one place come in the order that passes


def test_shares_and_counts_of_all_rows(rows: DataFrame) -> None:
    done = checks(
        rows,
        {"null_share": {"column": "a", "max": 0.2}},
        {"null_share": {"column": "day", "max": 0.5}},
        {"distinct_count": {"column": "a", "min": 3, "max": 3}},
        {"distinct_count": {"column": "x", "min": 5}},
        {"distinct_share": {"column": "k", "min": 0.5, "strict_min": True}},
        {"completeness": {"columns": ["a", "b"], "share": 0.7}},
        {"completeness": ["a", "day"]},
        {"unique": {"columns": ["a"], "approximate": 0.01}},
        {"unique": {"columns": ["at"], "approximate": 0.01}},
        {"quantile": {"column": "x", "ranges": {"0.5": {"min": 2, "max": 2}, "1": {"max": 3}}}},
        {"quantile": {"column": "b", "ranges": {"0.5": {"max": 2}}, "relative_error": 0.01}},
        {"freshness": {"column": "at", "within": "3600s"}},
        {"freshness": {"column": "at", "within": "3599s"}},
        {"freshness": {"column": "day", "within": "0s"}},
    )
    assert [(result.success, result.observed) for result in done.results] == [
        (True, 0.2), (False, 0.8), (True, 3), (False, 4), (False, 0.5), (True, 0.7), (False, 0.5), (False, 0.75),
        (True, 1.0), (False, {"quantiles": [0.5, 1.0], "values": [2.0, 4.0]}),
        (True, {"quantiles": [0.5], "values": [2]}),
        (True, "2013-01-01T23:00:00Z"), (False, "2013-01-01T23:00:00Z"), (True, "2013-01-02T00:00:00Z"),
    ]  # fmt: skip
    assert done.results[9].message == "the quantile 1 is 4.0, not at most 3"
    assert done.results[6].message == "5 of 10 values are missing; a share of 0.99 must be there"


def test_what_no_rows_say(rows: DataFrame) -> None:
    done = checks(
        rows.where("false"),
        {"null_share": {"column": "a", "max": 0.9}},
        {"distinct_count": {"column": "a", "max": 0}},
        {"distinct_share": {"column": "a", "min": 0.1}},
        {"completeness": ["a"]},
        {"unique": {"columns": ["a"], "approximate": 0.01}},
        {"quantile": {"column": "a", "ranges": {"0.5": {"max": 3}}}},
        {"freshness": {"column": "at", "within": "1s"}},
        {"condition": "a > 1"},
        {"compare": {"column": "a", "is": "less", "other": "b"}},
        {"row_count": {"same_as": "other"}},
        other=rows,
    )
    assert [result.success for result in done.results] == [
        False,
        True,
        False,
        True,
        True,
        False,
        False,
        True,
        True,
        False,
    ]


def test_a_dataset_has_as_many_rows_as_another(rows: DataFrame) -> None:
    less = rows.limit(4)
    done = checks(
        less,
        {"row_count": {"same_as": "other"}},
        {"row_count": {"same_as": "other", "tolerance": 1}},
        {"row_count": {"same_as": "other", "tolerance": "19.9%"}},
        {"row_count": {"same_as": "other", "tolerance": "20 %"}},
        {"row_count": {"min": 4, "strict_min": True}},
        other=rows,
    )
    assert [result.success for result in done.results] == [False, True, False, True, False]
    assert [result.answered_by for result in done.results] == ["rows"] * 4 + ["statistics"]
    assert done.results[0].observed == {"self": 4, "other": 5}
    assert done.results[2].message == "4 rows, other has 5 (± 19.9%)"


def test_the_schema_answers_what_it_can_and_no_row_is_read(rows: DataFrame) -> None:
    given, session = rows.selectExpr("assert_true(false) AS boom", "c", "a", "k"), rows.sparkSession.sparkContext
    items: list[dict[str, Any]] = [
        {"type": {"column": "c", "types": ["double", "decimal"]}},
        {"type": {"columns": ["a", "c"], "types": ["integer", "decimal(10, 2)"]}},
        {"type": {"column": "a", "types": ["bigint"]}},
        {"column_count": {"min": 4, "max": 4}},
        {"column_count": {"max": 3}},
        {"columns": ["k", "a", "c", "boom"]},
        {"columns": {"columns": ["k", "a"], "others": True}},
        {"columns": {"columns": ["k", "a", "c", "boom"], "ordered": True}},
        {"columns": ["k", "A"]},
    ]
    jobs = session.statusTracker().getJobIdsForGroup
    session.setJobGroup("of the schema", "checks that no job may answer")
    try:
        done = check(built(items), given, 5, context(given))
        assert not jobs("of the schema")
        check(built([{"not_null": ["a"]}]), given, 5, context(given))
        assert jobs("of the schema")  # else nothing would be seen
    finally:
        session.setLocalProperty("spark.jobGroup.id", None)
    assert [result.success for result in done.results] == [
        True,
        True,
        True,
        False,
        True,
        False,
        True,
        True,
        False,
        False,
    ]
    assert {result.answered_by for result in done.results} == {"schema"}
    assert [result.message for result in done.results if not result.success] == [
        "it is int, none of 'bigint'",
        "the number of columns is 4, not at most 3",
        "the order is boom, c, a, k",
        "'A' missing; 'boom', 'c', 'a' not expected",
    ]


def test_a_column_may_be_called_as_a_helper_is(spark: SparkSession) -> None:
    done = checks(
        spark.createDataFrame([(1,), (1,), (2,), (None,)], "Times int"),
        {"distinct_count": {"column": "Times", "max": 2}},
        {"distinct_share": {"column": "Times", "max": 0.7}},
        {"unique": ["Times"]},
    )
    assert [result.success for result in done.results] == [True, True, False]
    assert done.numbers[2] == (3, 2, False)


def test_a_date_beside_a_timestamp_is_a_midnight_of_the_pipeline_s_timezone(spark: SparkSession) -> None:
    rows = spark.sql(
        "SELECT date'2013-01-01' AS day, timestamp_ntz'2013-01-01 00:00:00' AS local, at FROM VALUES"
        " (timestamp'2013-01-01 04:59:59Z'), (timestamp'2013-01-01 05:00:00Z') AS given (at)"
    )
    pairs = [("at", "day"), ("at", "local"), ("local", "day")]
    items = [{"compare": {"column": one, "is": "greater_or_equal", "other": other}} for one, other in pairs]
    done = checks(rows, *items, zone="America/New_York")
    assert done.numbers == [(2, 1, False), (2, 1, False), (2, 0, True)]


@pytest.mark.parametrize(
    ("day", "seen"), [("9999-12-31", "beyond the year 9999"), ("2013-01-01", "2013-01-02T00:00:00Z")]
)
def test_the_end_of_the_calendar_is_new(spark: SparkSession, day: str, seen: str) -> None:
    done = checks(spark.sql(f"SELECT date'{day}' AS day"), {"freshness": {"column": "day", "within": timedelta(0)}})
    assert [(result.success, result.observed) for result in done.results] == [(True, seen)]


def test_a_type_may_be_written_as_spark_doesn_t(spark: SparkSession) -> None:
    rows = spark.sql("SELECT array(1) AS a, named_struct('N', 1.5BD) AS s, INTERVAL '1' DAY AS i").limit(0)
    done = checks(
        rows,
        {"type": {"column": "a", "types": ["array<integer>"]}},
        {"type": {"column": "s", "types": ["STRUCT<N: dec(2, 1)>"]}},
        {"type": {"column": "i", "types": ["interval"]}},
        {"type": {"column": "a", "types": ["array<bigint>", "map"]}},
    )
    assert [result.success for result in done.results] == [True, True, True, False]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"type": {"column": "z", "types": ["int"]}}, "unknown column 'z'"),
        ({"compare": {"column": "a", "is": "less", "other": "k"}}, "'a' is int, 'k' is string"),
        ({"compare": {"column": "a", "is": "less", "other": "z"}}, "compare.other: unknown column 'z'"),
        ({"condition": "a + 1"}, "'a + 1' is int; expected a condition"),
        ({"condition": "z > 1"}, "unknown column 'z'"),
        ({"parseable_date": {"column": "t", "format": "yyyy-QQQQQQ"}}, "is no pattern of dates"),
        ({"parseable_date": {"column": "a", "format": "yyyy"}}, "column 'a' is int"),
        ({"freshness": {"column": "a", "within": "1s"}}, "expected a date or a timestamp"),
        ({"quantile": {"column": "a", "ranges": {"2": {"max": 1}}}}, "'2' is no share from 0 to 1"),
        ({"sum_of_columns": {"columns": ["a", "k"], "equals": 1}}, "column 'k' is string"),
        ({"monotonic": {"column": "a", "order_by": "z"}}, "unknown column 'z'"),
        ({"row_count": {"same_as": "othr"}}, "row_count.same_as: unknown dataset 'othr'"),
        ({"row_count": {"same_as": "other", "tolerance": "much"}}, "'much' is neither 10 nor 1%"),
        ({"unique": {"columns": ["a"], "approximate": 0.01, "on_fail": "quarantine"}}, "names no row"),
    ],
)
def test_a_check_that_does_not_fit_is_an_error_of_the_file(rows: DataFrame, item: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        checks(rows, item, other=rows)
    assert words in str(error.value)
