"""The JSON Schema is made of the classes that check the file, and judges as they do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_etl.spec import find_files, scalars
from airflow_provider_etl.spec.json_schema import json_schema
from airflow_provider_etl.spec.nodes import ListNode, MapNode, Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_text
from tests.spec.conftest import PIPELINE

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = [*find_files(ROOT / "dags/pipelines"), *find_files(ROOT / "examples")]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def plain(node: Node | None) -> Any:
    """A node as an editor's YAML 1.2 reader sees it."""
    if isinstance(node, MapNode):
        return {key: plain(entry.value) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    assert isinstance(node, ScalarNode)
    kind, value = scalars.resolved(node.text) if node.plain else ("text", node.text)
    return node.text if kind == "unclear" else value


def read(text: str) -> Any:
    return plain(read_text(text, "x.yaml", Problems()))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_pipeline_is_valid(validator: jsonschema.Draft202012Validator, path: Path) -> None:
    validator.validate(read(path.read_text()))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("description:", "descripton:"),
        ("schedule:", "cron:"),
        ("type: files", "type: file"),
        ("format: csv", "fromat: csv"),
        ("format: csv", "format: protobuf"),
        ("format: csv", "format: csv\n    window: {colum: x}"),
        ("- filter:", "- filtr:"),
        ("- filter: amount > 0", "- filter: amount > 0\n    clean: {}"),
        ("- filter: amount > 0", "- filter: 7"),
        ("- from: orders\n", "- clean: {}\n"),
        ("- not_null: [id]", "- nut_null: [id]"),
        ("[id]", "{columns: [id], mostly: 2}"),
        ("[id]", "{columns: [id], x: 2}"),
        ("{strategy: append}", "{strategy: appendd}"),
        ("{strategy: append}", "{strategy: append, column: x}"),
        ("{strategy: append}", "{strategy: replace_window}"),
        ("start: 2013-01-01", "start: yesterday"),
        ("start: 2013-01-01", "start: 2013-01-01\ntimeout: 30"),
        ("start: 2013-01-01", "start: 2013-01-01\ncatchup: 1"),
        ("start: 2013-01-01", "start: 2013-01-01\nmax_active_windows: 0"),
        ("  lake:", "  my lake:"),
    ],
)
def test_what_lint_refuses_the_schema_refuses(validator: jsonschema.Draft202012Validator, old: str, new: str) -> None:
    assert old in PIPELINE
    assert validator.is_valid(read(PIPELINE))
    assert not validator.is_valid(read(PIPELINE.replace(old, new)))


@pytest.mark.parametrize("verb", ["extract", "load"])
def test_missing_verbs_are_refused(validator: jsonschema.Draft202012Validator, verb: str) -> None:
    value = read(PIPELINE)
    del value[verb]
    assert not validator.is_valid(value)


def test_every_option_is_described_and_every_reference_leads_somewhere() -> None:
    schema = json_schema()
    for name, item in schema["$defs"].items():
        for key, option in item.get("properties", {}).items():
            if key != "type":
                assert option.get("description"), f"{name}.{key}"
    references = _references(schema)
    assert references
    assert all(reference.removeprefix("#/$defs/") in schema["$defs"] for reference in references)


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [found for item in value.values() for found in _references(item)]
    return [found for item in value for found in _references(item)] if isinstance(value, list) else []
