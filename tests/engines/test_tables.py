"""The life of a table on the command line, by the engine that tasks use: renamed, adopted, refreshed, purged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.cli.main import main
from airflow_provider_etl.hooks.ledger import already_done
from airflow_provider_etl.spec import Pipeline, load_file
from spark_jobs.plan import Attempt
from tests.airflow.project import FLIGHTS, HEADER, ROOT, Project

pytestmark = pytest.mark.spark


def read(path: Path) -> Pipeline:
    pipeline = load_file(path).pipeline
    assert pipeline is not None
    return pipeline


def reported(*command: str) -> dict[str, Any]:
    assert main([*command, "--json", "report.json"]) == 0
    return dict(json.loads(Path("report.json").read_text()))


def test_a_renamed_file_with_the_old_id_keeps_its_table_and_its_ledger(project: Project) -> None:
    old = project.dags / "pipelines/flights.yaml"
    project.drop(1, ["11,UA,2013-01-01T01:30:00-05:00,1", "x,UA,2013-01-01T02:30:00-05:00,1"])
    reported("run", str(old), "--window", "2013-01-01")
    new = project.pipeline("departures", "id: flights\n" + FLIGHTS.lstrip())
    old.unlink()
    pipeline = read(new)
    window = pipeline.window_of("2013-01-01")
    attempt = Attempt(number=1, token="t", run="r")
    found = already_done(pipeline, window, attempt)
    assert found is not None
    assert (found.pipeline, found.id, found.state) == ("departures", "flights", "skipped")
    report = reported("run", str(new), "--window", "2013-01-01")
    assert (report["pipeline"], report["id"]) == ("departures", "flights")
    assert (report["loads"]["lake"]["rows_inserted"], report["loads"]["lake"]["rows_deleted"]) == (1, 1)
    assert {path.name for path in (project.folder / "data/quarantine").iterdir()} == {"-usage", "flights"}
    other = read(project.pipeline("departures", FLIGHTS))
    assert already_done(other, window, attempt) is None, "without the id it would be another pipeline"


def test_a_table_that_delta_rs_wrote_is_adopted_and_then_loaded(project: Project) -> None:
    import pyarrow as pa
    from deltalake import DeltaTable, write_deltalake

    moments = [datetime(2013, 1, day, 12, tzinfo=UTC) for day in (1, 2)]
    columns = {
        "flight": pa.array([1, 2], pa.int32()),
        "carrier": ["UA", "UA"],
        "time_hour": pa.array(moments, pa.timestamp("us", "UTC")),
    }
    write_deltalake(project.lake, pa.table(columns))
    files = sorted(DeltaTable(project.lake).file_uris())
    path = str(project.dags / "pipelines/flights.yaml")
    load = reported("adopt", path, "--windows", "2013-01-01/2013-01-04", "--yes")["loads"]["lake"]
    assert [window["state"] for window in load["windows"]] == ["adopted", "adopted", "empty"]
    assert sorted(DeltaTable(project.lake).file_uris()) == files
    pipeline = read(Path(path))
    loaded = [
        already_done(pipeline, pipeline.window_of(f"2013-01-0{day}"), Attempt(number=1, token="t", run="r"))
        for day in (1, 2, 3)
    ]
    assert [report is not None for report in loaded] == [True, True, False]
    report = reported("run", path, "--window", "2013-01-01")
    assert report["loads"]["lake"]["rows_deleted"] == 1
    assert [row["flight"] for row in project.rows()] == [11, 12, 13, 2]


def killed(command: list[str], at: str) -> str:
    """Run a command in a process of its own and kill it at the first line that holds a text; what it had said."""
    owner = subprocess.Popen(
        [sys.executable, "-m", "airflow_provider_etl.cli.main", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    said = ""
    assert owner.stdout is not None
    for line in owner.stdout:
        said += line
        if at in line:
            owner.send_signal(signal.SIGKILL)
            break
    owner.wait()
    owner.stdout.close()
    return said


@pytest.mark.prove
def test_a_refresh_that_is_killed_leaves_the_old_table_or_the_new_and_the_next_one_ends_it(project: Project) -> None:
    path = str(project.dags / "pipelines/flights.yaml")
    for day in (1, 2, 3):
        reported("run", path, "--window", f"2013-01-0{day}")
    old = [int(str(row["flight"])) for row in project.rows()]
    for day in (1, 2, 3):
        project.drop(day, [f"{100 + day},UA,2013-01-0{day}T01:30:00-05:00,1"])
    for place in ("window 2 of 3 is built", "windows are built, swapping"):
        assert place in killed(["refresh", path, "--yes"], place)
        flights = [int(str(row["flight"])) for row in project.rows()]
        assert flights in (old, [101, 102, 103]), "never a mix"
        assert flights == old or "swapping" in place
    report = reported("refresh", path, "--yes")
    assert report["built"] <= 1, "what was built before the kills isn't built again"
    assert [row["flight"] for row in project.rows()] == [101, 102, 103]
    assert [item.name for item in project.lake.parent.iterdir()] == ["flights"], "the shadow is gone"


def test_a_purge_removes_an_entity_and_the_report_says_where(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(project.dags / "pipelines/flights.yaml")
    project.write(
        "data/raw/flights/2013-01-01.csv",
        f"{HEADER}\n11,ZZ,2013-01-01T01:30:00-05:00,1\nx,ZZ,2013-01-01T01:30:00-05:00,1\n12,UA,2013-01-01T02:30:00-05:00,1\n",
    )
    reported("run", path, "--window", "2013-01-01")
    report = reported("purge", path, "--key", "carrier=ZZ", "--yes")
    assert [(table["name"], table["state"], table["rows"]) for table in report["tables"]] == [
        ("load lake", "purged", 1),
        ("load lake, refresh under way", "absent", 0),
        ("quarantine", "purged", 1),
    ]
    assert [row["carrier"] for row in project.rows()] == ["UA"]
    assert "load lake: 1 rows removed" in capsys.readouterr().out
