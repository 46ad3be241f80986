"""Results as Great Expectations writes them: it takes what we say, of every check that it has too."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from spark_jobs import kinds
from spark_jobs.check import CHECKS
from spark_jobs.check.gx import expectation, validation_result, validation_results
from spark_jobs.errors import ConfigError
from spark_jobs.report import CheckResult

WITHOUT = {"anomaly", "python", "conforms", "completeness", "condition", "freshness", "monotonic", "references"}


def built(text: str) -> tuple[str, Any]:
    ((name, options),) = yaml.safe_load(text).items()
    kind = kinds.find(CHECKS, name, "check")
    given = kinds.normalise(kind, options)
    if name == "quantile":
        given["ranges"] = {str(share): bounds for share, bounds in given["ranges"].items()}
    return name, kinds.build(kind, given)


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_great_expectations_takes_every_check_that_it_has(name: str) -> None:
    from great_expectations.core.expectation_validation_result import ExpectationValidationResult
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    check = built(kinds.find(CHECKS, name, "check").example.replace(", tolerance: 0.01", ""))[1]
    result = CheckResult(name=name, kind=name, dataset="d", column="id", success=True, observed=1, severity="info")
    told = json.loads(json.dumps(validation_result(check, result)))
    config = told["expectation_config"]
    if name in WITHOUT:
        assert (config["type"], config["kwargs"]) == (name, kinds.dump(check))
        return
    configuration = ExpectationConfiguration(**config)
    assert configuration.to_domain_obj().severity == "info"
    whole = ExpectationValidationResult(**(told | {"expectation_config": configuration}))
    assert whole.success


@pytest.mark.parametrize(
    ("text", "type_", "kwargs"),
    [
        (
            "compare: {column: a, is: less, other: b}",
            "expect_column_pair_values_a_to_be_greater_than_b",
            {"column_A": "b", "column_B": "a", "ignore_row_if": "either_value_is_missing"},
        ),
        ("compare: {column: a, is: not_equal, other: b}", "compare", {"column": "a", "is": "not_equal", "other": "b"}),
        (
            "null_share: {column: a, max: 0.1, strict_max: true}",
            "expect_column_proportion_of_non_null_values_to_be_between",
            {"column": "a", "min_value": 0.9, "strict_min": True},
        ),
        (
            "in_range: {column: a, min: 1, mostly: 0.5, on_fail: warn}",
            "expect_column_values_to_be_between",
            {"column": "a", "min_value": 1, "mostly": 0.5},
        ),
        (
            "in_range: {column: a, min: 1, on_fail: quarantine}",
            "expect_column_values_to_be_between",
            {"column": "a", "min_value": 1, "mostly": 0.0},
        ),
        (
            "type: {column: a, types: [integer, DECIMAL]}",
            "expect_column_values_to_be_in_type_list",
            {"column": "a", "type_list": ["IntegerType", "DecimalType"]},
        ),
        (
            "type: {column: a, types: [integer, 'decimal(10,2)']}",
            "type",
            {"column": "a", "types": ["integer", "decimal(10,2)"]},
        ),
        ("type: {column: a, types: [interval]}", "type", {"column": "a", "types": ["interval"]}),
        ("unique: {columns: [a], approximate: 0.01}", "unique", {"columns": ["a"], "approximate": 0.01}),
        ("row_count: {same_as: b, tolerance: 1%}", "row_count", {"same_as": "b", "tolerance": "1%"}),
        ("row_count: {last: 3, tolerance: 50%}", "row_count", {"last": 3, "tolerance": "50%"}),
    ],
)
def test_what_a_check_is_called_there(text: str, type_: str, kwargs: dict[str, Any]) -> None:
    name, check = built(text)
    assert expectation(name, check, "a") == (type_, kwargs)


def test_a_check_of_several_columns_has_a_result_for_each() -> None:
    checks = (built("not_null: [a, b]"), built("unique: [a, b]"), built("mean: {column: a, min: 1}"))
    results = [
        CheckResult(
            name=kind,
            kind=kind,
            dataset="d",
            column=column,
            success=False,
            observed=None,
            element_count=4,
            unexpected_count=1,
            missing_count=missing,
            unexpected_percent_total=25.0,
            unexpected_percent_nonmissing=percent,
        )
        for kind, column, missing, percent in (
            ("not_null", "a", None, 25.0),
            ("not_null", "b", None, 25.0),
            ("unique", "a, b", 2, 50.0),
            ("mean", "a", None, None),
        )
    ]
    told = validation_results(checks, results)
    assert [item["expectation_config"]["kwargs"].get("column") for item in told] == ["a", "b", None, "a"]
    assert told[0]["result"] == {"element_count": 4, "unexpected_count": 1, "unexpected_percent": 25.0}
    assert told[2]["result"] == {
        "element_count": 4,
        "unexpected_count": 1,
        "unexpected_percent": 50.0,
        "missing_count": 2,
        "missing_percent": 50.0,
        "unexpected_percent_total": 25.0,
        "unexpected_percent_nonmissing": 50.0,
    }
    assert told[3]["result"] == {"observed_value": None}


def test_each_result_is_paired_with_its_own_check() -> None:
    def answer(kind: str, name: str, column: str | None = None) -> CheckResult:
        return CheckResult(name=name, kind=kind, dataset="d", column=column, success=True, observed=1)

    @dataclass(frozen=True, kw_only=True)
    class Several:
        """A check of someone's own that asks several questions."""

        name: str | None = None
        on_fail: str = "stop"

    checks: list[tuple[str, Any]] = [("several", Several()), ("several", Several(name="other"))]
    checks.append(built("mean: {column: a, max: 1}"))
    results = [answer("several", "several", column) for column in "xyz"]
    results += [answer("several", "other"), answer("mean", "mean", "a")]
    told = validation_results(checks, results, {"1": {"notes": "second"}, "2": {"notes": "third"}})
    assert [item["expectation_config"]["type"] for item in told] == ["several"] * 4 + [
        "expect_column_mean_to_be_between"
    ]
    assert [item["expectation_config"]["meta"].get("notes") for item in told] == [None] * 3 + ["second", "third"]
    with pytest.raises(ConfigError, match="1 results, first one called 'mean', are of no check"):
        validation_results(checks[:2], results)
    with pytest.raises(ConfigError, match=r"2 checks called 'several' have 3 results.*`name`"):
        validation_results([checks[0], checks[0]], results[:3])
