"""`dedupe`: one row per key, the same one whatever the order, the split and the run."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import lazily, run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark
NAN = float("nan")


def test_the_last_by_the_order_asked_for_stays(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [("a", 1, "x"), ("a", 3, "y"), ("a", 2, "z"), ("b", None, "n")], "k string, at int, v string"
    )
    done = run(rows, {"dedupe": {"keys": ["k"], "order_by": ["at"]}})
    assert sorted(done.rows) == [("a", 3, "y"), ("b", None, "n")]
    assert (done.counts.read, done.counts.deduplicated, done.counts.rows) == (4, 2, 2)
    assert ("a", 1, "x") in run(rows, {"dedupe": {"keys": ["k"], "keep": "first", "order_by": ["at ASC"]}}).rows
    assert ("a", 1, "x") in run(rows, {"dedupe": {"keys": ["k"], "order_by": ["at desc"]}}).rows


def test_null_is_smaller_than_every_value_and_nan_larger(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, None), (1, 5.0), (1, NAN)], "k int, at double")
    kept = {
        (keep, order): run(rows, {"dedupe": {"keys": ["k"], "keep": keep, "order_by": [order]}}).rows[0][1]
        for keep in ("first", "last")
        for order in ("at", "at desc")
    }
    assert kept[("first", "at")] is kept[("last", "at desc")] is None
    assert repr(kept[("last", "at")]) == repr(kept[("first", "at desc")]) == "nan"


def test_null_keys_are_equal_keys_and_so_are_nan_and_both_zeros(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(None, 1), (None, 2), (NAN, 1), (NAN, 2), (0.0, 1), (-0.0, 2)], "k double, v int")
    assert sorted(v for _, v in run(rows, {"dedupe": {"keys": ["k"]}}).rows) == [2, 2, 2]


def test_columns_with_odd_names_order_too(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1, 1, "a"), (1, 2, "b")], "`k.1` int, `at desc` int, `_etl_rank` string")
    done = run(rows, {"dedupe": {"keys": ["k.1"], "order_by": ["at desc"]}})
    assert done.rows == [(1, 2, "b")]
    assert done.columns == ["k.1", "at desc", "_etl_rank"]


def test_no_rows_stay_no_rows(spark: SparkSession) -> None:
    assert run(spark.createDataFrame([], "k int"), {"dedupe": {"keys": ["k"]}}).rows == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"keys": ["kee"]}, "did you mean 'key'?"),
        ({"keys": []}, "duplicates: drop"),
        ({"keys": ["key"], "order_by": ["att desc"]}, "transform.result[0].dedupe.order_by: unknown column 'att'"),
        ({"keys": ["m"]}, "transform.result[0].dedupe"),
        ({"keys": ["key", "key"]}, "named twice"),
    ],
)
def test_a_wrong_key_is_an_error_of_the_file(spark: SparkSession, options: dict[str, Any], words: str) -> None:
    rows = spark.createDataFrame([(1, 2, {"a": 1})], "key int, at int, m map<string,int>")
    with pytest.raises(ConfigError) as error:
        run(rows, {"dedupe": options})
    assert words in str(error.value)


_ROW = st.tuples(
    st.sampled_from(["a", "b", None]),
    st.sampled_from([None, 1, 2]),
    st.sampled_from([None, 0.0, -0.0, 1.5, NAN]),
    st.sampled_from([None, {"x": 1}, {"x": None}, {}]),
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.lists(_ROW, max_size=12),
    seed=st.integers(0, 99),
    parts=st.integers(1, 4),
    keep=st.sampled_from(["first", "last"]),
)
def test_the_order_of_arrival_and_the_split_never_show(
    spark: SparkSession, data: list[tuple[Any, ...]], seed: int, parts: int, keep: str
) -> None:
    def kept(rows: list[tuple[Any, ...]], split: int) -> list[str]:
        frame = spark.createDataFrame(rows, "k string, at int, v double, m map<string,int>").repartition(split)
        step = {"dedupe": {"keys": ["k"], "keep": keep, "order_by": ["at"]}}
        return sorted(repr(tuple(row)) for row in lazily(frame, step).rows.collect())

    shuffled = random.Random(seed).sample(data, len(data))  # noqa: S311 - no secret
    result = kept(shuffled, parts)
    assert result == kept(data, 1)
    assert len(result) == len({row[0] for row in data})
