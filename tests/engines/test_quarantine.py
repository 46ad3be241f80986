"""Rows that are set aside, on the command line by the engine that tasks use: listed, dropped, run again, recounted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.main import main
from tests.airflow.project import Project

pytestmark = pytest.mark.spark

GOOD = "11,UA,2013-01-01T01:30:00-05:00,1"
BAD = ["x,UA,2013-01-01T02:30:00-05:00,2", "13,,2013-01-01T03:30:00-05:00,3", "14,UA,2013-01-01T04:30:00-05:00,late"]


def told(*command: str, code: int = 0) -> dict[str, Any]:
    assert main([*command, "--json", "report.json"]) == code
    return dict(json.loads(Path("report.json").read_text()))


def listed(path: str, *more: str) -> list[tuple[str, str, int]]:
    groups = told("quarantine", "list", path, *more)["groups"]
    return sorted((item["state"], item["rules"][0], item["retries"]) for item in groups)


def test_rows_are_dropped_or_run_again_and_none_is_lost(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    from deltalake import DeltaTable

    path = str(project.dags / "pipelines/flights.yaml")
    project.drop(1, [GOOD, *BAD])
    told("run", path, "--window", "2013-01-01")
    waits = [("waiting", "required carrier", 0), ("waiting", "type dep_delay", 0), ("waiting", "type flight", 0)]
    assert listed(path) == waits
    told("quarantine", "drop", path, "--rule", "type flight", "--reason", "a test flight", "--yes")
    assert listed(path) == waits[:2]
    assert ("dropped", "type flight", 0) in listed(path, "--all")
    project.drop(1, [GOOD, *BAD[:2], BAD[2].replace("late", "4")])
    replayed = told("quarantine", "replay", path)
    assert [(item["before"], item["waiting"], item["again"]) for item in replayed["windows"]] == [(2, 1, 1)]
    after = [("dropped", "type flight", 1), ("replayed", "type dep_delay", 1), ("waiting", "required carrier", 1)]
    assert listed(path, "--all") == after
    assert [row["flight"] for row in project.rows()] == [11, 14]
    assert "2013-01-01: 2 rows waited, 1 were refused again" in capsys.readouterr().out
    audited = told("audit", path, "--from", "2013-01-01", "--to", "2013-01-02")["windows"]
    assert [(window["verdict"], window["balances"]) for window in audited] == [("balances", True), ("not loaded", None)]
    assert (audited[0]["read"], audited[0]["refused"]) == (4, 2)
    assert audited[0]["aside"] == {"dropped": 1, "waiting": 1}
    assert (audited[0]["loads"]["lake"]["found"], audited[0]["loads"]["lake"]["counted"]) == (2, "table")
    DeltaTable(project.lake).delete("flight = 14")
    [broken] = told("audit", path, "--window", "2013-01-01", code=1)["windows"]
    assert (broken["verdict"], broken["balances"]) == ("lake: 1 rows missing", False)
    assert not list((project.folder / "data/staging").rglob("*.parquet")), "an audit leaves nothing behind"
