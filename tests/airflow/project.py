"""A user's project in a folder: an environment, drops, a loader and pipeline files."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]

LOADER = '''"""Airflow: every file in pipelines/ is one DAG."""

from airflow_provider_etl import load_pipelines

load_pipelines(globals())
'''

ENVIRONMENT = f"""
variables: {{raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}}
roots: [data]
engines:
  local: {{kind: local, cores: 1, memory: 1g, small: true, jars: {ROOT / "jars"}, archive: {ROOT / ".cache/spark.jsa"}}}
defaults: {{engine: local, retries: {{attempts: 1, delay: 1s, backoff: fixed}}}}
"""

FLIGHTS = """
description: |
  Flights of a day.
  One window a day.
owner: data-platform
tags: [demo, air]
schedule: "@daily"
start: 2013-01-01
end: 2013-01-04
timezone: America/New_York
max_active_windows: 1
retries: {attempts: 3, delay: 2m, backoff: exponential, max_delay: 30m}
timeout: 10m
execution: staged
extract:
  flights:
    type: files
    path: ${env.raw}/flights/${window.start:%Y-%m-%d}.csv
    format: csv
    columns:
      flight: {type: int, required: true}
      carrier: {type: string, required: true}
      time_hour: {type: timestamp, required: true}
      dep_delay: {type: double}
    null_values: ["", "NA"]
transform:
  - from: flights
  - derive: {late: "dep_delay > 15"}
check:
  - not_null: [carrier, flight]
  - row_count: {min: 1}
load:
  lake:
    type: delta
    path: ${env.lake}/flights
    write: {strategy: replace_window, column: time_hour}
"""

HEADER = "flight,carrier,time_hour,dep_delay"


@dataclass(frozen=True)
class Project:
    """A project's folder."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Self:
        """The environment, the loader, the pipeline `flights` and three days of drops."""
        project = cls(folder)
        project.write("config/environments/local.yaml", ENVIRONMENT)
        project.write("dags/etl.py", LOADER)
        project.pipeline("flights", FLIGHTS)
        for day in (1, 2, 3):
            project.drop(day, [f"{day}{n},UA,2013-01-0{day}T0{n}:30:00-05:00,{10 * n}" for n in range(1, 4)])
        return project

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def pipeline(self, name: str, text: str = FLIGHTS) -> Path:
        """Write a pipeline file."""
        return self.write(f"dags/pipelines/{name}.yaml", text)

    def drop(self, day: int, rows: list[str]) -> Path:
        """Write the drop of a day of January 2013."""
        return self.write(f"data/raw/flights/2013-01-0{day}.csv", "\n".join([HEADER, *rows, ""]))

    @property
    def dags(self) -> Path:
        """The dags folder."""
        return self.folder / "dags"

    @property
    def lake(self) -> Path:
        """The folder of `flights`' table."""
        return self.folder / "data/lake/flights"

    def rows(self) -> list[dict[str, object]]:
        """The rows of `flights`' table, sorted."""
        from deltalake import DeltaTable

        rows: list[dict[str, object]] = DeltaTable(self.lake).to_pyarrow_table().to_pylist()
        return sorted(rows, key=str)
