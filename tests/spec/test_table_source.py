"""Source `table` and `audit_columns`: what lint knows of them."""

from __future__ import annotations

import pytest

from spark_jobs.plan import Attempt
from tests.spec.conftest import Project

PIPELINE = """\
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
    type: table
    path: ${env.lake}/bronze
    OPTIONS
transform:
  - from: orders
  - filter: FILTER
load:
  lake: {type: delta, path: "${env.lake}/silver", write: {strategy: replace_window, column: at}}
"""
COLUMNS = "columns: {id: {type: int}, at: {type: timestamp}}"


def pipeline(*options: str, condition: str = "id > 0") -> str:
    return PIPELINE.replace("OPTIONS", "\n    ".join(options)).replace("FILTER", condition)


def test_columns_of_a_table_are_followed_where_the_contract_says_them(project: Project) -> None:
    assert project.told(pipeline("window: {column: at}", COLUMNS)) == []
    (told,) = project.told(pipeline("window: all", COLUMNS, condition="idd > 0"))
    assert "unknown-column" in told
    assert "did you mean 'id'?" in told
    (told,) = project.told(pipeline("window: {column: id}", COLUMNS))
    assert "the window's column 'id' is int" in told
    assert not any("error" in item for item in project.told(pipeline("window: all", condition="anything > 0")))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ("window: all", "version: 3", 'as_of: "2013-01-01"'),
            "as_of: give a version or a moment",
        ),
        (("window: all", "as_of: soon"), "as_of: it is no date or time"),
        (("window: all", "version: -1"), "version"),
        (("version: 1",), "window-missing"),
        (("window: all", "format: csv"), "unknown-value"),
    ],
)
def test_what_can_not_be_is_told(project: Project, options: tuple[str, ...], words: str) -> None:
    told = project.told(pipeline(*options, COLUMNS))
    assert any(words in item for item in told), told


def test_a_moment_that_names_the_window_says_which_rows_belong_to_it(project: Project) -> None:
    text = pipeline("as_of: ${window.end}", COLUMNS)
    assert project.told(text) == []
    made = project.pipeline(text)
    source = made.plan(made.window_of("2013-01-01"), Attempt(number=1, token="t", run="r")).extract["orders"]
    assert source.moment("UTC").isoformat() == "2013-01-02T00:00:00+00:00"


def test_a_pipeline_may_read_its_own_table_only_as_it_was_before(project: Project) -> None:
    own = pipeline("window: {column: at}", COLUMNS).replace("/bronze", "/./silver/")
    (told,) = project.told(own)
    assert "6:11 table-read-back extract.orders.path | load 'lake' writes the table that is read here" in told
    assert project.told(own.replace("window: {column: at}", "as_of: ${window.start}")) == []
    assert project.told(own.replace("window: {column: at}", "window: all\n    version: 3")) == []


def test_audit_columns_are_columns_and_may_not_be_there_already(project: Project) -> None:
    audited = ("window: {column: at}", "audit_columns: true")
    assert project.told(pipeline(*audited, COLUMNS, condition="_source <> '' AND _extracted_at > at")) == []
    taken = COLUMNS.replace("}}", "}, _Extracted_At: {type: string}}")
    (told,) = [item for item in project.told(pipeline(*audited, taken)) if "column-collision" in item]
    assert "extract.orders.audit_columns | the source has a column '_Extracted_At' itself" in told
