"""docs/language.md and docs/rules.md are made of the code, are up to date, and their examples lint."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.schemas import text_of
from airflow_provider_etl.schemas.__main__ import made
from airflow_provider_etl.spec.catalogue import RULES, completed
from airflow_provider_etl.spec.class_docs import attribute_docs
from airflow_provider_etl.spec.class_plan import plan_of
from airflow_provider_etl.spec.language import EnvironmentFile, PipelineFile
from airflow_provider_etl.spec.reference import PAGES
from airflow_provider_etl.spec.reference.__main__ import main
from airflow_provider_etl.spec.reference.language_page import example
from airflow_provider_etl.spec.reference.options import nested
from airflow_provider_etl.spec.verbs import REGISTRIES
from spark_jobs import kinds
from spark_jobs.load.strategies import Strategy
from tests.spec.conftest import ENVIRONMENT, Project

ROOT = Path(__file__).resolve().parents[2]
KINDS = [(group, name) for group, registry in REGISTRIES.items() for name in registry]
CUSTOMERS = """\
  customers:
    type: files
    path: ${env.raw}/customers.csv
    format: csv
    window: all
    new_columns: freeze
    columns: {id: {type: string}, name: {type: string}}
  returns: {type: files, path: "${env.raw}/returns.csv", format: csv, window: all, columns: {id: {type: int}}}
"""
# What no CSV holds, and what the orders of the other examples have no need of.
MORE = """\
    columns:
      items: {type: array<string>}
      address: {type: "struct<city:string>"}
      first: {type: int}
      second: {type: int}
"""
APPEND = (
    "check: [{row_count: {min: 1}}]\nload: {lake: {type: delta, path: data/lake/orders, write: {strategy: append}}}\n"
)


def kind_of(group: str, name: str) -> Any:
    return kinds.find(REGISTRIES[group], name, group)


def test_the_schemas_that_ship_are_up_to_date() -> None:
    for name, text in made().items():
        assert text_of(name) == text, "make docs writes them anew"


@pytest.mark.parametrize("name", PAGES)
def test_the_pages_are_up_to_date(name: str, tmp_path: Path) -> None:
    main(tmp_path)
    made, kept = (tmp_path / name).read_text(), (ROOT / "docs" / name).read_text()
    assert made == kept, "run make docs"


@pytest.mark.parametrize(("group", "name"), KINDS)
def test_every_kind_has_an_example_that_lints(
    project: Project, monkeypatch: pytest.MonkeyPatch, group: str, name: str
) -> None:
    monkeypatch.setenv("AIRFLOW__ETL__ALLOWED_PYTHON", "company.etl")
    shown = example(group, kind_of(group, name))
    project.environment(ENVIRONMENT.replace("roots: [data]", "roots: [data, 's3://deliveries']"))
    sources = completed("")[: completed("").index("transform:")].partition("extract:\n")[2]
    sources = sources.replace("format: csv", "format: json").replace("    columns:\n", MORE) + CUSTOMERS
    text = completed(
        f"extract:\n{sources}{APPEND if group == 'transform' else ''}" + ("" if group == "extract" else shown)
    )
    if group == "extract":
        more = "transform: [{from: orders}]\ncheck: []\n" if name in {"table", "sql"} else ""
        above = f"extract:\n{sources.replace('orders:', 'placed:', 1)}" if name == "sql" else ""
        text = completed((above + shown.removeprefix("extract:\n") if above else shown) + more)
    assert [line for line in project.told(text) if "unused-dataset" not in line] == []


@pytest.mark.parametrize(("group", "name"), KINDS)
def test_every_option_of_every_class_is_documented(group: str, name: str) -> None:
    kind = kind_of(group, name)
    for item in (kind, *nested(kind), PipelineFile, *nested(PipelineFile), EnvironmentFile, *nested(EnvironmentFile)):
        assert set(attribute_docs(item)) == {field.name for field in plan_of(item).fields.values()}, item


def test_strategies_have_an_example_and_a_promise() -> None:
    for strategy in Strategy.__args__:
        assert strategy.example.startswith("{strategy: ")
        assert strategy.promise


@pytest.mark.parametrize("name", PAGES)
def test_every_link_of_a_page_leads_somewhere(name: str) -> None:
    text = PAGES[name]()
    anchors = set(re.findall(r'<a id="([^"]+)">', text)) | set(re.findall(r"^#+ ([a-z_-]+)$", text, re.MULTILINE))
    links = set(re.findall(r"\]\(#([^)]+)\)", text))
    assert links
    assert links <= anchors


def test_the_rules_page_has_an_anchor_for_every_code() -> None:
    headings = re.findall(r"^### (.*)$", PAGES["rules.md"](), re.MULTILINE)
    assert headings == list(RULES)
