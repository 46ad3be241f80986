"""`join`: what a window looks like with another dataset's columns, and where rows without a match went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import lazily, run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark


@pytest.fixture
def flights(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, "AA"), (2, "ZZ"), (3, None), (4, "BB")], "n int, `car.rier` string")


@pytest.fixture
def airlines(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(
        [("AA", "A1"), ("AA", "A2"), ("BB", "B"), (None, "none"), ("CC", "C")], "code string, `na me` string"
    )


ON = {"car.rier": "code"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [(1, "AA", "A1"), (1, "AA", "A2"), (2, "ZZ", None), (3, None, None), (4, "BB", "B")]),
        ({"unmatched": "drop"}, [(1, "AA", "A1"), (1, "AA", "A2"), (4, "BB", "B")]),
        ({"how": "inner"}, [(1, "AA", "A1"), (1, "AA", "A2"), (4, "BB", "B")]),
        ({"how": "semi"}, [(1, "AA"), (4, "BB")]),
        ({"how": "anti"}, [(2, "ZZ"), (3, None)]),
        ({"how": "right"}, [(None, None, "none"), (None, "CC", "C"), (1, "AA", "A1"), (1, "AA", "A2"), (4, "BB", "B")]),
        ({"columns": []}, [(1, "AA"), (1, "AA"), (2, "ZZ"), (3, None), (4, "BB")]),
    ],
)
def test_each_way_to_join(
    flights: DataFrame, airlines: DataFrame, options: dict[str, Any], expected: list[Any]
) -> None:
    done = run(flights, {"join": {"with": "airlines", "on": ON} | options}, airlines=airlines)
    assert sorted(done.rows, key=repr) == sorted(expected, key=repr)
    assert done.counts.reshaped == [{"step": "join", "rows_in": 4, "rows_out": len(expected)}]


def test_a_full_join_keeps_both_sides_and_one_key(flights: DataFrame, airlines: DataFrame) -> None:
    done = run(flights, {"join": {"with": "airlines", "on": ON, "how": "full"}}, airlines=airlines)
    assert done.columns == ["n", "car.rier", "na me"]
    assert {(2, "ZZ", None), (3, None, None), (None, "CC", "C"), (None, None, "none")} <= set(done.rows)
    assert len(done.rows) == 7


def test_rows_without_a_match_are_set_aside_as_they_came_null_keys_among_them(
    flights: DataFrame, airlines: DataFrame
) -> None:
    step = {"join": {"with": "airlines", "on": ON, "unmatched": "quarantine"}}
    done = run(flights, {"derive": {"x": "n + 1"}}, step, airlines=airlines)
    assert sorted(row[0] for row in done.rows) == [1, 1, 4]
    assert done.counts.quarantined == 2
    assert sorted(done.raw, key=repr) == [{"n": 2, "car.rier": "ZZ", "x": 3}, {"n": 3, "car.rier": None, "x": 4}]
    assert sorted(done.messages) == [
        "no match in airlines for car.rier: 'ZZ'",
        "no match in airlines for car.rier: null",
    ]
    assert done.refused[0]["rules"] == ["join airlines"]


def test_a_list_joins_on_columns_that_both_have_and_keeps_one(spark: SparkSession) -> None:
    left = spark.createDataFrame([(1, 2, "l")], "a int, b bigint, v string")
    right = spark.createDataFrame([(2, 1, "r")], "b int, a int, w string")
    done = run(left, {"join": {"with": "other", "on": ["a", "b"]}}, other=right)
    assert (done.columns, done.rows) == (["a", "b", "v", "w"], [(1, 2, "l", "r")])


def test_a_dataset_can_be_joined_with_where_it_came_from(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, None), (2, 1)], "id int, boss int")
    done = run(rows, {"join": {"with": "given", "on": {"boss": "id"}, "columns": []}}, given=rows)
    assert sorted(done.rows, key=repr) == [(1, None), (2, 1)]


@pytest.mark.parametrize("how", ["left", "inner", "right", "full", "semi", "anti"])
def test_joins_with_nothing(flights: DataFrame, airlines: DataFrame, how: str) -> None:
    empty = airlines.where("false")
    done = run(flights, {"filter": "n > 0"}, {"join": {"with": "airlines", "on": ON, "how": how}}, airlines=empty)
    assert len(done.rows) == (4 if how in {"left", "full", "anti"} else 0)
    assert done.counts.reshaped[0]["rows_in"] == 4
    none = run(flights.where("false"), {"join": {"with": "airlines", "on": ON, "how": how}}, airlines=airlines)
    assert len(none.rows) == (5 if how in {"right", "full"} else 0)


@pytest.mark.parametrize("how", ["left", "inner", "right", "full", "semi", "anti"])
def test_rows_are_counted_to_the_last_where_the_other_side_ends_early(spark: SparkSession, how: str) -> None:
    """A merge join stops at the end of either side; rows that lie by key already are not shuffled before."""
    rows = spark.range(2000).selectExpr("id AS k", "'v' AS v").repartition(3)
    other = spark.range(2).selectExpr("id AS k", "'w' AS w").repartition(2)
    join = {"join": {"with": "other", "on": ["k"], "how": how, "broadcast": False}}
    done = run(rows, {"dedupe": {"keys": ["k"]}}, join, other=other)
    assert done.counts.deduplicated == 0
    assert done.counts.reshaped[0]["rows_in"] == 2000


@pytest.mark.parametrize("how", ["left", "inner", "right", "full", "semi", "anti"])
def test_the_other_dataset_is_counted_to_the_last_too(spark: SparkSession, how: str) -> None:
    many = spark.range(2000).selectExpr("id AS k", "'v' AS v").repartition(3)
    other = lazily(many, {"dedupe": {"keys": ["k"]}})
    few = spark.range(2).selectExpr("id AS k").repartition(2)
    run(few, {"join": {"with": "other", "on": ["k"], "how": how, "broadcast": False}}, other=other.rows)
    assert other.counts().rows == 2000


def test_rows_are_counted_where_the_other_side_is_empty_and_code_is_not_generated(spark: SparkSession) -> None:
    """Rows of more than 100 columns run without generated code, and then a join with nothing reads nothing."""
    step = {"join": {"with": "other", "on": ["id"], "unmatched": "quarantine", "broadcast": True}}
    spark.conf.set("spark.sql.codegen.wholeStage", "false")
    try:
        done = run(spark.range(50), {"filter": "id < 40"}, step, other=spark.range(0).selectExpr("id", "'w' AS w"))
    finally:
        spark.conf.unset("spark.sql.codegen.wholeStage")
    assert (done.counts.filtered, done.counts.quarantined) == (10, 40)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"with": "airlinez"},
            "unknown dataset 'airlinez'; expected one of 'airlines', 'other'; did you mean 'airlines'?",
        ),
        ({"on": ["n"]}, "unknown column of the other dataset 'n'"),
        ({"on": {"n": "code"}}, "key 'n' is int, 'code' of the other dataset is string; expected keys of one type"),
        ({"on": {"x": "code"}}, "transform.result[0].join.on: unknown column 'x'"),
        ({"on": []}, "no key to join on"),
        ({"with": "other", "on": {"n": "id"}}, "both datasets have 'CAR.rier'"),
        ({"how": "inner", "unmatched": "drop"}, "unmatched: drop with how: inner"),
        ({"how": "semi", "columns": ["na me"]}, "columns with how: semi"),
        ({"columns": ["name"]}, "did you mean 'na me'?"),
        ({"with": "other", "on": {"m": "m"}, "columns": []}, "transform.result[0].join"),
    ],
)
def test_what_does_not_fit_is_an_error_of_the_file(
    spark: SparkSession, flights: DataFrame, airlines: DataFrame, options: dict[str, Any], words: str
) -> None:
    other = spark.createDataFrame([(1, 2, {"a": 1})], "id int, `CAR.rier` int, m map<string,int>")
    rows = flights.selectExpr("*", "map('a', 1) AS m") if "m" in options.get("on", {}) else flights
    with pytest.raises(ConfigError) as error:
        run(rows, {"join": {"with": "airlines", "on": ON} | options}, airlines=airlines, other=other)
    assert words in str(error.value)
