"""Windows run here, without a scheduler: `python -m benchmarks.windows.here FILE HOW FIRST COUNT`.

HOW is `each`, a job for each window as a fused task runs it, or `batch`, all in one job. It tells the seconds of a
window: `work` is what Spark's reports say of it without the start, `start_up` is all the rest.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow_provider_etl.backfill.jobs import Outcome, run_windows
from airflow_provider_etl.cli.run import run
from airflow_provider_etl.engines import local_connect, local_warm
from airflow_provider_etl.spec import load_file
from benchmarks.harness.running import tell
from benchmarks.windows.project import FIRST


def main(file: str, how: str, first: str, count: str) -> None:
    """Run so many windows from the one of that number on.

    Raises:
        SystemExit: the file is bad, or a window failed.
    """
    begun = time.monotonic()
    pipeline = load_file(Path(file)).pipeline
    if pipeline is None:
        sys.exit(f"{file} has errors: airflow-etl lint {file}")
    start = FIRST + timedelta(days=int(first))
    windows = list(pipeline.windows(start, start + timedelta(days=int(count))))
    try:
        reports = batch(pipeline, windows) if how == "batch" else [run(pipeline, window) for window in windows]
    finally:
        for engine in (local_warm, local_connect):
            engine.close_all(os.environ.get("AIRFLOW_HOME", ""))
    wrong = [report["error"] for report in reports if report["state"] != "loaded"]
    if wrong or len(reports) != int(count):
        sys.exit(f"{len(reports)} windows of {count}, of which these weren't loaded: {wrong}")
    spent = [report["seconds"] for report in reports]
    work = sum(each["total"] - each.get("start", 0.0) for each in spent) / len(spent)
    tell(work=work, start_up=(time.monotonic() - begun) / len(reports) - work)


def batch(pipeline: Any, windows: Any) -> list[dict[str, Any]]:
    """All windows in one Spark job; their reports."""
    outcome = Outcome()
    run_windows(pipeline, windows, outcome)
    if outcome.failed:
        sys.exit(f"failed: {outcome.failed}")
    return list(outcome.loaded.values())


if __name__ == "__main__":
    main(*sys.argv[1:])
