"""Step validate: rows that break a rule are set aside with every rule that they break."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
RULES = {"positive": "n > 0", "named": "who is not null and `a.b` <> ''"}


def test_rows_go_with_the_first_rule_that_they_break(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(1, "x", "y"), (-1, "x", "y"), (None, None, "y"), (2, "x", None)], "n int, who string, `a.b` string"
    )
    done = run(rows, {"validate": RULES})
    assert done.rows == [(1, "x", "y")]
    assert sorted((row["raw"], row["rules"], row["message"]) for row in done.refused) == [
        ('{"n":-1,"who":"x","a.b":"y"}', ["validate positive"], "positive: not n > 0"),
        (
            '{"n":2,"who":"x","a.b":null}',
            ["validate named"],
            "named: not who is not null and `a.b` <> ''",
        ),
        (
            '{"n":null,"who":null,"a.b":"y"}',
            ["validate positive"],
            "positive: not n > 0",
        ),
    ]


def test_a_rule_may_rely_on_those_before_it(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("7",), ("abc",), ("3",), (None,)], "code string")
    done = run(rows, {"validate": {"numeric": "code rlike '^[0-9]+$'", "large": "cast(code as int) > 5"}})
    assert done.rows == [("7",)]
    assert sorted(row["rules"][0] for row in done.refused) == ["validate large", "validate numeric", "validate numeric"]


def test_what_is_refused_does_not_reach_the_next_step(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 0), (6, 3)], "a int, b int")
    assert run(rows, {"validate": {"divisible": "b <> 0"}}, {"derive": {"c": "a div b"}}).rows == [(6, 3, 2)]


@pytest.mark.parametrize(
    ("rule", "words"),
    [("n + 1", "[0].validate.x: 'n + 1' is int; expected a condition"), ("m > 1", "unknown column 'm'")],
)
def test_what_is_no_condition_is_an_error(spark: SparkSession, rule: str, words: str) -> None:
    with pytest.raises(ConfigError) as error:
        run(spark.createDataFrame([(1,)], "n int"), {"validate": {"x": rule}})
    assert words in str(error.value)
