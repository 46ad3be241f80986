"""Every check that Great Expectations has too gives what Great Expectations gives, on the same rows, in the same Spark.

Its expectations are read by their own names, as a pipeline file's are. All run as one suite over one frame, once with
rows and once without: Great Expectations on Spark is slow.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_etl.spec import shape
from airflow_provider_etl.spec.expectations import native
from airflow_provider_etl.spec.nodes import MapNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_text
from airflow_provider_etl.spec.reading import FAILED, Reading
from spark_jobs import kinds
from spark_jobs.check import CHECKS
from spark_jobs.check.flow import check
from spark_jobs.check.gx import validation_results
from spark_jobs.check.gx_names import EXPECTATIONS, OTHERS
from spark_jobs.check.monotonic import Monotonic
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
NAN = float("nan")
SCHEMA = """
    n int, x double, f double, c decimal(10,2), t string, d string, day date,
    a int, b int, p int, q int, nothing double, o int
"""
ROWS: list[tuple[Any, ...]] = [
    (1, 1.5, 1.0, Decimal("0.10"), "north", "2013-01-31", date(2013, 1, 1), 3, 1, 40, 60, None, 1),
    (2, 2.5, NAN, Decimal("0.20"), "south", "2013-1-1", date(2013, 1, 2), 2, 2, 50, 50, None, 2),
    (2, 2.5, 3.0, Decimal("0.20"), "south", "2013-02-30", date(2013, 1, 2), 1, 2, 50, 51, None, 3),
    (3, 9.0, 4.0, None, "", "yesterday", None, 5, None, None, 100, None, 4),
    (7, -4.0, 5.0, Decimal("9.99"), "a longer text", "", date(2014, 1, 1), None, None, None, None, None, 5),
    (None, None, None, Decimal("0.30"), None, None, date(2013, 1, 3), 4, 1, 0, 100, None, 6),
    (9, 0.0, -1.0, Decimal("1.00"), "north", "2013-12-31", date(2013, 1, 4), None, 7, 7, None, None, 7),
]
C, T, N, X = {"column": "c"}, {"column": "t"}, {"column": "n"}, {"column": "x"}
PAIR, SUM = {"column_A": "a", "column_B": "b"}, {"column_list": ["p", "q"], "sum_total": 100}
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("expect_column_values_to_be_between", N | {"min_value": 2, "max_value": 7}),
    ("expect_column_values_to_be_between", X | {"min_value": 0, "strict_min": True}),
    ("expect_column_values_to_be_between", X | {"max_value": 9.0, "strict_max": True, "mostly": 0.8}),
    ("expect_column_values_to_be_between", {"column": "nothing", "min_value": 1}),
    ("expect_column_values_to_be_in_set", T | {"value_set": ["north", ""]}),
    ("expect_column_values_to_be_in_set", N | {"value_set": [1, 2, 3, 7, 9]}),
    ("expect_column_values_to_not_be_in_set", T | {"value_set": ["south", "west"]}),
    ("expect_column_values_to_match_regex", T | {"regex": "^(north|south)$"}),
    ("expect_column_values_to_not_match_regex", T | {"regex": "th$", "mostly": 0.4}),
    ("expect_column_values_to_not_be_null", N),
    ("expect_column_values_to_not_be_null", {"column": "nothing", "mostly": 0.1}),
    ("expect_column_values_to_not_be_null", T | {"mostly": 0.8}),
    ("expect_column_values_to_be_unique", N),
    ("expect_column_values_to_be_unique", {"column": "day", "mostly": 0.5}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["n", "t"]}),
    ("expect_compound_columns_to_be_unique", {"column_list": ["a", "b"], "ignore_row_if": "any_value_is_missing"}),
    ("expect_column_value_lengths_to_be_between", T | {"min_value": 1, "max_value": 5}),
    ("expect_column_value_lengths_to_equal", T | {"value": 5}),
    ("expect_column_values_to_match_strftime_format", {"column": "d", "strftime_format": "%Y-%m-%d"}),
    ("expect_column_values_to_be_of_type", N | {"type_": "IntegerType"}),
    ("expect_column_values_to_be_of_type", N | {"type_": "LongType"}),
    ("expect_column_values_to_be_in_type_list", C | {"type_list": ["DoubleType", "DecimalType"]}),
    ("expect_column_type_to_be", T | {"type_": "StringType"}),
    ("expect_column_pair_values_a_to_be_greater_than_b", PAIR),
    ("expect_column_pair_values_a_to_be_greater_than_b", PAIR | {"or_equal": True}),
    ("expect_column_pair_values_a_to_be_greater_than_b", PAIR | {"ignore_row_if": "either_value_is_missing"}),
    ("expect_column_pair_values_to_be_equal", PAIR),
    ("expect_column_pair_values_to_be_equal", PAIR | {"ignore_row_if": "neither", "mostly": 0.1}),
    ("expect_multicolumn_sum_to_equal", SUM),
    ("expect_multicolumn_sum_to_equal", SUM | {"ignore_row_if": "any_value_is_missing"}),
    ("expect_multicolumn_sum_to_equal", SUM | {"ignore_row_if": "never"}),
    ("expect_column_sum_to_be_between", N | {"min_value": 24, "max_value": 24}),
    ("expect_column_sum_to_be_between", C | {"min_value": 12, "strict_min": True}),
    ("expect_column_sum_to_be_between", C | {"max_value": 11.79}),
    ("expect_column_sum_to_be_between", {"column": "f", "min_value": 0}),
    ("expect_column_mean_to_be_between", X | {"min_value": 1, "max_value": 2}),
    ("expect_column_mean_to_be_between", N | {"min_value": 4, "strict_min": True}),
    ("expect_column_mean_to_be_between", {"column": "nothing", "min_value": 4}),
    ("expect_column_median_to_be_between", X | {"min_value": 2, "max_value": 2}),
    ("expect_column_median_to_be_between", {"column": "f", "min_value": 3, "max_value": 3}),
    ("expect_column_stdev_to_be_between", X | {"max_value": 4}),
    (
        "expect_column_quantile_values_to_be_between",
        X
        | {
            "quantile_ranges": {
                "quantiles": [0.0, 0.5, 0.9, 1.0],
                "value_ranges": [[-4, -4], [1, 2], [None, 9], [9, None]],
            }
        },
    ),
    (
        "expect_column_quantile_values_to_be_between",
        {"column": "f", "quantile_ranges": {"quantiles": [0.75], "value_ranges": [[5, None]]}},
    ),
    ("expect_column_proportion_of_non_null_values_to_be_between", N | {"min_value": 0.9}),
    ("expect_column_proportion_of_non_null_values_to_be_between", {"column": "nothing", "max_value": 0.5}),
    ("expect_column_proportion_of_unique_values_to_be_between", N | {"min_value": 0.8, "max_value": 0.9}),
    ("expect_column_proportion_of_unique_values_to_be_between", {"column": "nothing", "max_value": 0.5}),
    ("expect_column_unique_value_count_to_be_between", T | {"min_value": 4, "max_value": 4}),
    ("expect_column_unique_value_count_to_be_between", N | {"max_value": 4}),
    ("expect_column_values_to_be_increasing", N),
    ("expect_column_values_to_be_increasing", N | {"strictly": True, "mostly": 0.8}),
    ("expect_column_values_to_be_decreasing", X | {"mostly": 0.2}),
    ("expect_table_row_count_to_be_between", {"min_value": 1, "max_value": 7, "strict_max": True}),
    ("expect_table_row_count_to_equal", {"value": 7}),
    ("expect_table_column_count_to_be_between", {"max_value": 12}),
    ("expect_table_column_count_to_equal", {"value": 13}),
    ("expect_table_columns_to_match_set", {"column_set": ["n", "x"]}),
    ("expect_table_columns_to_match_set", {"column_set": ["n", "x"], "exact_match": False}),
    (
        "expect_table_columns_to_match_ordered_list",
        {"column_list": ["n", "x", "f", "c", "t", "d", "day", "a", "b", "p", "q", "nothing"]},
    ),
]
# Where they differ, on purpose; docs/checks.md names them.
DIFFERENT: list[tuple[str, dict[str, Any], str, tuple[Any, Any]]] = [
    # NaN is the largest of numbers to Spark, so there it passes without an upper bound; here it is in no range.
    ("expect_column_values_to_be_between", {"column": "f", "min_value": -1}, "unexpected_count", (0, 1)),
    # One column of them all is looked for: they say nothing of the others.
    (
        "expect_column_to_exist",
        T,
        "observed_value",
        (None, sorted(["n", "x", "f", "c", "t", "d", "day", "a", "b", "p", "q", "nothing", "o"])),
    ),
]
# Great Expectations needs a table of that name in its own store, which a frame in memory hasn't got.
ELSEWHERE = {"expect_table_row_count_to_equal_other_table"}


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ROWS, SCHEMA).coalesce(1).cache()


def theirs(rows: DataFrame, asked: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What Great Expectations says, in the order of what was asked."""
    import great_expectations as gx
    from great_expectations.core import ExpectationSuite

    place = gx.get_context(mode="ephemeral")
    place.variables.progress_bars = {"globally": False, "metric_calculations": False}
    asset = place.data_sources.add_spark("spark").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": rows})
    items = [{"type": name, "kwargs": kwargs, "meta": {"place": at}} for at, (name, kwargs) in enumerate(asked)]
    suite = ExpectationSuite(name="all", expectations=items)  # type: ignore[arg-type]
    found = batch.validate(suite, result_format="SUMMARY").to_json_dict()["results"]
    return sorted(found, key=lambda item: item["expectation_config"]["meta"]["place"])


def ours(rows: DataFrame, asked: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """What we say, of the same expectations by the same names."""
    built = tuple(read(name, kwargs) for name, kwargs in asked)
    return validation_results(built, check(built, rows, rows.count(), context(rows), "SUMMARY").results)


def read(name: str, kwargs: dict[str, Any]) -> tuple[str, Any]:
    """A check as a pipeline file's reader makes it."""
    if name in OTHERS:  # rows have no order of their own here
        direction = name.removeprefix("expect_column_values_to_be_")
        return "monotonic", Monotonic(direction=direction, order_by="o", **kwargs)  # type: ignore[arg-type]
    problems = Problems()
    node = read_text(json.dumps(kwargs), "check.yaml", problems)
    assert isinstance(node, MapNode)
    found = native(name, node.holder, node, problems)  # type: ignore[arg-type]
    assert found is not None
    assert found.node is not None
    kind = shape.build(
        kinds.find(CHECKS, found.kind, "check"),
        found.node,
        Reading(problems=problems, substitute=lambda text, _: text.text),
    )
    assert kind is not FAILED, problems.sorted()
    return found.kind, kind


def told(result: dict[str, Any], *, failed: bool) -> dict[str, Any]:
    """What of a result has to be equal."""
    inner = result["result"]
    names = (
        "element_count", "missing_count", "unexpected_count", "unexpected_percent", "missing_percent",
        "unexpected_percent_total", "unexpected_percent_nonmissing",
    )  # fmt: skip
    kept = {"success": result["success"]} | {name: rounded(inner.get(name)) for name in names}
    kept["observed_value"] = rounded(inner.get("observed_value"))
    values = inner.get("partial_unexpected_list") if failed else None
    return kept | {"values": Counter(json.dumps(rounded(item), default=str) for item in values or ())}


def rounded(value: Any) -> Any:
    """Without the noise of floating point, and a whole number as one whichever type it has."""
    if isinstance(value, dict):
        return [rounded(item) for item in value.values()]
    if isinstance(value, (list, tuple)):
        return [rounded(item) for item in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return round(float(value), 9)
    return value


def compared(
    rows: DataFrame, asked: list[tuple[str, dict[str, Any]]]
) -> list[tuple[str, dict[str, Any], dict[str, tuple[Any, Any]]]]:
    """(name, arguments, what isn't equal: (theirs, ours)) of each."""
    found = []
    for (name, kwargs), one, other in zip(asked, theirs(rows, asked), ours(rows, asked), strict=True):
        assert not one["exception_info"].get("raised_exception"), (name, one["exception_info"])
        mine, its = (told(item, failed=not other["success"]) for item in (other, one))
        found.append((name, kwargs, {key: (its[key], mine[key]) for key in its if its[key] != mine[key]}))
    return found


def test_results_are_those_of_great_expectations(rows: DataFrame) -> None:
    done = compared(rows, ASKED + [(name, kwargs) for name, kwargs, *_ in DIFFERENT])
    assert [item for item in done[: len(ASKED)] if item[2]] == []
    for (_, _, wrong), (name, _, key, values) in zip(done[len(ASKED) :], DIFFERENT, strict=True):
        assert wrong[key] == values, name


def test_results_of_no_rows_are_those_of_great_expectations(rows: DataFrame) -> None:
    first = dict(reversed(ASKED))  # of each the first
    nothing = {"unexpected_count": (None, 0.0)}  # a sum of no rows is null there: docs/checks.md names it
    done = compared(rows.where("false"), list(first.items()))
    assert [item for item in done if item[2] not in ({}, nothing)] == []


def test_every_expectation_that_has_an_equal_is_compared() -> None:
    asked = {name for name, *_ in ASKED} | {name for name, *_ in DIFFERENT}
    assert asked - set(OTHERS) == set(EXPECTATIONS) - ELSEWHERE
