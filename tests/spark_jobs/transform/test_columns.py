"""Steps that change columns and leave rows alone: select, drop, rename, derive; and filter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
ODD = "`a.b` int, `x y` string, `ti``ck` string, `größe` int"


@pytest.fixture
def odd(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, "p", "q", 2), (None, None, None, None)], ODD)


def test_columns_with_dots_spaces_backticks_and_umlauts_go_through_every_step(odd: DataFrame) -> None:
    done = run(
        odd,
        {"select": ["größe", "ti`ck", "a.b", "x y"]},
        {"drop": ["x y"]},
        {"rename": {"ti`ck": "a b.c", "a.b": "ti`ck"}},
        {"derive": {"neu`": "`ti``ck` + `größe`", "größe": "`größe` * 10"}},
        {"filter": "`größe` > 1"},
    )
    assert done.columns == ["größe", "a b.c", "ti`ck", "neu`"]
    assert done.rows == [(20, "q", 1, 3)]
    assert done.counts.filtered == 1


def test_two_columns_may_swap_their_names(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 2)], "a int, b int")
    done = run(rows, {"rename": {"a": "b", "b": "a"}})
    assert (done.columns, done.rows) == (["b", "a"], [(1, 2)])


def test_every_expression_sees_the_incoming_columns(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 2)], "a int, b int")
    done = run(rows, {"derive": {"a": "b", "b": "a", "c": "a + b"}})
    assert (done.columns, done.rows) == (["a", "b", "c"], [(2, 1, 3)])


def test_a_condition_that_is_null_filters_and_counts(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1,), (None,), (3,)], "a int")
    done = run(rows, {"filter": "a < 2"})
    assert (done.rows, done.counts.filtered) == ([(1,)], 2)


def test_a_filter_protects_the_expression_behind_it(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 0), (6, 3)], "a int, b int")
    assert run(rows, {"filter": "b <> 0"}, {"derive": {"c": "a div b"}}).rows == [(6, 3, 2)]


def test_a_window_function_is_a_scalar_expression(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(5,), (7,)], "a int")
    assert sorted(run(rows, {"derive": {"n": "row_number() over (order by a desc)"}}).rows) == [(5, 2), (7, 1)]


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (
            {"select": ["carier"]},
            "[0].select: unknown column 'carier'; expected one of 'carrier', 'n'; did you mean 'carrier'?",
        ),
        ({"select": ["Carrier"]}, "did you mean 'carrier'?"),
        ({"select": ["n", "n"]}, "named twice"),
        ({"select": []}, "no column is selected"),
        ({"drop": ["carrier", "n"]}, "every column is dropped"),
        ({"drop": ["x"]}, "unknown column 'x'"),
        ({"rename": {"carrier": "n"}}, "two columns are called 'n'"),
        ({"rename": {"carrier": "N"}}, "columns 'N' and 'n' collide"),
        ({"derive": {"CARRIER": "1"}}, "columns 'carrier' and 'CARRIER' collide"),
        (
            {"derive": {"x": "carier"}},
            "[0].derive.x: unknown column 'carier' in 'carier'; expected one of 'carrier', 'n'; did you mean 'car",
        ),
        (
            {"derive": {"x": "1 +"}},
            "transform.result[0].derive.x: '1 +' is no expression: Syntax error at or near end of input",
        ),
        ({"derive": {"x": "n y"}}, "is no expression"),
        ({"derive": {"x": "n as y"}}, "is no expression"),
        ({"derive": {"x": "1) + (2"}}, "is no expression"),
        ({"derive": {"x": ""}}, "is no expression"),
        ({"derive": {"x": "*"}}, "transform.result[0].derive.x"),
        ({"derive": {"x": "sum(n)"}}, "transform.result[0].derive.x"),
        ({"derive": {"x": "count(*)"}}, "transform.result[0].derive.x"),
        ({"derive": {"x": "explode(array(1, 2))"}}, "transform.result[0].derive.x"),
        ({"derive": {"x": "nosuch(n)"}}, "Cannot resolve routine `nosuch`"),
        ({"derive": {"x": "cast(n as nosuch)"}}, "transform.result[0].derive.x"),
        ({"filter": "n"}, "is not a boolean"),
        ({"filter": "sum(n) > 1"}, "transform.result[0].filter"),
        ({"filter": "m > 1"}, "unknown column 'm'"),
        ({"filter": "n > 1; drop table x"}, "is no expression"),
    ],
)
def test_what_does_not_fit_is_an_error_with_its_place(spark: SparkSession, step: dict[str, Any], words: str) -> None:
    rows = spark.createDataFrame([("a", 1)], "carrier string, n int")
    with pytest.raises(ConfigError) as error:
        run(rows, step)
    assert words in str(error.value)


def test_the_place_counts_the_steps(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("a", 1)], "carrier string, n int")
    with pytest.raises(ConfigError, match=r"transform\.result\[2\]\.drop: unknown column 'n'"):
        run(rows, {"filter": "n > 0"}, {"rename": {"n": "m"}}, {"drop": ["n"]})
