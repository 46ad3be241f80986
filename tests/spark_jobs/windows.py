"""Whole runs of a small plan, window after window, for tests of what sources read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from spark_jobs import run as entry
from spark_jobs.plan import VERBS, Plan
from spark_jobs.report import Report
from spark_jobs.window import Window
from tests.spark_jobs.plans import attempt, day, plan

STAGED = (("extract",), ("transform", "check"), ("load",))


class Windows:
    """One source and its loads.

    Args:
        spark: the suite's session.
        folder: where everything lies.
        source: the source's options.
        write: load's name -> strategy.
    """

    def __init__(self, spark: Any, folder: Path, source: dict[str, Any], **write: dict[str, Any]) -> None:
        self.spark, self.folder, self.source, self.write = spark, folder, source, write
        self.steps: list[dict[str, Any]] = []
        self.second = 0

    def path(self, load: str = "lake") -> str:
        return str(self.folder / load)

    def attempt(self, window: Window | int, *, staged: bool = False, second: float | None = None) -> Report:
        """Run a window, in one application or in one a verb; the report, however it ends."""
        report: Report | None = None
        window = day(window) if isinstance(window, int) else window
        for verbs in STAGED if staged else (VERBS,):
            self.second += 10
            loads = {
                name: {"from": "r", "type": "delta", "path": self.path(name), "write": write}
                for name, write in self.write.items()
            }
            made = plan(self.folder, window, attempt(self.second if second is None else second)).to_json() | {
                "verbs": list(verbs),
                "extract": {"rows": self.source},
                "transform": {"r": {"from": "rows", "steps": self.steps}},
                "load": loads,
                "previous": report.to_json() if report else None,
            }
            report = entry.run(Plan.from_json(json.loads(json.dumps(made))), lambda *_: self.spark.newSession())
            if report.state == "failed":
                break
        assert report is not None
        return report

    def run(self, window: Window | int, *, staged: bool = False) -> Report:
        report = self.attempt(window, staged=staged)
        assert report.error is None
        return report

    def refused(self, window: Window | int) -> str:
        report = self.attempt(window)
        assert report.error is not None, report
        return f"{report.error['kind']}: {report.error['where']}: {report.error['message']}"

    def rows(self, *columns: str, load: str = "lake") -> list[tuple[Any, ...]]:
        frame = self.spark.newSession().read.format("delta").load(self.path(load))
        return sorted(tuple(row) for row in frame.select(*columns).collect())
