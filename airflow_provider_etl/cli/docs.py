"""`docs FILE`: Great Expectations' Data Docs, of a report that a run has left or of checks that are asked here."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from airflow_provider_etl.cli.opened import add_params, opened
from airflow_provider_etl.cli.summary import summary
from airflow_provider_etl.spec.paths import absolute
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline
    from spark_jobs.plan import Plan

NAME: Final = "docs"
HELP: Final = "write Great Expectations' Data Docs about the checks of a window"
_ASKED: Final = ("extract", "transform", "check")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--window", metavar="A/B", help="ask the checks of this window anew; nothing is loaded")
    what.add_argument("--report", metavar="REPORT", help="the report (JSON) of a run, as `run --json` writes it")
    parser.add_argument("--out", metavar="FOLDER", help="where the pages go; default: the pipeline's `data_docs`")
    add_params(parser)


def execute(options: argparse.Namespace) -> int:
    """Write the pages and say where they are: 0 they are there, 1 they aren't or a check failed, 2 the file is bad."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    told, failed = _of_report(pipeline, options) if options.report else _of_window(pipeline, options)
    for name, path in told["pages"].items():
        print(f"{name}: {path}")
    if told["message"]:
        print(told["message"] if told["pages"] else f"no page was written: {told['message']}")
    return 1 if failed or told["state"] != "written" else 0


def _of_window(pipeline: Pipeline, options: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    """Ask the checks in an application of their own, which writes the pages itself."""
    from airflow_provider_etl.cli.run import submit

    report = submit(pipeline, _asking(pipeline, options))
    print(summary(report))
    nothing = {"state": "failed", "pages": {}, "message": "no check was answered"}
    return report.get("data_docs") or nothing, report["state"] == "failed"


def _asking(pipeline: Pipeline, options: argparse.Namespace) -> Plan:
    """What asks the checks of a window and leaves pages alone: no run of the pipeline has found what they say."""
    from spark_jobs.ledger import attempt_number
    from spark_jobs.plan import Attempt

    token = uuid4().hex
    attempt = Attempt(number=attempt_number(pipeline.fingerprint), token=token, run=f"docs-{token[:12]}")
    plan = pipeline.plan(pipeline.window_of(options.window), attempt, verbs=_ASKED)
    folder = absolute(options.out, Path.cwd()) if options.out else plan.data_docs
    return replace(plan, results=False, set_aside={}, data_docs=_demanded(folder), notes=pipeline.notes)


def _of_report(pipeline: Pipeline, options: argparse.Namespace) -> tuple[dict[str, Any], bool]:
    from spark_jobs.data_docs import Docs
    from spark_jobs.report import Report

    try:
        report = Report.from_json(json.loads(Path(options.report).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{options.report}: {error}", expected="a report, as `run --json REPORT` writes it"
        ) from error
    if report.id != pipeline.id:
        raise ConfigError(f"{options.report} is a report of {report.id!r}", expected=f"one of {pipeline.id!r}")
    if report.fingerprint != pipeline.fingerprint:
        raise ConfigError(
            f"{options.file} was changed after the run of {options.report}",
            expected=f"fingerprint {report.fingerprint:.12}, found {pipeline.fingerprint:.12}",
            remedy="--window asks the checks of a window anew",
        )
    if not options.out:
        raise ConfigError("there is no folder for the pages", remedy="name one: --out FOLDER")
    docs = Docs(
        folder=absolute(options.out, Path.cwd()),
        pipeline=pipeline.name,
        id=pipeline.id,
        window=report.window,
        checks=pipeline.check,
        notes=pipeline.notes,
    )
    return docs.told(report.checks, _Local), any(item.stops for item in report.checks)


def _demanded(folder: str) -> str:
    if not folder:
        raise ConfigError(
            "there is no folder for the pages", remedy="name one: --out FOLDER, or data_docs in the pipeline file"
        )
    return folder


class _Local:
    """Folders of this machine."""

    def names(self, folder: str) -> list[tuple[str, int]]:
        """(name, 0) of what is in a folder."""
        found = Path(folder)
        return [(path.name, 0) for path in sorted(found.iterdir())] if found.is_dir() else []

    def read(self, path: str) -> str:
        """Read a text file."""
        return Path(path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a text file whole."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = target.with_name(f".{target.name}.{uuid4().hex}.writing")
        hidden.write_text(text, encoding="utf-8")
        hidden.replace(target)
        # Hadoop's sum of the file before, where Spark wrote that: its next read would fail.
        target.with_name(f".{target.name}.crc").unlink(missing_ok=True)
