"""`clean`: given texts as suppliers send them, these are left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def test_white_space_of_every_kind_goes_at_both_ends_and_stays_inside(spark: SparkSession) -> None:
    dirty = [" a b ", "\tx\r\n", "\u00a0y\u3000", "\ufeffz", "é ", "", "   ", None, "\u2009ß\x1f"]
    rows = spark.createDataFrame([(value,) for value in dirty], "`te.xt` string")
    done = run(rows, {"clean": {"trim": "all"}})
    assert [row[0] for row in done.rows] == ["a b", "x", "y", "z", "é", "", "", None, "ß"]


def test_texts_come_into_one_form_of_unicode(spark: SparkSession) -> None:
    rows = spark.createDataFrame([("Zoe\u0308", 1), ("\ufb01n\u00a0", 2), (None, 3), ("ß", 4)], "`te.xt` string, n int")
    assert run(rows, {"clean": {"normal_form": "NFC"}}).rows == [("Zoë", 1), ("\ufb01n\u00a0", 2), (None, 3), ("ß", 4)]
    done = run(rows, {"clean": {"normal_form": "NFKC", "trim": "all", "nulls": ["fin"]}})
    assert done.rows == [("Zoë", 1), (None, 2), (None, 3), ("ß", 4)]


def test_only_the_columns_asked_for_are_trimmed(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(" a ", " b ", 1)], "one string, two string, n int")
    assert run(rows, {"clean": {"trim": ["one"]}}).rows == [("a", " b ", 1)]
    assert run(rows, {"clean": {"nulls": ["zzz"]}}).rows == [(" a ", " b ", 1)]


def test_words_become_null_after_trimming_and_letter_case_matters(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(" NA ",), ("na",), ("",), ("NAN",), (None,)], "x string")
    done = run(rows, {"clean": {"trim": "all", "nulls": ["NA", ""]}})
    assert [row[0] for row in done.rows] == [None, "na", None, "NAN", None]


def test_whole_rows_that_repeat_are_dropped_and_counted(spark: SparkSession) -> None:
    nan = float("nan")
    rows = spark.createDataFrame(
        [(1, None, nan), (1, None, nan), (1, "a", 0.0), (1, "a", -0.0)], "a int, b string, c double"
    )
    done = run(rows, {"clean": {"duplicates": "drop"}})
    assert (done.counts.deduplicated, done.counts.rows) == (2, 2)
    assert sorted(repr(row) for row in done.rows) == ["(1, 'a', 0.0)", "(1, None, nan)"]


def test_rows_with_maps_and_arrays_can_repeat_too(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(1, {"a": None}, [1]), (1, {"a": None}, [1]), (1, {"a": 2}, [1])], "a int, m map<string,int>, l array<int>"
    )
    done = run(rows, {"clean": {"duplicates": "drop"}})
    assert done.columns == ["a", "m", "l"]
    assert sorted(row[1]["a"] or 0 for row in done.rows) == [0, 2]


def test_no_rows_stay_no_rows(spark: SparkSession) -> None:
    rows = spark.createDataFrame([], "a string")
    assert run(rows, {"clean": {"trim": "all", "nulls": [""], "duplicates": "drop"}}).rows == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"trim": ["n"]}, "transform.result[0].clean.trim: column 'n' is int; expected a text column"),
        ({"trim": ["tetx"]}, "did you mean 'text'?"),
        ({}, "nothing to clean"),
    ],
)
def test_what_can_not_be_cleaned_is_an_error(spark: SparkSession, options: dict[str, Any], words: str) -> None:
    rows = spark.createDataFrame([("a", 1)], "text string, n int")
    with pytest.raises(ConfigError) as error:
        run(rows, {"clean": options})
    assert words in str(error.value)
