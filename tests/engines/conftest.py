"""A project in whose folder commands are run, and a Spark cluster that jobs are submitted to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.standalone import Standalone
from tests.airflow.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A fresh project, in whose folder the commands are run."""
    made = Project.make(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    return made


@pytest.fixture(scope="session")
def standalone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standalone]:
    """A master and two workers on loopback."""
    with Standalone(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster
