"""A `maintenance` block with a schedule is a DAG of its own, and its task does what the command does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.airflow.project import FLIGHTS, Project
from tests.airflow.test_factory import bag_of, serialised

pytestmark = pytest.mark.airflow

KEPT = FLIGHTS.replace(
    "write: {strategy: replace_window, column: time_hour}",
    'write: {strategy: replace_window, column: time_hour}\n    maintenance: {schedule: "@weekly", target_mb: 64}',
)


def test_upkeep_is_a_dag_of_its_own(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.pipeline("flights", KEPT)
    bag = bag_of(project)
    assert sorted(bag.dags) == ["flights", "flights.maintenance"]
    dag = bag.dags["flights.maintenance"]
    (task,) = dag.tasks
    assert (task.task_id, task.pipeline, list(task.loads)) == ("maintain", "pipelines/flights.yaml", ["lake"])
    assert (dag.max_active_runs, dag.catchup, dag.tags) == (1, False, {"demo", "air", "maintenance"})
    dags, errors = serialised(bag)
    assert (sorted(dags), errors) == (["flights", "flights.maintenance"], {})
    from airflow_provider_etl.factory import loader

    asked = type("Asked", (), {"dag_id": "flights.maintenance"})
    monkeypatch.setattr(loader, "get_parsing_context", lambda: asked)
    found = loader.load_pipelines({"__file__": str(project.dags / "etl.py")})
    assert "flights.maintenance" in found, "a start of its task reads the one file"


def test_rows_set_aside_are_kept_no_longer_than_is_said_though_no_table_has_a_block(project: Project) -> None:
    kept = "\nquarantine: {keep: 90d}\n"
    project.pipeline("flights", FLIGHTS + kept)
    [task] = bag_of(project).dags["flights.maintenance"].tasks
    assert (task.tables, list(task.loads)) == (False, [])
    project.pipeline("flights", FLIGHTS + "\nresults: {keep: 400d}\n")
    [task] = bag_of(project).dags["flights.maintenance"].tasks
    assert not task.tables, "results of checks that are kept for some time are kept up likewise"
    project.pipeline("flights", FLIGHTS + "\nresults: true\n")
    assert sorted(bag_of(project).dags) == ["flights"], "those that are kept for good need no DAG"
    unscheduled = KEPT.replace('schedule: "@weekly", ', "") + kept
    project.pipeline("flights", unscheduled)
    [task] = bag_of(project).dags["flights.maintenance"].tasks
    assert not task.tables, "a block without a schedule is done by hand"
    project.pipeline("flights", KEPT + kept)
    bag = bag_of(project)
    assert sorted(bag.dags) == ["flights", "flights.maintenance"], "the block's DAG sees to it"
    [task] = bag.dags["flights.maintenance"].tasks
    assert task.tables


@pytest.mark.spark
def test_the_task_and_the_command_do_the_same(
    deployed: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow_provider_etl.cli.main import main
    from tests.airflow.test_operators import reports, run_dag

    deployed.pipeline("flights", KEPT)
    run_dag(deployed, "flights", 1)
    file = str(deployed.dags / "pipelines/flights.yaml")
    assert main(["history", file, "--limit", "5"]) == 0
    said = capsys.readouterr().out
    assert "2013-01-01T05:00:00Z/2013-01-02T05:00:00Z" in said
    told = reports(run_dag(deployed, "flights.maintenance", 2))["maintain"]
    assert (told["state"], [action["action"] for action in told["tables"][0]["actions"]]) == (
        "done",
        ["optimize", "vacuum"],
    )
    assert main(["maintain", file, "--dry-run", "--json", str(tmp_path / "report.json")]) == 0
    shown = json.loads((tmp_path / "report.json").read_text())
    assert (shown["state"], shown["tables"][0]["before"]) == ("shown", told["tables"][0]["after"])
    assert "optimize: small_files 0" in capsys.readouterr().out
