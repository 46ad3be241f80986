"""`run FILE --window A/B`: one window, here and now, with no scheduler; by the engine and the code that tasks use."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from airflow_provider_etl.cli.opened import add_params, opened
from airflow_provider_etl.cli.summary import summary
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.unrun import unrun
from spark_jobs.errors import EtlError, InfrastructureError
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from spark_jobs.report import Report
from spark_jobs.window import Window

NAME: Final = "run"
HELP: Final = "run one window here, with no scheduler"
INTERRUPTED: Final = "interrupted"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file; a staged one runs as one application too")
    parser.add_argument(
        "--window",
        required=True,
        metavar="A/B",
        help="START/END in the pipeline's zone, or START of one of the schedule's windows",
    )
    add_params(parser)
    parser.add_argument("--json", metavar="REPORT", help="write the report (JSON) to this file")


def execute(options: argparse.Namespace) -> int:
    """Run the window and tell what it did: 0 it loaded, 1 it failed, 2 the file is bad."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    report = here(pipeline, pipeline.window_of(options.window))
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2), encoding="utf-8")
    return 1 if report["state"] == "failed" else 0


def here(pipeline: Pipeline, window: Window) -> dict[str, Any]:
    """Run a window that isn't left out, and tell what that did; the report (JSON)."""
    reason = pipeline.skipped(window)
    if reason:
        print(f"{pipeline.name} {window}: skipped, since {reason}")
    report = run(pipeline, window) if not reason else unrun(pipeline, window)
    print(summary(report))
    return report


def run(pipeline: Pipeline, window: Window) -> dict[str, Any]:
    """Run one window, all verbs in one application, its lines on stdout.

    Returns:
        The report (JSON), whether it loaded or failed; it always really runs.
    """
    from airflow_provider_etl.hooks.ledger import newest_attempt

    token = uuid4().hex
    number = attempt_number(pipeline.fingerprint, newest_attempt(pipeline, window))
    plan = pipeline.plan(window, Attempt(number=number, token=token, run=f"run-{token[:12]}"))
    try:
        return submit(pipeline, plan)
    except EtlError as error:
        return _failed(plan, error)
    except KeyboardInterrupt:
        return _failed(plan, InfrastructureError(INTERRUPTED, where="run"))


def submit(pipeline: Pipeline, plan: Plan) -> dict[str, Any]:
    """Run a plan on the pipeline's engine, its lines on stdout; its report (JSON).

    Raises:
        EtlError: the application couldn't be run, or left no report.
    """
    from airflow_provider_etl.engines import engine_of
    from airflow_provider_etl.engines.application import Application
    from airflow_provider_etl.engines.base import Job
    from airflow_provider_etl.hooks.connections import connections_of

    job = Job(token=plan.attempt.token, plan=plan.to_json(), connections=connections_of([plan]))
    report: dict[str, Any] = Application(engine_of(pipeline.engine.kind, pipeline.engine.options()), job).run(
        lambda line: print(line, flush=True)
    )
    return report


def _failed(plan: Plan, error: EtlError) -> dict[str, Any]:
    report = Report(
        pipeline=plan.pipeline,
        id=plan.id,
        window=plan.window.to_json() | {"key": plan.window.key},
        fingerprint=plan.fingerprint,
        attempt={"number": plan.attempt.number, "token": plan.attempt.token, "run": plan.attempt.run},
        state="failed",
        error=error.to_json(),
    )
    return report.to_json()
