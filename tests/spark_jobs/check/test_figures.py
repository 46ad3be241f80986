"""Checks that ask all rows together: given these rows, such a figure was seen, and it passes or fails."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.check.checking import checks

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
NAN = float("nan")


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Whole numbers, doubles, doubles with a NaN, decimals, and a column of nulls."""
    data = [
        (2**62, 1.0, 1.0, Decimal("0.10"), None, "abc", 1),
        (2**62, 2.0, NAN, Decimal("0.20"), None, "", 1),
        (2**62, 4.0, 3.0, None, None, "ab", 2),
        (None, None, None, Decimal("0.30"), None, None, None),
    ]
    schema = "whole bigint, `d.d` double, broken double, cents decimal(10,2), nothing double, t string, n int"
    return spark.createDataFrame(data, schema).cache()


def test_figures_are_seen_in_the_one_pass_and_held_against_their_bounds(rows: DataFrame) -> None:
    asked: list[tuple[Mapping[str, Any], Any, bool]] = [
        ({"sum": {"column": "whole", "min": 3 * 2**62}}, 3 * 2**62, True),  # no bigint can hold it
        ({"sum": {"column": "cents", "min": 0.6, "max": 0.6}}, 0.6, True),
        ({"sum": {"column": "d.d", "max": 7, "strict_max": True}}, 7.0, False),
        ({"sum": {"column": "broken", "min": 0}}, None, False),
        ({"sum": {"column": "nothing", "min": 0}}, None, False),
        ({"mean": {"column": "d.d", "min": 2, "max": 3}}, 7 / 3, True),
        ({"mean": {"column": "cents", "min": 0.2, "strict_min": True}}, 0.2, False),
        ({"median": {"column": "d.d", "min": 2, "max": 2}}, 2.0, True),
        ({"median": {"column": "broken", "min": 2, "max": 2}}, 2.0, True),
        ({"median": {"column": "nothing", "max": 2}}, None, False),
        ({"stddev": {"column": "d.d", "max": 1.6}}, 1.5275252316519465, True),
    ]
    done = checks(rows, *[item for item, _, _ in asked], {"not_null": ["n"]})
    seen = [(result.observed_value, result.success) for result in done.results[:-1]]
    for (item, wanted, success), (found, passed) in zip(asked, seen, strict=True):
        assert (found, passed) == (wanted if wanted is None else pytest.approx(wanted), success), item
    assert done.results[2].message == "the sum is 7.0, not below 7"
    assert done.results[3].message == "the sum is NaN, since a value is no number, expected the sum at least 0"
    assert done.results[4].message == "there is no value, expected the sum at least 0"
    assert {result.answered_by for result in done.results} == {"aggregate"}
    assert [(done.results[0].element_count, done.results[0].unexpected_count)] == [(4, 0)]


def test_no_rows_have_no_figures(rows: DataFrame) -> None:
    done = checks(rows.where("false"), {"sum": {"column": "n", "min": 0}}, {"mean": {"column": "n", "max": 1}})
    assert [(result.success, result.observed) for result in done.results] == [(False, None)] * 2


def test_texts_have_so_many_characters_and_lists_and_patterns_may_refuse(rows: DataFrame) -> None:
    done = checks(
        rows,
        {"length": {"column": "t", "min": 1, "max": 2}},
        {"length": {"column": "t", "max": 3, "strict_max": True}},
        {"not_in_set": {"column": "n", "values": [2, 3]}},
        {"not_in_set": {"column": "t", "values": [""]}},
        {"not_matches": {"column": "t", "regex": "^a"}},
    )
    assert [numbers[:2] for numbers in done.numbers] == [(3, 2), (3, 1), (3, 1), (3, 1), (3, 2)]
    first = done.results[0]
    assert (first.element_count, first.missing_count, first.unexpected_percent_total) == (4, 1, 50.0)
    assert first.unexpected_percent_nonmissing == pytest.approx(200 / 3)
    assert first.message.startswith("2 of 3 values (66.7 %) don't have at least 1 and at most 2 characters; at least")
    aside = checks(rows, {"length": {"column": "t", "min": 3, "on_fail": "quarantine"}})
    assert sorted(row["message"] for row in aside.refused) == [
        "t: '' has 0 characters, not at least 3",
        "t: 'ab' has 2 characters, not at least 3",
    ]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({"sum": {"column": "x", "min": 1}}, "check.result[0].sum.column: unknown column 'x'"),
        ({"mean": {"column": "t", "min": 1}}, "column 't' is string; expected a column of numbers"),
        ({"length": {"column": "n", "min": 1}}, "column 'n' is int; expected a text column"),
        ({"not_matches": {"column": "t", "regex": "("}}, "'(' is no regular expression"),
    ],
)
def test_a_figure_that_does_not_fit_is_an_error_of_the_file(rows: DataFrame, item: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as error:
        checks(rows, item)
    assert words in str(error.value)
