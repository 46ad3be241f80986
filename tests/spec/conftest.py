"""A project in a temporary folder, and pipeline files in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from airflow_provider_etl.spec import Loaded, Pipeline, load_file

ENVIRONMENT = """\
variables:
  raw: data/raw
  lake: data/lake
  staging: data/staging
  quarantine: data/quarantine
roots: [data]
engines:
  local: {kind: local, cores: 2, memory: 2g, jars: jars, small: true}
"""

CATALOGS = """\
catalogs:
  lake: {type: hadoop, warehouse: data/iceberg}
"""

PIPELINE = """\
description: Orders, one day a window
schedule: "@daily"
start: 2013-01-01
extract:
  orders:
    type: files
    path: ${env.raw}/orders/${window.start:%Y-%m-%d}.csv
    format: csv
transform:
  - from: orders
  - filter: amount > 0
check:
  - not_null: [id]
load:
  lake:
    type: delta
    path: ${env.lake}/orders
    write: {strategy: append}
"""


class Project:
    """A folder with an environment, in which files are linted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "config/environments").mkdir(parents=True)
        self.environment(ENVIRONMENT)

    def environment(self, text: str, name: str = "local") -> Path:
        path = self.folder / f"config/environments/{name}.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    def write(self, text: str | bytes, name: str = "orders.yaml") -> Path:
        path = self.folder / "dags" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def load(self, text: str | bytes, name: str = "orders.yaml", *, expressions: bool = True) -> Loaded:
        return load_file(self.write(text, name), expressions=expressions)

    def pipeline(self, text: str = PIPELINE) -> Pipeline:
        loaded = self.load(text)
        assert loaded.pipeline is not None, [str(item) for item in loaded.diagnostics]
        return loaded.pipeline

    def told(self, text: str | bytes, name: str = "orders.yaml") -> list[str]:
        """Diagnostics as `line:col code key | message | hint`."""
        return [
            f"{item.line}:{item.column} {item.code} {item.key} | {item.message} | {item.hint}"
            for item in self.load(text, name).diagnostics
        ]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    monkeypatch.delenv("AIRFLOW_CONFIG", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))
    return Project(tmp_path)


@pytest.fixture
def changed() -> Callable[[str, str], str]:
    """The valid pipeline with one text replaced by another."""

    def change(old: str, new: str) -> str:
        assert old in PIPELINE
        return PIPELINE.replace(old, new)

    return change
