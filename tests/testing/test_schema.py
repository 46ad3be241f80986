"""The JSON Schema of test files judges as the reader does: in an editor, what is wrong is red."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_etl.spec import find_files, load_file
from airflow_provider_etl.testing.cases import cases_beside, load_cases
from airflow_provider_etl.testing.schema import schema_of_tests
from tests.spec.conftest import Project
from tests.spec.test_json_schema import read
from tests.testing.conftest import CASES

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = schema_of_tests()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", find_files(ROOT / "dags/pipelines"), ids=lambda path: path.name)
def test_every_example_has_a_test_file_that_is_valid(validator: jsonschema.Draft202012Validator, path: Path) -> None:
    tests = cases_beside(path)
    assert tests is not None
    validator.validate(read(tests.read_text()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("cases:", "case:"),
        ("name: first", "nam: first"),
        ("window: 2013-01-02", "window: [2013-01-02]"),
        ("sources:\n  rates", "source:\n  rates"),
        ("rows: []", "row: []"),
        ("rows: []", "rows: 1"),
        ("{id: 1, at: 2013-01-02T01:00}", "x"),
        ("datasets:", "dataset:"),
        ("result: [{id: 1}]", "result: {exact: maybe}"),
        ("result: [{id: 1}]", "result: {tolerance: -1}"),
        ("datasets:\n        result: [{id: 1}]", "quarantine: none"),
        ("datasets:\n        result: [{id: 1}]", "quarantine: [{lines: 3}]"),
        ("datasets:\n        result: [{id: 1}]", "quarantine: [{rows: 0}]"),
        ("datasets:\n        result: [{id: 1}]", "checks: {key: passes}"),
        ("datasets:\n        result: [{id: 1}]", "counts: {result: {red: 1}}"),
        ("datasets:\n        result: [{id: 1}]", "error: [x]"),
    ],
)
def test_what_the_reader_refuses_the_schema_refuses(
    validator: jsonschema.Draft202012Validator, old: str, new: str
) -> None:
    assert old in CASES
    assert validator.is_valid(read(CASES))
    assert not validator.is_valid(read(CASES.replace(old, new, 1)))


def test_every_key_is_described() -> None:
    schema: dict[str, Any] = schema_of_tests()
    for item in (schema, *schema["$defs"].values()):
        for key, option in item["properties"].items():
            assert option.get("description") or schema["$defs"][option["$ref"].rpartition("/")[2]]["description"], key


def test_the_example_of_the_documentation_is_read_without_a_word(project: Project) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/tests.md").read_text(), re.DOTALL)
    pipeline = load_file(ROOT / "dags/pipelines/weather.yaml").pipeline
    assert pipeline is not None
    found = load_cases(project.write(text, "weather.test.yaml"), pipeline)
    assert [str(item) for item in found.diagnostics] == []
    jsonschema.Draft202012Validator(schema_of_tests()).validate(read(text))
