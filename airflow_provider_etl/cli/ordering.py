"""What the commands that change whole tables share: the order, asking first, and the report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.variables import names_window
from spark_jobs import kinds
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import attempt_number
from spark_jobs.orders import Order
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window

_DATABASE: Final = "do it in the database itself; its ledger is in _etl_loads beside the table"
_ELSEWHERE: Final = {"iceberg": "do it in Spark SQL; the table's ledger is in its properties etl.units:…"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what each of them takes."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument("--dry-run", action="store_true", help="show what would happen; change nothing")
    parser.add_argument("--yes", action="store_true", help="don't ask")
    parser.add_argument("--json", metavar="REPORT", help="write the report (JSON) to this file")


def plan_of(pipeline: Pipeline, window: Window, command: str) -> Plan:
    """A plan for an order.

    Args:
        pipeline: whose tables are meant.
        window: any, where windows mean nothing to the order.
        command: the command's name; its runs are called after it.

    Raises:
        ConfigError: a load has a table for every window.
    """
    for name, (_, kind) in pipeline.load.items():
        if not hasattr(kind, "path"):
            raise ConfigError(
                f"{command} knows Delta tables, not those of {kind.type}",
                where=f"{pipeline.name}: load.{name}",
                remedy=_ELSEWHERE.get(kind.type, _DATABASE),
            )
        if names_window(json.dumps(kinds.dump(kind))):
            raise ConfigError(
                "the path names ${window…}: there is a table for every window",
                where=f"{pipeline.name}: load.{name}",
                expected="one table",
                remedy="such tables are files of their own: remove or move them",
            )
    token = uuid4().hex
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token=token, run=f"{command}-{token[:12]}")
    return pipeline.plan(window, attempt)


def carried_out(pipeline: Pipeline, name: str, plans: Sequence[Plan], options: Mapping[str, Any]) -> dict[str, Any]:
    """Carry an order out by the pipeline's engine, its lines on stdout; the report, failed or not.

    Raises:
        EtlError: Spark couldn't be started, or ended without a report.
    """
    from airflow_provider_etl.engines import engine_of
    from airflow_provider_etl.engines.application import Application
    from airflow_provider_etl.engines.base import Job
    from airflow_provider_etl.hooks.connections import connections_of

    order = Order(name=name, plans=tuple(plans), options=options)
    job = Job(token=uuid4().hex, plan=order.to_json(), connections=connections_of(plans))
    told: dict[str, Any] = Application(engine_of(pipeline.engine.kind), job).run(lambda line: print(line, flush=True))
    return told


def agreed(options: argparse.Namespace, question: str) -> bool:
    """Whether to go on.

    Raises:
        ConfigError: nobody is there to be asked, and `--yes` wasn't given.
    """
    if options.yes:
        return True
    if not sys.stdin.isatty():
        raise ConfigError(
            "nobody is there to be asked", expected="--yes, or a terminal", remedy="--dry-run shows what would happen"
        )
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def ended(options: argparse.Namespace, report: Mapping[str, Any]) -> int:
    """Keep the report where that is asked for, tell its error, and return the exit code."""
    if options.json:
        Path(options.json).write_text(json.dumps(report, indent=2), encoding="utf-8")
    if error := report["error"]:
        place = f"{error['where']}: " if error["where"] else ""
        print(f"error[{error['kind']}]: {place}{error['message']}", file=sys.stderr)
    return 1 if report["state"] == "failed" else 0
