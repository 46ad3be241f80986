"""Given a window, when the operators run it in a DAG, then the table is; real Spark, and Airflow's own `dag.test()`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, Project

pytestmark = [pytest.mark.airflow, pytest.mark.spark]


def run_dag(project: Project, dag_id: str, day: int, conf: dict[str, Any] | None = None, file: str = "etl.py") -> Any:
    """Run a DAG for a day of January 2013; `dag.test(D)` has the interval that ends at D."""
    import pendulum
    from airflow.dag_processing.dagbag import BundleDagBag

    bag = BundleDagBag(dag_folder=str(project.dags / file), bundle_path=project.dags, bundle_name="dags-folder")
    assert not bag.import_errors
    return bag.dags[dag_id].test(logical_date=pendulum.datetime(2013, 1, day + 1, 5), run_conf=conf)


def reports(run: Any) -> dict[str, Any]:
    """Task id -> what the task returned."""
    return {ti.task_id: ti.xcom_pull(task_ids=ti.task_id) for ti in run.get_task_instances()}


def states(run: Any) -> dict[str, str]:
    """Task id -> state."""
    return {ti.task_id: str(ti.state) for ti in run.get_task_instances()}


def test_a_staged_dag_loads_the_window_and_a_second_run_finds_it_done(
    deployed: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    run = run_dag(deployed, "flights", 1)
    said = capfd.readouterr().out
    assert states(run) == dict.fromkeys(["extract", "transform", "check", "load", "finish"], "success")
    assert [row["flight"] for row in deployed.rows()] == [11, 12, 13]
    told = reports(run)
    assert told["extract"]["state"] == "running"
    assert told["extract"]["staged"]["flights"]["rows"] == 3
    assert told["load"]["verbs"] == ["extract", "transform", "check", "load"]
    assert told["load"]["loads"]["lake"]["state"] == "loaded"
    assert told["load"]["window"]["key"] == "2013-01-01"
    assert len({told[task]["attempt"]["run"] for task in ("extract", "transform", "check", "load")}) == 1
    assert told["finish"] == {
        "windows": 1, "loaded": True, "read": 3, "filtered": 0, "deduplicated": 0, "quarantined": 0, "inserted": 3
    }  # fmt: skip
    assert len(str(told["load"])) < 8000
    assert "UA" not in str(told), "rows never travel by XCom"
    assert re.search(r"\[etl\] extract flights: 3 read, 3 kept", said), "progress is in the task's log"

    again = run_dag(deployed, "flights", 1)
    told = reports(again)
    assert states(again) == dict.fromkeys(["extract", "transform", "check", "load", "finish"], "success")
    assert told["load"]["state"] == "skipped"
    assert told["load"]["loads"]["lake"]["state"] == "already_done"
    assert "spark" not in capfd.readouterr().out.lower().replace("spark_jobs", ""), "Spark isn't started for it"
    assert [row["flight"] for row in deployed.rows()] == [11, 12, 13]


@pytest.mark.prove
def test_another_configuration_really_runs(deployed: Project) -> None:
    project = deployed
    first = FLIGHTS.replace("execution: staged", "execution: fused").replace("${env.lake}/flights", "${env.lake}/other")
    project.pipeline("other", first)
    assert reports(run_dag(project, "other", 2))["pipeline"]["state"] == "loaded"
    assert reports(run_dag(project, "other", 2))["pipeline"]["state"] == "skipped"
    project.pipeline("other", first.replace("dep_delay > 15", "dep_delay > 25"))
    told = reports(run_dag(project, "other", 2))["pipeline"]
    assert told["loads"]["lake"]["state"] == "loaded"
    assert told["loads"]["lake"]["rows_deleted"] == 3


def test_the_form_of_a_run_by_hand_gives_its_window(deployed: Project) -> None:
    text = FLIGHTS.replace("execution: staged", "execution: fused").replace("${env.lake}/flights", "${env.lake}/form")
    deployed.pipeline("form", text)
    run = run_dag(deployed, "form", 1, conf={"window_start": "2013-01-03", "window_end": "2013-01-04"})
    assert reports(run)["pipeline"]["window"]["key"] == "2013-01-03"


def test_bad_data_fails_at_once_with_one_line_that_says_why(
    deployed: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    text = FLIGHTS.replace("${env.lake}/flights", "${env.lake}/bad").replace(
        "row_count: {min: 1}", "row_count: {min: 9}"
    )
    deployed.pipeline("bad", text)
    run = run_dag(deployed, "bad", 1)
    assert states(run)["check"] == "failed", "three retries are configured: none is taken"
    assert states(run)["load"] == "upstream_failed"
    assert not (deployed.folder / "data/lake/bad").exists()
    said = capfd.readouterr().out
    assert re.search(r"AirflowFailException: check\.result: 1 of \d checks failed: row_count", said)
    assert "py4j" not in said


def test_a_missing_drop_names_the_path_and_the_window(deployed: Project, capfd: pytest.CaptureFixture[str]) -> None:
    deployed.pipeline("missing", FLIGHTS.replace("raw}/flights", "raw}/nowhere"))
    run = run_dag(deployed, "missing", 1)
    assert states(run)["extract"] == "failed"
    said = capfd.readouterr().out
    assert re.search(r"AirflowFailException: .*nowhere/2013-01-01\.csv", said)


def test_the_dag_written_by_hand_loads_its_table(deployed: Project) -> None:
    source = Path(__file__).resolve().parents[2] / "dags/weather_by_hand.py"
    (deployed.dags / "weather_by_hand.py").write_text(source.read_text())
    header = "origin,year,temp,time_hour"
    rows = [
        f"{origin},2013,{temp},2013-01-01T0{temp % 10}:00:00-05:00"
        for origin in ("EWR", "JFK")
        for temp in (33, 35, 41)
    ]
    deployed.write("data/raw/weather/2013-01-01.csv", "\n".join([header, *rows, ""]))
    run = run_dag(deployed, "weather_by_hand", 1, file="weather_by_hand.py")
    assert states(run) == dict.fromkeys(["extract", "transform", "check", "load"], "success")
    from deltalake import DeltaTable

    table = DeltaTable(deployed.folder / "data/lake/weather_by_day").to_pyarrow_table().to_pylist()
    assert sorted((row["origin"], row["coldest"], row["warmest"]) for row in table) == [
        ("EWR", 33.0, 41.0),
        ("JFK", 33.0, 41.0),
    ]
