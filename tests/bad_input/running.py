"""A pipeline file run for one day, with the suite's Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from airflow_provider_etl.spec import load_file
from spark_jobs import run as entry
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import Report
from tests.spark_jobs.plans import attempt, day
from tests.spec.conftest import Project

HEAD = {"schedule": "@daily", "start": "2013-01-01", "execution": "fused"}


def put(folder: Path, files: dict[str, str | bytes]) -> None:
    """Write files into a project's `${env.raw}`."""
    for name, content in files.items():
        path = folder / "data/raw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


class Running:
    """A project in a folder in which a pipeline is run again and again."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder, self.project, self.second = spark, folder, Project(folder), 0

    def run(self, **verbs: Any) -> Report:
        """The report of a run, however it ends; the file must be right."""
        text = yaml.safe_dump(HEAD | verbs, allow_unicode=True, sort_keys=False)
        loaded = load_file(self.project.write(text))
        assert loaded.pipeline is not None, [str(item) for item in loaded.diagnostics]
        self.second += 10
        return entry.run(loaded.pipeline.plan(day(1), attempt(self.second)), lambda *_: self.spark.newSession())

    def rows(self, name: str) -> Any:
        """A table of `${env.lake}`."""
        return self.spark.newSession().read.format("delta").load(str(self.folder / "data/lake" / name))

    def refused(self) -> list[Any]:
        """The quarantine's rows, by record."""
        aside = Quarantine(folder=str(self.folder / "data/quarantine"), pipeline="orders").rows(self.spark)
        return list(aside.orderBy("raw", "source_line").collect())
