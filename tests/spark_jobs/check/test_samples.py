"""Values that failed are shown to those who ask for them, and none that is personal."""

from __future__ import annotations

from dataclasses import replace
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


@pytest.mark.parametrize(("pii", "steps"), [(True, ()), (False, (("mask", Mask(columns={"t": "redact"})),))])
def test_no_value_of_a_dataset_is_shown_that_a_mask_or_a_contract_calls_personal(
    rows: DataFrame, pii: bool, steps: Any
) -> None:
    plain = context(rows)
    plan = replace(
        plain.plan,
        extract={"people": source(pii=pii)},
        transform={"result": Dataset(source="people", steps=steps)},
    )
    open_plan = replace(plan, extract={"people": source(pii=False)}, transform={"result": Dataset(source="people")})
    item: tuple[str, dict[str, Any]] = ("in_range", {"column": "i", "max": 28})
    assert values(rows, replace(plain, plan=open_plan), item) == [[29, 29]]
    assert values(rows, replace(plain, plan=plan), item) == [None]
