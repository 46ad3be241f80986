"""The formats of source `files`: what docs/formats.md shows lints, and options of one format are none of another's."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.spec.conftest import Project

PAGE = (Path(__file__).resolve().parents[2] / "docs/formats.md").read_text()
SHOWN = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PIPELINE = """\
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
{source}
transform: [{{from: orders}}]
load: {{lake: {{type: delta, path: data/lake/orders, write: {{strategy: append}}}}}}
"""


def told(project: Project, source: str) -> list[str]:
    return project.told(PIPELINE.format(source=textwrap.indent(source, "    ")))


@pytest.mark.parametrize("source", SHOWN)
def test_what_the_page_shows_lints(project: Project, source: str) -> None:
    assert told(project, source) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("format: xml", "row_tag: xml needs it"),
        ("format: fixed", "fields: fixed needs it"),
        ("format: logs", "pattern: logs needs it"),
        ("format: csv\nrow_tag: x", "row_tag: only xml has it"),
        ("format: tsv\nseparator: ;", "separator: only csv has it"),
        ("format: json\nmultiline: true", "multiline: only csv and tsv have it"),
        ("format: parquet\ntrailer: 'T(?<rows>.)'", "trailer: only csv and tsv and json and fixed and text have it"),
        ("format: csv\nmerge_schema: false", "merge_schema: only parquet and orc and avro have it"),
        ("format: csv\nheader: 2", "header: only excel has it"),
        ("format: avro\nnull_values: [NA]", "null_values: Avro has types and nulls of its own"),
        ("format: csv\ntrailer: 'T(?<n>.)'", "trailer: the number of records must be in a group (?<rows>…)"),
        ("format: logs\npattern: '(?<a>(x+)+)'", "pattern: it may take forever"),
        ("format: logs\npattern: combined\ncolumns: {hots: {type: int}}", "columns: nothing gives 'hots'; there are"),
        ("format: text\ncolumns: {text: {type: int}}", "columns: nothing gives 'text'; there are line"),
        ("format: csv\npartitions: [day]", "partitions: columns says no type of 'day'"),
        ("format: text\npartitions: [line]\ncolumns: {line: {type: int}}", "'line' is a column of the files too"),
        ("format: excel\ncolumns: {a: {type: array<int>}}", "Excel can't hold 'array<int>'"),
        ("format: json\npartitions: [a]\ncolumns: {a: {type: array<int>}}", "can't hold 'array<int>'"),
        ("format: fixed\nfields: {a: {start: 0, length: 1}}", "1"),
    ],
)
def test_options_that_do_not_fit_the_format_are_told(project: Project, options: str, message: str) -> None:
    found = told(project, f"type: files\npath: data/raw/x\nwindow: all\n{options}")
    assert len(found) == 1, found
    assert message in found[0]


def test_lint_knows_the_columns_that_the_options_tell(project: Project) -> None:
    source = "type: files\npath: data/raw/x\nwindow: all\nformat: logs\npattern: common"
    text = PIPELINE.format(source=textwrap.indent(source, "    "))
    step = "transform: [{from: orders}, {rename: {NAME: x}}]"
    assert project.told(text.replace("transform: [{from: orders}]", step.replace("NAME", "status"))) == []
    found = project.told(text.replace("transform: [{from: orders}]", step.replace("NAME", "statsu")))
    assert "unknown-column" in found[0]
    assert "status" in found[0]
