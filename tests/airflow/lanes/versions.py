"""What a test asks of Airflow, in the words of each version: the product's own differences are in `compat.py`."""

from __future__ import annotations

import importlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

# Of the installed package: importing Airflow here would fix its home before a test has set one.
AIRFLOW_VERSION: Final = tuple(int(part) for part in version("apache-airflow").split(".")[:2])
AIRFLOW_3: Final = AIRFLOW_VERSION >= (3, 0)


def bag_of(loader: Path) -> Any:
    """The DAGs of a loader file, by the class that this version's dag-processor reads files with."""
    if not AIRFLOW_3:
        return importlib.import_module("airflow.models.dagbag").DagBag(str(loader), include_examples=False)
    if AIRFLOW_VERSION >= (3, 2):
        bundle = importlib.import_module("airflow.dag_processing.dagbag").BundleDagBag
        return bundle(dag_folder=str(loader), bundle_path=loader.parent, bundle_name="dags-folder")
    bag = importlib.import_module("airflow.models.dagbag").DagBag
    return bag(dag_folder=str(loader), bundle_path=loader.parent, include_examples=False)


def to_json(dag: Any) -> dict[str, Any]:
    """A DAG as the dag-processor stores it."""
    data: dict[str, Any] = _serialiser().to_dict(dag)
    return data


def from_json(data: dict[str, Any]) -> Any:
    """A stored DAG as the scheduler has it."""
    return _serialiser().from_dict(data)


def _serialiser() -> Any:
    module = importlib.import_module("airflow.serialization.serialized_objects")
    return module.DagSerialization if AIRFLOW_VERSION >= (3, 2) else module.SerializedDAG


def intervals(dag: Any, last: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The data intervals that the scheduler makes of a stored DAG, from its start on, in UTC."""
    import pendulum

    base = importlib.import_module("airflow.timetables.base")
    bounds = base.TimeRestriction(pendulum.instance(dag.start_date), pendulum.instance(last), catchup=True)
    before = None
    while True:
        info = dag.timetable.next_dagrun_info(last_automated_data_interval=before, restriction=bounds)
        if info is None or info.data_interval.start >= last:
            return
        before = info.data_interval
        yield before.start.astimezone(UTC), before.end.astimezone(UTC)


def run(dag: Any, at: datetime, conf: dict[str, Any]) -> Any:
    """Run a DAG in this process, tasks, XComs and templates as a worker does."""
    import pendulum

    when = pendulum.instance(at)
    deadline = getattr(dag, "deadline", None)
    try:
        if deadline:  # 3.3.2, 3.4.0b2: `test` looks for it among those of stored DAGs, and fails at the run's end
            dag.deadline = None
        return dag.test(**({"logical_date": when} if AIRFLOW_3 else {"execution_date": when}), run_conf=conf)
    finally:
        if deadline:
            dag.deadline = deadline


# 2.11 starts no dag-processor of its own over SQLite; what it does in the scheduler's loop are these two calls.
_PROCESS_ON_2_11: Final = """
import logging, sys
from airflow.dag_processing.manager import DagFileProcessorManager
from airflow.dag_processing.processor import DagFileProcessor
from airflow.utils.file import list_py_file_paths

files = list_py_file_paths(sys.argv[1])
DagFileProcessorManager.clear_nonexistent_import_errors(file_paths=files, processor_subdir=sys.argv[1])
for file in files:
    DagFileProcessor(dag_ids=None, dag_directory=sys.argv[1], log=logging.getLogger("x")).process_file(file, [])
"""


class Home:
    """An Airflow home of its own, whose commands run in processes of their own.

    Args:
        folder: where it is made.
        dags: the dags folder.
    """

    def __init__(self, folder: Path, dags: Path) -> None:
        self.folder = folder
        self.environment = {
            "AIRFLOW_HOME": str(folder),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}?timeout=60",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def airflow(self, *arguments: str) -> str:
        """What a command of Airflow prints."""
        return self.python("-m", "airflow", *arguments)

    def python(self, *arguments: str) -> str:
        """What a process with this home prints."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW")}
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True, text=True, check=False, timeout=300, env=environment | self.environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done.stdout

    def process_dags(self) -> None:
        """Let the dag-processor read every file once."""
        if AIRFLOW_3:
            self.airflow("dag-processor", "--num-runs", "1")
        else:
            self.python("-c", _PROCESS_ON_2_11, self.environment["AIRFLOW__CORE__DAGS_FOLDER"])

    def import_errors(self) -> dict[str, str]:
        """File, relative to the dags folder -> what the UI lists for it."""
        dags = self.environment["AIRFLOW__CORE__DAGS_FOLDER"] + "/"
        rows = self.rows("select filename, stacktrace from import_error")
        return {str(file).removeprefix(dags): str(text) for file, text in rows}

    def live_dags(self) -> set[str]:
        """The DAGs that the UI lists and the scheduler runs."""
        column = "not is_stale" if AIRFLOW_3 else "is_active"
        return {str(row[0]) for row in self.rows(f"select dag_id from dag where {column}")}  # noqa: S608

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the metadata database answers."""
        connection = sqlite3.connect(self.folder / "airflow.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
