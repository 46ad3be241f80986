"""Suites of Great Expectations: each expectation is a check; what is wrong is told at its place in the suite."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.spec import load_file
from airflow_provider_etl.spec.catalogue.rule import completed
from airflow_provider_etl.spec.loaded import Loaded
from spark_jobs import kinds
from tests.spec.conftest import ENVIRONMENT

NOT_NULL = {
    "type": "expect_column_values_to_not_be_null",
    "kwargs": {"column": "id", "mostly": 1},
    "meta": {"notes": "keys"},
    "severity": "warning",
    "id": "5d2e",
}
LARGEST = {"type": "expect_column_max_to_be_between", "kwargs": {"column": "amount", "max_value": 9}, "meta": {}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    (tmp_path / "config/environments").mkdir(parents=True)
    (tmp_path / "config/environments/local.yaml").write_text(ENVIRONMENT)
    (tmp_path / "dags/suites").mkdir(parents=True)
    return tmp_path


def read(folder: Path, suite: Any, check: str = "  - suite: suites/orders.json\n") -> Loaded:
    (folder / "dags/suites/orders.json").write_text(json.dumps(suite, indent=2))
    path = folder / "dags/orders.yaml"
    path.write_text(completed(f"check:\n{check}"))
    return load_file(path, expressions=True)


def told(loaded: Loaded) -> list[str]:
    return [
        f"{Path(item.path).name} {item.key} {item.code} {item.message} | {item.hint}" for item in loaded.diagnostics
    ]


def suite(*expectations: Any, **more: Any) -> dict[str, Any]:
    return {"name": "orders", "expectations": list(expectations), **more}


def test_each_expectation_is_a_check_native_where_there_is_an_equal(folder: Path) -> None:
    check = "  - unique: [id]\n  - suite: {file: suites/orders.json, on_fail: warn}\n  - row_count: {min: 1}\n"
    loaded = read(folder, suite(NOT_NULL, LARGEST, meta={"great_expectations_version": "1.24.1"}, notes=None), check)
    assert told(loaded) == []
    assert loaded.pipeline is not None
    found = [(name, kinds.dump(kind)) for name, kind in loaded.pipeline.check["result"]]
    assert found == [
        ("unique", {"columns": ["id"]}),
        (
            "not_null",
            {
                "columns": ["id"],
                "mostly": 1.0,
                "severity": "warning",
                "on_fail": "warn",
                "name": "expect_column_values_to_not_be_null",
            },
        ),
        (
            "expectation",
            {"type": LARGEST["type"], "kwargs": LARGEST["kwargs"], "on_fail": "warn", "name": LARGEST["type"]},
        ),
        ("row_count", {"min": 1}),
    ]


def test_a_suite_that_changes_makes_another_fingerprint_and_its_notes_don_t(folder: Path) -> None:
    first, noted, other = (
        read(folder, suite(item)).pipeline
        for item in (NOT_NULL, NOT_NULL | {"meta": {"notes": "none"}}, NOT_NULL | {"kwargs": {"column": "amount"}})
    )
    assert first is not None
    assert noted is not None
    assert other is not None
    assert first.fingerprint == noted.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        (suite(NOT_NULL, LARGEST | {"kwargs": {"column": "amount", "max_valu": 9}}),
         "orders.json expectations[[]1[]].kwargs.max_valu unknown-key *expect_column_max_to_be_between*'max_value'*"),
        (suite(NOT_NULL, LARGEST | {"kwargs": {"column": "amuont", "max_value": 9}}),
         "orders.json expectations[[]1[]].kwargs.column unknown-column expect_column_max_to_be_between: there is no *"),
        (suite(LARGEST | {"type": "expect_column_maks_to_be_between"}),
         "orders.json expectations[[]0[]].type unknown-kind *'expect_column_maks_to_be_between' | did you mean *"),
        (suite({"kwargs": {}}), "orders.json expectations[[]0[]] missing-key key 'type' is missing*"),
        (suite(LARGEST | {"kwarg": {}}), "orders.json expectations[[]0[]].kwarg unknown-key *"),
        (suite(["a"]), "orders.json expectations[[]0[]] wrong-type a list stands where an expectation*"),
        (suite(NOT_NULL | {"severity": "loud"}),
         "orders.json expectations[[]0[]].severity unknown-value expect_column_values_to_not_be_null: 'loud' is not *"),
        ({"name": "orders"}, "orders.json  missing-key key 'expectations' is missing*"),
        ([LARGEST], "orders.json  wrong-type a list stands where a suite*"),
        ({"expectation_suite_name": "orders", "expectations": []},
         "orders.json expectation_suite_name suite-version *0.x* | call expectation_suite_name `name`*"),
        (suite({"expectation_type": "expect_column_to_exist", "kwargs": {"column": "id"}}),
         "orders.json expectations[[]0[]].expectation_type suite-version *"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_file_index_and_expectation(folder: Path, given: Any, problem: str) -> None:
    loaded = read(folder, given)
    assert loaded.pipeline is None
    found = told(loaded)
    assert len(found) == 1
    assert fnmatch.fnmatchcase(found[0], problem), found


def test_a_file_that_is_no_json_is_told_at_its_line(folder: Path) -> None:
    read(folder, suite(LARGEST))
    path = folder / "dags/suites/orders.json"
    path.write_text(path.read_text().replace('"max_value": 9', '"max_value": 9]'))
    (found,) = load_file(folder / "dags/orders.yaml").diagnostics
    assert (Path(found.path).name, found.line > 1) == ("orders.json", True)


def test_characters_beyond_the_first_plane_are_read_as_json_writes_them(folder: Path) -> None:
    values = ["\U0001f600\U0001f4a9", "\\ud83d\\ude00", "\\\U0001f600", "\u00e9"]
    among = {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "customer", "value_set": values}}
    loaded = read(folder, suite(among))
    assert "\\ud83d\\ude00" in (folder / "dags/suites/orders.json").read_text()
    assert told(loaded) == []
    assert loaded.pipeline is not None
    ((_, check),) = loaded.pipeline.check["result"]
    assert list(check.values) == values
