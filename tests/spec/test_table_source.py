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


FEED = pipeline("changes: true", COLUMNS, condition="_change_order >= 0 AND _commit_version > 0")
KEYED = "{strategy: cdc, keys: [id], sequence: [_commit_version, _change_order], operation: _change_type}"


def test_a_change_feed_has_columns_of_its_own_and_wants_windows_in_order(project: Project) -> None:
    text = FEED.replace("{strategy: replace_window, column: at}", KEYED)
    (told,) = project.told(text)
    assert "4:3 changes-unordered extract.orders" in told
    assert "depends_on_previous: true" in told
    assert project.told(f"{text}depends_on_previous: true\n") == []
    for option, why in (("window: all", "goes on where the window before"), ("as_of: ${window.end}", "goes on where")):
        (told,) = project.told(
            f"{text}depends_on_previous: true\n".replace("changes: true", f"changes: true\n    {option}")
        )
        assert why in told
    taken = text.replace("at: {", "_Commit_Version: {").replace("timestamp", "bigint")
    assert any("'_Commit_Version' comes with the change feed" in item for item in project.told(taken))


def test_a_load_that_can_not_keep_what_a_window_has_read_is_told(project: Project) -> None:
    text = pipeline("window: modified", COLUMNS, "format: csv").replace("type: table", "type: files")
    assert project.told(text) == []
    snapshot = text.replace("{strategy: replace_window, column: at}", "{strategy: snapshot}")
    (told,) = project.told(snapshot)
    assert "consumed-unkept load.lake | load 'lake' can't keep what a window has read of 'orders'" in told
    assert "snapshot keeps the newest window alone" in told
    database = text.replace('type: delta, path: "${env.lake}/silver"', "type: jdbc, connection: mart, table: orders")
    (told,) = project.told(database)
    assert "type jdbc has no place for it" in told
    (told,) = project.told(text.replace("/bronze", "/${window.key}"))
    assert "the path names the window already" in told
    (told,) = project.told(text.replace("window: modified", "window: all\n    late_files: warn"))
    assert "only window: modified knows late files" in told
