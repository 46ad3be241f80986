"""Expectations that no check is the equal of: Great Expectations answers them, over the same rows."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs import kinds
from spark_jobs.check import gx_run
from spark_jobs.check.expectation import Expectation
from spark_jobs.check.flow import check
from spark_jobs.check.gx import validation_results
from spark_jobs.errors import ConfigError, DataError
from spark_jobs.plan import Dataset
from spark_jobs.report import CheckResult
from spark_jobs.transform.mask import Mask
from tests.spark_jobs.check.checking import built
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark
Z_SCORES = {"column": "x", "threshold": 1.0, "double_sided": True, "mostly": 0.5}
ASKED: list[dict[str, Any]] = [
    {"type": "expect_column_max_to_be_between", "kwargs": {"column": "n", "max_value": 5}, "on_fail": "warn"},
    {"type": "expect_column_value_z_scores_to_be_less_than", "kwargs": Z_SCORES},
    {"type": "expect_column_most_common_value_to_be_in_set", "kwargs": {"column": "t", "value_set": ["south"]}},
    {
        "type": "expect_column_kl_divergence_to_be_less_than",
        "kwargs": {
            "column": "t",
            "partition_object": {"values": ["north", "south"], "weights": [0.5, 0.5]},
            "threshold": 0.5,
        },
    },
    {"type": "expect_column_values_to_be_null", "kwargs": {"column": "t"}, "on_fail": "warn", "severity": "info"},
    {"type": "expect_column_distinct_values_to_be_in_set", "kwargs": {"column": "t", "value_set": ["north", "south"]}},
    {
        "type": "expect_column_values_to_be_between",
        "kwargs": {"column": "n", "min_value": 2, "row_condition": "t = 'south'", "condition_parser": "spark"},
        "name": "in the south",
    },
    {
        "type": "unexpected_rows_expectation",
        "kwargs": {"unexpected_rows_query": "SELECT * FROM {batch} WHERE n > 6"},
        "on_fail": "warn",
    },
]
BESIDE = {"not_null": {"columns": ["n"], "name": "not_null"}}


@pytest.fixture(scope="module")
def rows(spark: SparkSession) -> DataFrame:
    """Rows of a session of their own, as every run has one."""
    given = [(1, 1.5, "north"), (2, 2.5, "south"), (2, 90.0, "south"), (3, None, None), (7, -4.0, "south")]
    return spark.newSession().createDataFrame(given, "n int, x double, t string")


def answers(rows: DataFrame, asked: list[dict[str, Any]], **beside: Any) -> list[CheckResult]:
    within = context(rows)
    asked = [{kind: {"name": options.get("type")} | options for kind, options in item.items()} for item in asked]
    within = dataclasses.replace(within, plan=dataclasses.replace(within.plan, **beside))
    return check(built(asked), rows, rows.count(), within).results


def test_great_expectations_answers_what_no_check_here_is_the_equal_of(
    rows: DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = answers(rows, [BESIDE, *[{"expectation": item} for item in ASKED], BESIDE])
    assert [(item.name, item.success, item.column) for item in found] == [
        ("not_null", True, "n"),
        ("expect_column_max_to_be_between", False, "n"),
        ("expect_column_value_z_scores_to_be_less_than", True, "x"),
        ("expect_column_most_common_value_to_be_in_set", True, "t"),
        ("expect_column_kl_divergence_to_be_less_than", True, "t"),
        ("expect_column_values_to_be_null", False, "t"),
        ("expect_column_distinct_values_to_be_in_set", True, "t"),
        ("in the south", True, "n"),
        ("unexpected_rows_expectation", False, None),
        ("not_null", True, "n"),
    ]
    asked = found[1:-1]
    assert {item.answered_by for item in asked} == {"great_expectations"}
    assert (asked[0].observed, asked[0].message) == (7, "not as expected: 7 was observed")
    scores, nulls = asked[1], asked[4]
    assert (scores.element_count, scores.missing_count, scores.unexpected_count, scores.observed) == (5, 1, 1, 4)
    assert (scores.unexpected_percent, scores.unexpected_percent_total) == (25.0, 20.0)
    assert (nulls.unexpected_count, nulls.missing_count, nulls.severity) == (4, None, "info")
    assert nulls.message == "4 of 5 values (80 %) are not as expected"
    assert asked[-1].observed == 1
    assert [item.observed_value for item in asked[2:6]] == [None, 0.0 + asked[3].observed_value, None, None]
    assert list(tmp_path.iterdir()) == []
    assert rows.sparkSession.catalog.listTables() == []
    named = [kinds.build(Expectation, {"name": item["type"]} | item) for item in ASKED]
    told = validation_results([("expectation", check) for check in named], asked)
    assert told[0]["expectation_config"]["type"] == "expect_column_max_to_be_between"
    assert told[0]["result"] == {"observed_value": 7}
    assert told[4]["result"] == {"element_count": 5, "unexpected_count": 4, "unexpected_percent": 80.0}


def test_of_values_that_were_observed_is_told_how_many_they_are(rows: DataFrame) -> None:
    asked = [
        {"type": "expect_column_distinct_values_to_be_in_set", "kwargs": {"column": "t", "value_set": ["east"]}},
        {"type": "expect_column_most_common_value_to_be_in_set", "kwargs": {"column": "t", "value_set": ["east"]}},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "d", "max_value": "2012-12-31"}},
    ]
    dated = rows.selectExpr("t", "date'2013-01-01' AS d")
    found = answers(dated, [{"expectation": item | {"on_fail": "warn"}} for item in asked])
    assert [(item.success, item.observed_value, item.message) for item in found] == [
        (False, None, "not as expected: 2 values"),
        (False, None, "not as expected: 1 value was observed, not shown: they are data"),
        (False, "2013-01-01", "not as expected: 2013-01-01 was observed"),
    ]
    assert "north" not in str(found)


def test_no_value_of_a_masked_dataset_is_told(rows: DataFrame) -> None:
    step = ("mask", kinds.build(Mask, {"columns": {"t": "redact"}}))
    masked = {"result": Dataset(source="given", steps=(step,))}
    query = "SELECT * FROM {batch} WHERE raise_error(t) IS NULL"
    largest, refused = ASKED[0], {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}}
    (found,) = answers(rows, [{"expectation": largest}], transform=masked)
    assert (found.success, found.observed, found.observed_value) == (False, None, None)
    assert found.message == "not as expected (the value is not shown: it is personal or masked)"
    with pytest.raises(DataError, match="the reason is not shown"):
        answers(rows, [{"expectation": refused}], transform=masked)


def test_a_text_for_great_expectations_can_do_nothing_but_read_its_rows(rows: DataFrame, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("root")
    rows.createOrReplaceTempView("staged")
    rows.sparkSession.conf.set("spark.sql.runSQLOnFiles", "true")  # as it is without us
    queries = {
        "SELECT reflect('java.lang.System', 'getProperty', 'user.home') FROM {batch}": "runs Java code",
        "SELECT TRANSFORM (n) USING 'cat' AS (n) FROM {batch}": "runs a program",
        f"SELECT * FROM csv.`{tmp_path}/secret.csv`": "Spark refuses it",  # noqa: S608
        f"INSERT OVERWRITE DIRECTORY '{tmp_path}/out' USING csv SELECT * FROM {{batch}}": "Spark refuses it",  # noqa: S608
        "DROP VIEW staged": "Spark refuses it",
        "SELECT * FROM {other}": "stands for nothing",
    }
    conditions = {
        "java_method('java.lang.System', 'getProperty', 'user.home') IS NULL": "runs Java code",
        f"EXISTS (SELECT * FROM csv.`{tmp_path}/secret.csv`)": "Spark refuses it",  # noqa: S608
        "n IN (SELECT TRANSFORM (n) USING 'cat' AS (n) FROM staged)": "runs a program",
        "n > 1) OR (n < 2": "no expression",
    }
    largest = {"column": "n", "max_value": 9}
    asked = [({"unexpected_rows_query": text}, "unexpected_rows_expectation", why) for text, why in queries.items()]
    for text, why in conditions.items():
        passed = {"type": "pass_through", "pass_through_filter": text}
        forms = (
            {"row_condition": text, "condition_parser": "spark"},
            {"row_condition": text},
            {"row_condition": passed},
        )
        asked.extend((largest | form, "expect_column_max_to_be_between", why) for form in forms)
    reference = {"column": "t", "json_schema": {"items": [{"$ref": f"file://{tmp_path}/secret.csv"}]}}
    asked.append((reference, "expect_column_values_to_match_json_schema", "out of the schema"))
    asked.append(({"column": "n`"}, "expect_column_values_to_be_null", "backtick"))
    asked.append(({"column": "nn"}, "expect_column_values_to_be_null", "columns are .*did you mean"))
    for kwargs, kind, why in asked:
        with pytest.raises(ConfigError, match=why) as caught:
            answers(rows, [{"expectation": {"type": kind, "kwargs": kwargs}}])
        assert "check.result[0].expectation.kwargs." in str(caught.value), caught.value
    assert rows.sparkSession.catalog.tableExists("staged")
    assert not (tmp_path / "out").exists()
    assert rows.sparkSession.conf.get("spark.sql.runSQLOnFiles") == "true"
    rows.sparkSession.catalog.dropTempView("staged")
    comparison = {"type": "comparison", "column": {"name": "t"}, "operator": "==", "parameter": "it's"}
    (found,) = answers(
        rows,
        [
            {
                "expectation": {
                    "type": "expect_column_values_to_be_null",
                    "kwargs": {"column": "n", "row_condition": comparison},
                }
            }
        ],
    )
    assert (found.success, found.element_count) == (True, 0)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"type": "expect_column_max_to_be_between", "kwargs": {"column": "m", "max_value": 1}},
            r"check\.result\[0\]\.expectation\.kwargs\.column: .*no column 'm'; expected columns are 'n', 'x', 't'",
        ),
        (
            {"type": "expect_column_max_to_be_between", "kwargs": {"column": "n", "max_value": "much", "min": 1}},
            r"check\.result\[0\]\.expectation: Great Expectations refuses expect_column_max_to_be_between: ",
        ),
    ],
)
def test_what_can_t_be_answered_is_one_error_with_its_place(
    rows: DataFrame, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        answers(rows, [{"expectation": asked}])


def test_great_expectations_that_isn_t_there_is_told_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ConfigError, match=r"check.result\[0\]: .*isn't installed; pip install .*etl\[gx\]"):
        gx_run.demand("check.result[0]")
