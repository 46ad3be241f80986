"""`adopt FILE`: a table that somebody else made becomes this pipeline's; its ledger begins, nothing is rewritten."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import opened
from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

NAME: Final = "adopt"
HELP: Final = "begin the ledger of a table that is there already; nothing is rewritten"
_SHOWN: Final = 12  # windows shown from each end of a long list


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    ordering.add_arguments(parser)
    span = parser.add_mutually_exclusive_group()
    span.add_argument("--windows", metavar="A/B", help="windows of the schedule that lie in START/END")
    span.add_argument("--through", metavar="D", help="START of the last window that the table holds whole")


def execute(options: argparse.Namespace) -> int:
    """Show the rows of each window, ask, and let those that have rows count as loaded: 0, 1 failed, 2 bad file."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    windows = _windows(pipeline, options)
    if not windows:
        raise ConfigError("the schedule has no window there", where=pipeline.name, remedy="say --windows START/END")
    plan = ordering.plan_of(pipeline, windows[-1], NAME)
    order: dict[str, Any] = {"windows": [window.to_json() for window in windows]}
    asked_for = bool(options.windows or options.through)
    if options.dry_run or not (options.yes and asked_for):
        report = ordering.carried_out(pipeline, NAME, [plan], order | {"dry_run": True})
        print("\n".join(_told(report)))
        if report["state"] == "failed" or options.dry_run or not asked_for:
            _tell_unchanged(report, asked_for=asked_for)
            return ordering.ended(options, report)
        if not ordering.agreed(options, "let these windows count as loaded?"):
            print("nothing was changed")
            return 0
    report = ordering.carried_out(pipeline, NAME, [plan], order)
    print("\n".join(_told(report)))
    return ordering.ended(options, report)


def _tell_unchanged(report: Mapping[str, Any], *, asked_for: bool) -> None:
    if report["state"] != "failed" and not asked_for:
        print("nothing was changed: --through START names the last window that is there whole, --windows a span")


def _windows(pipeline: Pipeline, options: argparse.Namespace) -> list[Window]:
    """The windows to look for: asked for, or all of the schedule until now."""
    scheduled = pipeline.cuts is not None
    if options.windows:
        span = pipeline.span_of(options.windows)
        return list(pipeline.windows(span.start, span.end)) if scheduled else [span]
    if not scheduled or pipeline.start is None:
        raise ConfigError(
            f"pipeline {pipeline.name} has no schedule that cuts time into windows",
            expected="--windows START/END, one window",
        )
    end = pipeline.window_of(options.through).end if options.through else datetime.now(UTC)
    return list(pipeline.windows(pipeline.start, min(end, pipeline.end) if pipeline.end else end))


def _told(report: Mapping[str, Any]) -> Iterator[str]:
    """The report in words."""
    for name, load in report.get("loads", {}).items():
        version = "" if load["version"] is None else f", version {load['version']}"
        yield f"load {name}: {load['strategy']} into {load['table']}{version}, {load['rows']:,} rows"
        windows = load["windows"]
        middle = len(windows) - 2 * _SHOWN
        for place, window in enumerate(windows):
            if middle > 0 and place == _SHOWN:
                yield f"  … {middle} more …"
            if middle <= 0 or place < _SHOWN or place >= len(windows) - _SHOWN:
                yield f"  {window['key']}  {window['rows']:>12,} rows  {_WORDS[window['state']]}"
        counted = {state: sum(window["state"] == state for window in windows) for state in _WORDS}
        yield "  " + ", ".join(f"{number} {_WORDS[state]}" for state, number in counted.items() if number)
        if load["outside"]:
            yield f"  {load['outside']:,} rows belong to none of these windows: they stay as they are"


_WORDS: Final = {
    "adopted": "counts as loaded",
    "loaded": "was in the ledger already",
    "empty": "no row: stays missing",
}
