"""What the commands that change whole tables share: the order, asking first, and the report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.spec.tables import one_table
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import attempt_number
from spark_jobs.orders import Order
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.engines.base import Job

_KNOWN: Final = ("delta", "jdbc")
_INSTEAD: Final = {
    "files": "run the windows again with rows and configuration as they should be: each replaces its files",
    "iceberg": "do it in Spark SQL; the table's ledger is in its properties etl.units:…",
}


def place_of(kind: Any) -> str:
    """Where a load's table is, in words."""
    return str(getattr(kind, "path", None) or kind.place)


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
        ConfigError: a load has a table for every window, or is none of Delta.
    """
    for name, (_, kind) in pipeline.load.items():
        if kind.type not in _KNOWN:
            raise ConfigError(
                f"{command} knows tables of {' and '.join(_KNOWN)}, not those of {kind.type}",
                where=f"{pipeline.name}: load.{name}",
                remedy=_INSTEAD.get(kind.type, "do it by the table's own means"),
            )
        one_table(pipeline.name, name, kind)
    token = uuid4().hex
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token=token, run=f"{command}-{token[:12]}")
    return pipeline.plan(window, attempt)


def carried_out(pipeline: Pipeline, name: str, plans: Sequence[Plan], options: Mapping[str, Any]) -> dict[str, Any]:
    """Carry an order out by the pipeline's engine, its lines on stdout; the report, failed or not.

    Raises:
        EtlError: Spark couldn't be started, or ended without a report.
    """
    from airflow_provider_etl.engines.base import Job
    from airflow_provider_etl.hooks.connections import connections_of

    order = Order(name=name, plans=tuple(plans), options=options)
    return ran(pipeline, Job(token=uuid4().hex, plan=order.to_json(), connections=connections_of(plans)))


def ran(pipeline: Pipeline, job: Job) -> dict[str, Any]:
    """Run an order's job by the pipeline's engine, its lines on stdout; the report, failed or not.

    Raises:
        EtlError: Spark couldn't be started, or ended without a report.
    """
    from airflow_provider_etl.engines import engine_of
    from airflow_provider_etl.engines.application import Application

    told: dict[str, Any] = Application(engine_of(pipeline.engine.kind, pipeline.engine.options()), job).run(
        lambda line: print(line, flush=True)
    )
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
