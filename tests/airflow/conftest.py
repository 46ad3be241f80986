"""A project of a user, small enough to run in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A fresh project with one pipeline file, `flights`, and three days of drops."""
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    return Project.make(tmp_path / "project")


@pytest.fixture(scope="package", autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An Airflow home with a database of its own, set before Airflow is imported in this process."""
    assert "airflow" not in sys.modules, "Airflow was imported before its home was set"
    home = tmp_path_factory.mktemp("airflow_home")
    settings = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "project/dags"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
    }
    before = dict(os.environ)
    os.environ.update(settings)
    yield home
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="package")
def deployed(airflow_home: Path) -> Project:
    """A project whose dags folder is the home's own, with a migrated metadata database: what `dag.test()` needs."""
    project = Project.make(airflow_home / "project")
    subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"], check=True, capture_output=True, cwd=airflow_home
    )
    return project
