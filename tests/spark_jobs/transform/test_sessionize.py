"""Step sessionize."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from spark_jobs.errors import ConfigError
from tests.spark_jobs.transform.running import run

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2013-01-01 {text}")


def test_a_longer_gap_begins_a_session_and_an_equal_one_does_not(spark: SparkSession) -> None:
    given = [
        ("a", "10:00:00"),
        ("a", "10:30:00"),
        ("a", "11:00:01"),
        ("a", "10:30:00"),
        ("b", "10:00:00"),
        (None, "09:00:00"),
    ]
    rows = spark.createDataFrame(
        [(who, at(time)) for who, time in given] + [("a", None)], "who string, at timestamp_ntz"
    )
    done = run(rows, {"sessionize": {"by": ["who"], "at": "at", "gap": "1800s", "as": "s"}})
    assert sorted(done.rows, key=str) == sorted(
        [
            ("a", at("10:00:00"), at("10:00:00")),
            ("a", at("10:30:00"), at("10:00:00")),
            ("a", at("10:30:00"), at("10:00:00")),
            ("a", at("11:00:01"), at("11:00:01")),
            ("b", at("10:00:00"), at("10:00:00")),
            (None, at("09:00:00"), at("09:00:00")),
            ("a", None, None),
        ],
        key=str,
    )


def test_what_does_not_fit_is_an_error(spark: SparkSession) -> None:
    rows = spark.createDataFrame([], "who string, day date")
    with pytest.raises(ConfigError, match="column 'day' is date; expected a timestamp"):
        run(rows, {"sessionize": {"by": ["who"], "at": "day", "gap": "60s"}})
