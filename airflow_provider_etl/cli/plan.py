"""`plan FILE --window A/B`: the plans that Spark would get."""

from __future__ import annotations

import argparse
import hashlib
import json
from typing import Final

from airflow_provider_etl.cli.opened import add_params, opened
from airflow_provider_etl.spec import Pipeline
from spark_jobs.ledger import attempt_number
from spark_jobs.plan import VERBS, Attempt, Plan
from spark_jobs.window import Window

NAME: Final = "plan"
HELP: Final = "print the plans (JSON) that Spark would get for a window"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument(
        "--window",
        required=True,
        metavar="A/B",
        help="START/END in the pipeline's zone, or START of one of the schedule's windows",
    )
    add_params(parser)


def execute(options: argparse.Namespace) -> int:
    """Print a list of plans: one where the pipeline is fused, else one per verb."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    window = pipeline.window_of(options.window)
    print(json.dumps([plan.to_json() for plan in plans(pipeline, window)], indent=2))
    return 0


def plans(pipeline: Pipeline, window: Window) -> list[Plan]:
    """The plans of one window, with an attempt as a run that starts now would take it (the ledger isn't asked)."""
    run = f"plan-{window.key}"
    token = hashlib.sha256(f"{pipeline.name}/{window}/{run}/{pipeline.fingerprint}".encode()).hexdigest()[:32]
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token=token, run=run)
    parts = [VERBS] if pipeline.execution == "fused" else [(verb,) for verb in VERBS]
    return [pipeline.plan(window, attempt, verbs=verbs) for verbs in parts]
