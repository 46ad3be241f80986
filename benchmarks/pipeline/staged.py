"""A staged window as Airflow's four tasks run it, without Airflow: `python -m benchmarks.pipeline.staged FILE WINDOW`.

Each verb is a Spark application of its own, which goes on with what the one before has staged. (`airflow-etl run` would
run all verbs in one.)
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

from airflow_provider_etl.cli.run import submit
from airflow_provider_etl.hooks.ledger import newest_attempt
from airflow_provider_etl.spec import load_file
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import VERBS, Attempt


def main(file: str, text: str) -> None:
    """Run the four verbs, one after the other.

    Raises:
        SystemExit: the file is bad, or a verb failed.
    """
    pipeline = load_file(Path(file)).pipeline
    if pipeline is None:
        sys.exit(f"{file} has errors: airflow-etl lint {file}")
    window, report, token = pipeline.window_of(text), None, uuid4().hex
    number = attempt_number(pipeline.fingerprint, newest_attempt(pipeline, window))
    for verb in VERBS:
        since: Any = report["attempt"]["since"] if report else 0
        attempt = Attempt(number=number, token=f"{token}-{verb}", run=f"run-{token[:12]}", since=since)
        report = submit(pipeline, pipeline.plan(window, attempt, verbs=(verb,), previous=report))
        if report["state"] == "failed":
            sys.exit(f"{verb} failed: {report['error']}")


if __name__ == "__main__":
    main(*sys.argv[1:])
