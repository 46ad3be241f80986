"""`python`: what a function says of rows, in the one aggregate or by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs.check.flow import Checked, check
from spark_jobs.check.python import Python
from spark_jobs.errors import ConfigError
from tests.spark_jobs.check.checking import built
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

HERE = "tests.spark_jobs.check.functions"


def asked(rows: DataFrame, *items: dict[str, Any], allowed: str = HERE) -> Checked:
    here = context(rows)
    here = replace(here, plan=replace(here.plan, allowed_python=(allowed,)))
    wanted = [{"python": item | {"function": f"{HERE}:{item['function']}"}} for item in items]
    return check(built(wanted), rows, 4, here)


@pytest.fixture
def rows(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1,), (2,), (5,), (None,)], "n int")


@pytest.mark.spark
def test_a_condition_counts_and_sets_aside_and_the_rest_are_answers(rows: DataFrame) -> None:
    done = asked(
        rows,
        {"function": "small", "options": {"limit": 3}, "on_fail": "quarantine"},
        {"function": "ranked", "mostly": 0.5},
        {"function": "many", "options": {"at_least": 4}},
        {"function": "many", "options": {"at_least": 5}, "on_fail": "warn"},
        {"function": "different", "max": 4},
        {"function": "different", "max": 3, "on_fail": "warn"},
    )
    assert [(item.success, item.unexpected_count, item.answered_by, item.observed_value) for item in done.results] == [
        (True, 2, "rows", None),
        (True, 2, "rows", None),
        (True, 0, "function", True),
        (False, 0, "function", False),
        (True, 0, "function", 4),
        (False, 0, "function", 4),
    ]
    assert done.kept is not None
    assert done.refused is not None
    assert sorted(done.kept.collect()) == [(1,), (2,)]
    assert [row["message"] for row in done.refused.collect()] == [f"{HERE}:small doesn't hold"] * 2


@pytest.mark.spark
@pytest.mark.parametrize(
    ("item", "allowed", "words"),
    [
        ({"function": "small"}, HERE, "can't be called so: missing a required argument: 'limit'"),
        ({"function": "small"}, "company", "doesn't allow python steps from tests.spark_jobs.check.functions"),
        ({"function": "gives", "options": {"what": "x"}}, HERE, "gives str; expected a condition"),
        ({"function": "gives", "options": {"what": 3}}, HERE, "gives a number; expected min or max"),
        ({"function": "gives", "options": {"what": True}, "max": 3}, HERE, "gives True or False; expected neither min"),
        ({"function": "gives", "options": {"what": True}, "on_fail": "quarantine"}, HERE, "expected a condition"),
        ({"function": "small", "options": {"limit": 3}, "max": 3}, HERE, "gives a condition; expected neither min"),
        ({"function": "plus"}, HERE, "gives a column of int; expected a condition"),
        ({"function": "unknown"}, HERE, "nosuch"),
    ],
)
def test_what_can_not_be_is_told(rows: DataFrame, item: dict[str, Any], allowed: str, words: str) -> None:
    with pytest.raises(ConfigError) as told:
        asked(rows, item, allowed=allowed)
    assert words in str(told.value)
    assert str(told.value).startswith("check.result[0].python")


def test_a_number_has_no_rows() -> None:
    assert set(Python(function="a.b:c", max=1, on_fail="quarantine").conflicts()) == {"on_fail"}
    assert set(Python(function="a.b:c", max=1, mostly=0.5).conflicts()) == {"mostly"}
    assert set(Python(function="a.b", min=2, max=1).conflicts()) == {"function", "max"}
    assert Python(function="a.b:c", mostly=0.5, on_fail="quarantine").conflicts() == {}
