"""Steps one after the other: in their order, lazily, and no row unaccounted for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spark_jobs.flow import Flow
from spark_jobs.plan import Dataset
from spark_jobs.report import DatasetCounts
from spark_jobs.transform.flow import transform
from tests.spark_jobs.transform.running import context, lazily, run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_a_dataset_without_steps_is_its_source(spark: SparkSession) -> None:
    done = run(spark.range(3))
    assert (done.counts, done.refused) == (DatasetCounts(read=3, rows=3), [])


def test_steps_run_in_the_order_of_the_file(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("a", 2), ("a", 1)], "k string, n int")
    step, sieve = {"dedupe": {"keys": ["k"], "order_by": ["n"]}}, {"filter": "n < 2"}
    assert run(rows, step, sieve).rows == []
    assert run(rows, sieve, step).rows == [("a", 1)]


def test_what_the_source_refused_is_not_refused_again(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("1",), ("x",)], "n string")
    source = Flow(rows=rows, counts=lambda: DatasetCounts(read=5, rows=2, quarantined=3), refused=lambda: rows)
    flow = transform(Dataset(source="given"), source, context(rows))
    flow.rows.collect()
    assert flow.counts() == DatasetCounts(read=2, rows=2)
    assert flow.refused() is None


def test_two_steps_refuse_and_both_say_why(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("1", "2013-01-01"), ("x", "2013-01-01"), ("2", "never")], "n string, d string")
    done = run(rows, {"cast": {"n": "int"}}, {"cast": {"d": "date"}}, {"cast": {"d": "string"}})
    assert sorted(done.messages) == ["d: 'never' is no date", "n: 'x' is no int"]
    assert done.counts.quarantined == 2


def test_nothing_is_computed_before_it_is_asked_for(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(1,)], "n int").selectExpr("assert_true(n > 1) AS boom", "n")
    source = Flow(rows=rows, counts=DatasetCounts, refused=lambda: None)
    steps = lazily(spark.range(1)).rows  # the helper counts; the flow below must not
    assert steps.columns == ["id"]
    assert transform(Dataset(source="given"), source, context(rows)).rows.columns == ["boom", "n"]


def test_two_datasets_may_start_from_one(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("1",), ("x",), ("3",)], "n string")
    base = lazily(rows, {"cast": {"n": "int"}})
    one = transform(Dataset(source="base", steps=()), base, context(rows))
    both = run(one.rows, {"join": {"with": "base", "on": ["n"], "columns": []}}, base=base.rows)
    assert sorted(both.rows) == [(1,), (3,)]
    assert base.counts().quarantined == 1


_STEPS = [
    {"clean": {"trim": "all", "nulls": ["", "NA"]}},
    {"clean": {"duplicates": "drop"}},
    {"cast": {"n": "int"}},
    {"filter": "n is null or n <> '2'"},
    {"dedupe": {"keys": ["k"], "order_by": ["n desc"]}},
    {"join": {"with": "other", "on": ["k"], "columns": []}},
    {"join": {"with": "other", "on": ["k"], "columns": [], "unmatched": "quarantine"}},
    {"join": {"with": "other", "on": ["k"], "how": "anti"}},
    {"join": {"with": "other", "on": ["k"], "how": "full", "columns": []}},
    {"sql": "SELECT * FROM input UNION ALL SELECT * FROM input WHERE k = 'a'"},
    {"aggregate": {"by": ["k"], "values": {"n": "max(n)"}}},
    {"derive": {"n": "concat(n, '')"}},
]
_ROW = st.tuples(st.sampled_from(["a", "b", " b", None, "NA"]), st.sampled_from(["1", "2", "x", " 3", "", None]))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.lists(_ROW, max_size=10), steps=st.lists(st.sampled_from(_STEPS), max_size=4))
def test_counts_balance_for_any_steps_over_any_rows(
    spark: SparkSession, data: list[tuple[Any, ...]], steps: list[dict[str, Any]]
) -> None:
    rows = spark.createDataFrame(data, "k string, n string")
    other = spark.createDataFrame([("a",), ("a",), ("b",), (None,), ("q",)], "k string")
    done = run(rows, *steps, other=other)
    assert done.counts.read == len(data)
    assert all(set(raw) == {"k", "n"} for raw in done.raw)
