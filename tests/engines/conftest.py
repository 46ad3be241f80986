"""A project in whose folder commands are run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.airflow.project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A fresh project, in whose folder the commands are run."""
    made = Project.make(tmp_path / "project")
    monkeypatch.chdir(made.folder)
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    return made
