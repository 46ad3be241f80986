"""Windows run by a real Airflow: `python -m benchmarks.windows.scheduled HOW DATA COUNT`, in an empty folder.

HOW is an engine's kind, for a pipeline file with a fused task a window, or `submits`, for a hand-written DAG with the
community's SparkSubmitOperator for each step. One window after the other, as a backfill orders them. It tells seconds
of one window: `airflow` from a run's start to its end outside its tasks, `start_up` inside the tasks and outside the
work, `work` as Spark's reports say.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.generate import LOADER
from benchmarks.harness.model import JARS, ROOT
from benchmarks.harness.running import tell
from benchmarks.windows.project import FIRST, project
from benchmarks.windows.submits import CONF, STEPS
from demo.airflow_home import AirflowHome
from demo.runs import Runs

SUBMITS: Final = "submits"
_DAG: Final = "events"
_ENDED: Final = ("success", "failed")
_PATIENCE: Final = 240.0  # seconds for the DAG, and for each window
_BY_HAND: Final = """\
from datetime import UTC, datetime

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

with DAG("events", schedule=CronDataIntervalTimetable("@daily", timezone="UTC"), catchup=False, max_active_runs=1,
         start_date=datetime(2020, 1, 1, tzinfo=UTC), end_date=datetime(2023, 12, 31, tzinfo=UTC)) as dag:
    before = None
    for step in {steps}:
        task = SparkSubmitOperator(
            task_id=step, conn_id="spark_here", application="{script}", jars="{jars}", driver_memory="1g", conf={conf},
            application_args=[step, "{{{{ data_interval_start | ds }}}}", "{data}", "{out}"],
        )
        before = (before >> task) if before else task
"""


def main(how: str, data: str, count: str) -> None:
    """Run so many windows by a backfill.

    Raises:
        SystemExit: a run failed.
    """
    folder, windows = Path.cwd(), int(count)
    (folder / "dags/pipelines").mkdir(parents=True)
    {True: by_hand, False: by_file}[how == SUBMITS](folder, Path(data), how)
    told = {
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "AIRFLOW_CONN_SPARK_HERE": json.dumps({"conn_type": "spark", "host": "local[2]"}),
    }
    with AirflowHome(folder / "home", folder / "dags", told) as home:
        home.wait(lambda: _known(home), _PATIENCE, "the DAG is known")
        home.api("PATCH", f"/api/v2/dags/{_DAG}", {"is_paused": False})
        dates = [str(FIRST), str(FIRST + timedelta(days=windows - 1))]
        home.run("backfill", "create", "--dag-id", _DAG, "--from-date", dates[0], "--to-date", dates[1])
        home.wait(lambda: _ended(home, windows), _PATIENCE * windows, "all windows have run")
        tell(**_split(home, folder, how))


def by_file(folder: Path, data: Path, kind: str) -> None:
    """A pipeline file, as users have it."""
    project(folder, data, kind).rename(folder / f"dags/pipelines/{_DAG}.yaml")
    (folder / "dags/etl.py").write_text(LOADER)


def by_hand(folder: Path, data: Path, _how: str) -> None:
    """A DAG of three SparkSubmitOperators a window."""
    script, jars = Path(__file__).with_name("by_hand.py"), ",".join(map(str, sorted(JARS.glob("io.delta*.jar"))))
    text = _BY_HAND.format(steps=STEPS, script=script, jars=jars, conf=dict(CONF), data=data, out=folder)
    (folder / "dags/by_hand.py").write_text(text)


def _known(home: AirflowHome) -> bool:
    errors = home.api("GET", "/api/v2/importErrors")["import_errors"]
    if errors:
        sys.exit("\n".join(error["stack_trace"] for error in errors))
    return any(dag["dag_id"] == _DAG for dag in home.api("GET", "/api/v2/dags")["dags"])


def _ended(home: AirflowHome, windows: int) -> bool:
    runs = Runs(home).of(_DAG)
    Runs(home).complain(runs)
    return len(runs) == windows and all(run.state in _ENDED for run in runs)


def _split(home: AirflowHome, folder: Path, how: str) -> dict[str, float]:
    """Seconds of one window, on the mean: `window`, and the three parts of it."""
    runs, count = Runs(home).of(_DAG), len(Runs(home).of(_DAG))
    if failed := [run.label for run in runs if run.state != "success"]:
        sys.exit(f"failed: {', '.join(failed)}")
    told = home.api("GET", f"/api/v2/dags/{_DAG}/dagRuns?limit=100")["dag_runs"]
    window = sum(_seconds(run) for run in told) / count
    tasks = sum(task.seconds or 0.0 for run in runs for task in run.tasks) / count
    if how == SUBMITS:
        work = sum(map(json.loads, (folder / "work.jsonl").read_text().splitlines())) / count
    else:
        spent = [report["seconds"] for report in Runs(home).last_reports(runs)]
        work = sum(each["total"] - each.get("start", 0.0) for each in spent) / count
    return {"window": window, "airflow": window - tasks, "start_up": tasks - work, "work": work}


def _seconds(run: dict[str, Any]) -> float:
    """From a run's start to its end."""
    start, end = (datetime.fromisoformat(run[key]) for key in ("start_date", "end_date"))
    return (end - start).total_seconds()


if __name__ == "__main__":
    main(*sys.argv[1:])
