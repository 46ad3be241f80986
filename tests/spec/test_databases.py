"""Sources of databases in a pipeline file: what lint tells, and what a plan says to them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from airflow_provider_etl.spec.settling import ready
from spark_jobs.connections import named_by
from spark_jobs.plan import Attempt, Plan
from tests.spec.conftest import Project

ROOT = Path(__file__).resolve().parents[2]
PIPELINE = """\
schedule: "@daily"
start: 2013-01-01
timezone: America/New_York
params:
  who: {type: string, default: "o'k\\\\"}
  least: {type: integer, default: 3}
extract:
  orders:
    type: jdbc
    connection: crm
    table: sales.orders
    window: {column: at}
    settle: 10m
transform:
  - from: orders
load:
  lake: {type: delta, path: "${env.lake}/orders", write: {strategy: append}}
"""


def without_params(text: str) -> str:
    return re.sub(r"params:\n(  .*\n)+", "", text)


def told(project: Project, old: str, new: str) -> list[str]:
    text = without_params(PIPELINE)
    assert old in text
    return project.told(text.replace(old, new))


def plan(project: Project, text: str) -> Plan:
    pipeline = project.pipeline(text)
    return pipeline.plan(pipeline.window_of("2013-07-01"), Attempt(number=1, token="t", run="r"))


def test_a_whole_source_lints(project: Project) -> None:
    assert project.told(without_params(PIPELINE)) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("connection: crm", "connection: postgresql://h/d", "option-conflict .*connection: it is the id of an Airflow"),
        ("table: sales.orders", "table: t\n    query: SELECT 1", "option-conflict .*give a table or a query"),
        ("    table: sales.orders\n", "", "option-conflict .*give a table or a query"),
        ("table: sales.orders", "query: DELETE FROM t", "option-conflict .*'DELETE FROM t' is no SELECT"),
        ("table: sales.orders", "query: select 1; select 2", "option-conflict .*a semicolon stands in the query"),
        (
            "table: sales.orders",
            "query: select * from t where a > '${window.start}'",
            "option-conflict .*take the quotes",
        ),
        (
            "table: sales.orders",
            "query: select * from t where a > now()",
            "expression-clock .*'now' gives another value",
        ),
        ("table: sales.orders", "query: select ${window.strat}", "unknown-variable .*did you mean"),
        ("    settle: 10m\n", "", "settle-missing .*reads a window by 'at' as soon as it ends.*settle: 10m"),
        ("settle: 10m", "settle: 2d", "out-of-range"),
        ("window: {column: at}", "window: all", "option-conflict .*settle: nothing is waited for"),
        ("    window: {column: at}\n", "", "window-missing"),
        ("settle: 10m", "settle: 1m\n    partition: {column: id, parts: 1}", "out-of-range"),
        ("settle: 10m", "settle: 1m\n    partition: {column: id, parts: 2, lower: 1}", "lower and upper go together"),
        (
            "settle: 10m",
            "settle: 1m\n    partition: {column: id, parts: 2, lower: 2, upper: 1}",
            "lower must lie below",
        ),
        ("settle: 10m", "settle: 1m\n    columns: {id: {type: nope}, at: {type: date}}", "unknown-type"),
        (
            "settle: 10m",
            "settle: 1m\n    columns: {id: {type: int}, at: {type: int}}",
            "the window's column 'at' is int",
        ),
        ("settle: 10m", "settle: 1m\n    timezone: Mars/X", "unknown-timezone"),
    ],
)
def test_what_can_not_be_is_told(project: Project, old: str, new: str, message: str) -> None:
    found = told(project, old, new)
    assert any(re.search(message, line) for line in found), found
    assert len(found) == 1, found


def test_columns_of_the_contract_are_followed(project: Project) -> None:
    columns = "settle: 1m\n    columns: {id: {type: int}, at: {type: timestamp}}"
    text = (
        without_params(PIPELINE)
        .replace("settle: 10m", columns)
        .replace("- from: orders", "- from: orders\n  - drop: [idd]")
    )
    [line] = project.told(text)
    assert "unknown-column" in line
    assert "did you mean 'id'" in line


def test_values_reach_the_database_typed_and_never_as_text(project: Project) -> None:
    query = (
        "SELECT * FROM t WHERE at >= ${window.start} AND k = ${window.key} AND n > ${param.least} AND w = ${param.who}"
    )
    text = PIPELINE.replace("table: sales.orders", f"query: {query} AND e = ${{env.lake}}").replace(
        "    window: {column: at}\n", ""
    )
    made = plan(project, text)
    lake = made.extract["orders"].query.partition("e = ")[2]
    assert made.extract["orders"].query.partition(" AND e = ")[0] == (
        "SELECT * FROM t WHERE at >= ${timestamp:2013-07-01T04:00:00Z} AND k = ${text:2013-07-01}"
        " AND n > ${number:3} AND w = ${text:o%27k%5C}"
    )
    assert re.fullmatch(r"\$\{text:[\w%.-]+\}", lake)
    assert Plan.from_json(made.to_json()).extract["orders"] == made.extract["orders"]


def test_a_plan_says_which_connections_it_needs_and_nothing_of_them(project: Project) -> None:
    made = plan(project, without_params(PIPELINE))
    assert named_by(made) == {"crm": "extract.orders.connection"}
    assert named_by(Plan.from_json(made.to_json() | {"verbs": ["load"]})) == {}
    assert "connections" not in made.to_json()


def test_a_window_is_ready_when_its_slowest_source_has_settled(project: Project) -> None:
    made = plan(project, without_params(PIPELINE))
    assert ready(made.extract, made.window) == datetime(2013, 7, 2, 4, 10, tzinfo=UTC)
    assert ready({}, made.window) == made.window.end


def test_the_page_s_example_lints(project: Project) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/databases.md").read_text(), re.DOTALL)
    head = 'schedule: "@daily"\nstart: 2013-01-01\n'
    tail = "transform:\n  all: {from: orders}\n  both: {from: rates}\nload:\n"
    loads = "".join(
        f'  {name}: {{from: {name}, type: delta, path: "${{env.lake}}/{name}", write: {{strategy: append}}}}\n'
        for name in ("all", "both")
    )
    assert project.told(head + text + tail + loads) == []
