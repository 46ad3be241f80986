"""What doesn't run over Spark Connect is told by lint, at its place, and stands in the docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_etl.spec import load_file
from spark_jobs.connect.limits import ABLE, OPTIONS
from spark_jobs.load import DESTINATIONS
from tests.airflow.project import ENVIRONMENT, FLIGHTS, ROOT, Project

FUSED = FLIGHTS.replace("execution: staged", "execution: fused")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project.make(tmp_path / "project")
    made.write("config/environments/local.yaml", ENVIRONMENT.replace("kind: local,", "kind: local_connect,"))
    return made


def told(project: Project, text: str) -> list[str]:
    loaded = load_file(project.pipeline("flights", text), expressions=True)
    return [item.message for item in loaded.errors if item.code == "not-over-connect"]


TABLE = FUSED.replace(
    FUSED[FUSED.index("  flights:\n") : FUSED.index("transform:")],
    "  flights: {type: table, path: '${env.lake}/bronze', window: {column: time_hour}}\n",
)


@pytest.mark.parametrize("text", [FUSED, FLIGHTS, TABLE], ids=["fused", "staged", "of a table"])
def test_what_runs_there_is_not_complained_of(project: Project, text: str) -> None:
    assert told(project, text) == []


def test_a_task_per_verb_needs_a_folder_that_client_and_server_see(project: Project) -> None:
    environment = "variables: {raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}\n"
    environment += "roots: [data]\nengines: {far: {kind: connect, url: 'sc://spark:15002'}}\ndefaults: {engine: far}\n"
    project.write("config/environments/local.yaml", environment)
    [message] = told(project, FLIGHTS)
    assert "task per verb" in message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TABLE.replace("window: {column: time_hour}", "as_of: '${window.end}'"), "its log"),
        (
            TABLE.replace("window: {column: time_hour}", "changes: true").replace(
                "schedule:", "depends_on_previous: true\nschedule:"
            ),
            "its log",
        ),
        (TABLE.replace("type: table", "type: table, format: files"), "its files"),
        (FUSED.replace("format: csv", "format: json"), "json"),
        (FUSED.replace("{strategy: replace_window, column: time_hour}", "{strategy: merge, keys: [flight]}"), "merge"),
        (FUSED.replace("    null_values:", "    manifest: optional\n    null_values:"), "small files"),
        (FUSED + "    cluster_by: [carrier]\n", "cluster"),
        (
            FUSED.replace("owner: data-platform", "owner: data-platform\ndata_docs: {path: '${env.lake}/docs'}"),
            "data_docs",
        ),
    ],
)
def test_what_does_not_is_named(project: Project, text: str, expected: str) -> None:
    [message] = told(project, text)
    assert expected in message


def test_the_same_on_a_classic_engine_is_fine(project: Project) -> None:
    project.write("config/environments/local.yaml", ENVIRONMENT)
    assert told(project, FLIGHTS.replace("format: csv", "format: json")) == []


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        ("kind: connect", "'url' is missing"),
        ("kind: connect, url: 'https://spark'", "no URL of Spark Connect"),
        ("kind: connect, url: 'sc://spark:15002/;token=sesame'", "the URL says token"),
        ("kind: local, url: 'sc://spark:15002'", "'url' means nothing"),
    ],
)
def test_an_engine_says_where_its_endpoint_is(project: Project, engine: str, expected: str) -> None:
    environment = "variables: {raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}\n"
    environment += f"roots: [data]\nengines: {{local: {{{engine}}}}}\n"
    project.write("config/environments/local.yaml", environment)
    messages = [item.message for item in load_file(project.pipeline("flights", FUSED)).errors]
    assert any(expected in message for message in messages), messages
    assert not any("sesame" in message for message in messages)


def test_the_docs_name_all_of_it() -> None:
    page = (ROOT / "docs/connect.md").read_text(encoding="utf-8")
    for able in ABLE.values():
        assert all(f"`{kind}`" in page for kind in able.kinds)
    assert all(f"`{option}`" in page for options in OPTIONS.values() for option in options)
    assert "delta" in DESTINATIONS
