"""The same project on every Airflow."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.lanes import PROJECT


@pytest.fixture(scope="package")
def project(airflow_home: Path) -> Iterator[Path]:
    """A copy of `project/` in the dags folder of the home, where `dag.test()` looks for DAGs."""
    folder = airflow_home / "project/dags/lane"
    shutil.copytree(PROJECT, folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="package")
def dags(project: Path) -> Iterator[dict[str, Any]]:
    """DAG id -> DAG of every file of the project."""
    from tests.airflow.lanes.versions import bag_of

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
        bag = bag_of(project / "dags/etl.py")
        assert not bag.import_errors
        yield dict(bag.dags)


@pytest.fixture(scope="package")
def database(airflow_home: Path) -> None:
    """The tables that `dag.test()` needs."""
    subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, timeout=300)
