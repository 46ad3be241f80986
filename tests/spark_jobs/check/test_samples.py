"""Values that failed are shown to those who ask for them, and none that is personal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs import kinds
from spark_jobs.check import CHECKS
from spark_jobs.check.flow import check
from spark_jobs.extract import SOURCES
from spark_jobs.flow import Context
from spark_jobs.plan import Dataset
from spark_jobs.transform.mask import Mask
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark


def source(*, pii: bool) -> Any:
    """A source with a contract."""
    contract = {"t": {"type": "string", "pii": pii}}
    return kinds.build(kinds.find(SOURCES, "files", "extract"), {"path": "x", "format": "csv", "columns": contract})


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    data = [(place % 30, None if place == 3 else f"text {place}") for place in range(60)]
    return spark.createDataFrame(data, "i int, t string").coalesce(1).cache()


def values(rows: DataFrame, asked: Context, *items: tuple[str, dict[str, Any]], form: Any = "SUMMARY") -> list[Any]:
    found = tuple((name, kinds.build(kinds.find(CHECKS, name, "check"), options)) for name, options in items)
    return [result.partial_unexpected_list for result in check(found, rows, 60, asked, form).results]


def test_values_are_gathered_where_a_check_failed_and_where_they_are_asked_for(rows: DataFrame) -> None:
    items: list[tuple[str, dict[str, Any]]] = [
        ("in_range", {"column": "i", "max": 27}),
        ("matches", {"column": "t", "regex": "^text"}),
        ("compare", {"column": "i", "is": "greater", "other": "i"}),
        ("matches", {"column": "t", "regex": "5$", "mostly": 0.01}),
        ("not_null", {"columns": ["t"]}),
        ("unique", {"columns": ["i"]}),
        ("condition", {"holds": "i < 0"}),
        ("mean", {"column": "i", "max": 1}),
    ]
    found = values(rows, context(rows), *items)
    assert sorted(found[0]) == [28, 28, 29, 29]
    assert (found[1], found[3], found[6], found[7]) == (None, None, None, None)
    assert found[2][0] == {"i": 0}  # one column twice is one
    assert found[4] == [None]
    assert len(found[5]) == 20
    assert values(rows, context(rows), *items, form="BOOLEAN_ONLY") == [None] * 8


def plans(given: Context, *, pii: bool, steps: Any = ()) -> tuple[Context, Context]:
    """With a plan in which nothing is personal, and with one in which something is, or is masked."""
    opened = replace(given.plan, extract={"people": source(pii=False)}, transform={"result": Dataset(source="people")})
    closed = replace(
        opened, extract={"people": source(pii=pii)}, transform={"result": Dataset(source="people", steps=steps)}
    )
    return replace(given, plan=opened), replace(given, plan=closed)


PERSONAL = pytest.mark.parametrize(
    ("pii", "steps"), [(True, ()), (False, (("mask", Mask(columns={"t": "redact"})),))], ids=["pii", "mask"]
)


@PERSONAL
def test_no_value_of_a_dataset_is_shown_that_a_mask_or_a_contract_calls_personal(
    rows: DataFrame, pii: bool, steps: Any
) -> None:
    opened, closed = plans(context(rows), pii=pii, steps=steps)
    item: tuple[str, dict[str, Any]] = ("in_range", {"column": "i", "max": 28})
    assert values(rows, opened, item) == [[29, 29]]
    assert values(rows, closed, item) == [None]


@PERSONAL
def test_no_figure_of_such_a_dataset_is_shown_that_tells_values(rows: DataFrame, pii: bool, steps: Any) -> None:
    opened, closed = plans(context(rows), pii=pii, steps=steps)
    telling: list[tuple[str, dict[str, Any]]] = [
        *((kind, {"column": "i", "max": -1}) for kind in ("sum", "mean", "median", "stddev")),
        ("quantile", {"column": "i", "ranges": {"0.5": {"max": -1}}}),
        ("freshness", {"column": "day", "within": timedelta(0)}),
        ("sum", {"column": "i", "min": 0}),
    ]
    counting = [("distinct_count", {"column": "i", "max": 1}), ("null_share", {"column": "t", "min": 0.5})]
    items = tuple(
        (name, kinds.build(kinds.find(CHECKS, name, "check"), options)) for name, options in [*telling, *counting]
    )
    dated = rows.selectExpr("*", "date'1987-06-05' AS day")
    shown, hidden = (check(items, dated, 60, asked).results for asked in (opened, closed))
    assert (
        [result.success for result in shown]
        == [result.success for result in hidden]
        == [False] * 6 + [True] + [False] * 2
    )
    assert "1987-06-06" in shown[5].message
    assert all(result.observed_value is not None for result in shown)
    assert [(result.observed, result.observed_value) for result in hidden[:7]] == [(None, None)] * 7
    told = "not within its bounds (the value is not shown: it is personal or masked)"
    assert [result.message for result in hidden[:7]] == [told] * 6 + [""]
    assert hidden[7:] == shown[7:]
