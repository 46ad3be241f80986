"""Source `sql`: a query over the sources above it, whose columns are followed and whose windows are theirs."""

from __future__ import annotations

import json

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.spec.sizes import measured
from spark_jobs.plan import Attempt
from tests.spec.conftest import Project

PIPELINE = """\
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
    format: csv
    new_columns: freeze
    columns: {id: {type: int}, customer: {type: string}, at: {type: timestamp}}
  customers:
    type: files
    path: ${env.raw}/customers.csv
    format: csv
    window: all
    new_columns: freeze
    columns: {customer: {type: string}, name: {type: string}}
  named:
    type: sql
    query: QUERY
transform:
  - from: named
  - filter: FILTER
load:
  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: replace_window, column: at}}
"""
QUERY = "SELECT o.*, c.name FROM orders o LEFT JOIN customers c USING (customer)"


def pipeline(query: str = QUERY, condition: str = "name IS NOT NULL", more: str = "") -> str:
    return PIPELINE.replace("QUERY", json.dumps(query) + more).replace("FILTER", json.dumps(condition))


def test_it_needs_no_window_and_its_columns_are_followed(project: Project) -> None:
    assert project.told(pipeline()) == []
    (told,) = project.told(pipeline(condition="nam IS NOT NULL"))
    assert told.startswith("22:14 unknown-column transform[1].filter")
    assert "did you mean 'name'?" in told


@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("SELECT * FROM", "expression-syntax", ""),
        ("SELECT * FROM orderz JOIN customers USING (customer)", "query-table", "did you mean 'orders'?"),
        ("SELECT * FROM input", "query-table", "'input' is no dataset"),
        ("SELECT * FROM named", "query-table", "'named' is no dataset"),
        ("SELECT * FROM result", "query-table", "'result' is no dataset"),
        ("SELECT * FROM lake.orders", "query-table", "a query reads the sources above it"),
        ("SELECT * FROM csv.`/etc/passwd`", "query-table", "the sources above it"),
        ("DROP TABLE orders", "query-statement", ""),
        ("SELECT *, now() AS x FROM orders", "expression-clock", ""),
        ("SELECT customer, first(at) AS at, '' AS name FROM orders GROUP BY customer", "expression-order", ""),
        ("SELECT reflect('a', 'b') AS name, at FROM orders", "expression-code", ""),
        ("SELECT idd AS name, at FROM orders", "unknown-column", "did you mean 'id'?"),
    ],
)
def test_what_is_no_query_over_the_sources_above_is_told(project: Project, query: str, code: str, words: str) -> None:
    told = [line for line in project.told(pipeline(query)) if line.startswith("19:")]
    assert f" {code} " in told[0]
    assert words in told[0]


def test_a_source_that_is_defined_below_is_not_there_yet(project: Project) -> None:
    lines = pipeline().splitlines(keepends=True)
    place = lines.index("  customers:\n")
    moved = [*lines[:place], *lines[place + 7 : place + 10], *lines[place : place + 7], *lines[place + 10 :]]
    (told,) = [line for line in project.told("".join(moved)) if "query-table" in line]
    assert "'customers' is no dataset" in told


def test_the_window_is_a_literal_in_the_plan_and_the_size_is_that_of_its_sources(project: Project) -> None:
    made = project.pipeline(pipeline("SELECT o.*, '' AS name FROM orders o, customers WHERE at < ${window.end}"))
    plan = made.plan(made.window_of("2013-01-01"), Attempt(number=1, token="t", run="r"))
    assert "at < TIMESTAMP" in plan.extract["named"].query
    assert measured([plan.extract["named"]]) == "tiny"


def test_explain_shows_who_reads_whom(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    path = project.write(pipeline())
    assert main(["explain", str(path)]) == 0
    told = capsys.readouterr().out
    assert f"named sql {QUERY}" in " ".join(told.split())
    assert "read by source named" in told


WIDE = """\
schedule: "@daily"
start: 2013-01-01
lookback: 1d
extract:
  orders:
    type: files
    path: ${env.raw}/orders
    format: csv
    new_columns: freeze
    window: {column: at}
    columns: {id: {type: int}, at: {type: timestamp, required: true}}
  big:
    type: sql
    query: SELECT * FROM orders WHERE id > 9
MORE
transform: [{from: big}]
load:
  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: append}}
"""


def test_rows_from_before_the_window_are_told_apart_by_a_window_column_of_its_own(project: Project) -> None:
    (told,) = project.told(WIDE.replace("MORE\n", ""))
    assert told.startswith("12:3 lookback-context extract.big | rows of 'orders' from before the window come into")
    assert project.told(WIDE.replace("MORE", "    window: {column: at}")) == []
    (told,) = project.told(WIDE.replace("MORE", "    window: {column: id}"))
    assert "the window's column 'id' is int" in told
