"""A project, and a table whose ledger holds some of its windows."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_etl.spec import Pipeline, load_file
from spark_jobs.ledger import attempt_number
from tests.airflow.project import FLIGHTS, Project

Loaded = Callable[..., None]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A fresh project whose pipeline `flights` has no end."""
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    made = Project.make(tmp_path / "project")
    made.pipeline("flights", FLIGHTS.replace("end: 2013-01-04\n", ""))
    return made


def pipeline_of(project: Project, name: str = "flights") -> Pipeline:
    """A pipeline of the project."""
    found = load_file(project.dags / f"pipelines/{name}.yaml").pipeline
    assert found is not None
    return found


@pytest.fixture
def loaded(project: Project) -> Loaded:
    """Writes windows into the table's ledger as Spark does: transaction and metadata in one commit."""

    def load(*days: str, fingerprint: str = "", columns: dict[str, list[object]] | None = None) -> None:
        import pyarrow as pa
        from deltalake import CommitProperties, Transaction, write_deltalake

        pipeline = pipeline_of(project)
        for text in days:
            [(unit, options)] = pipeline.units(pipeline.window_of(text)).values()
            number = unit.commit_number(attempt_number(fingerprint or pipeline.fingerprint))
            entry = {"unit": unit.key, "number": number, "fingerprint": fingerprint or pipeline.fingerprint}
            properties = CommitProperties(
                app_transactions=[Transaction(unit.key, number)],
                custom_metadata={"userMetadata": json.dumps({"etl": entry})},
            )
            rows = pa.table(columns or {"flight": [1]})
            write_deltalake(options["path"], rows, mode="append", commit_properties=properties)

    return load
