"""`refresh FILE`: every window loaded anew beside the live table, which takes all of them in one commit."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import opened
from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

NAME: Final = "refresh"
HELP: Final = "load windows anew beside the live table and swap them in at once"
_ROUNDS: Final = 5  # orders given while the live table gets windows that weren't planned


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    ordering.add_arguments(parser)
    parser.add_argument(
        "--from", dest="first", metavar="A", help="START of the first window; default: the file's start"
    )
    parser.add_argument(
        "--to", dest="last", metavar="B", help="START of the last window; default: the last that has ended"
    )


def execute(options: argparse.Namespace) -> int:
    """Say what is rebuilt, ask, rebuild and swap: 0, 1 where it failed, 2 where the file is bad."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    windows, whole = _windows(pipeline, options), not (options.first or options.last)
    print("\n".join(_planned(pipeline, windows, whole=whole)))
    if options.dry_run:
        return 0
    if not ordering.agreed(options, "rebuild them, and swap them in?"):
        print("nothing was changed")
        return 0
    report = _refreshed(pipeline, windows, whole=whole)
    print("\n".join(_told(pipeline, report)))
    return ordering.ended(options, report)


def _refreshed(pipeline: Pipeline, windows: Sequence[Window], *, whole: bool) -> dict[str, Any]:
    """Give the order; once more with the windows that the table got, or has, beside those of the schedule."""
    known, report, swapped = list(windows), dict[str, Any](), dict[str, Any]()
    for _ in range(_ROUNDS):
        plans = [ordering.plan_of(pipeline, window, NAME) for window in known]
        report = ordering.carried_out(pipeline, NAME, plans, {"whole": whole})
        swapped |= report.get("loads", {})
        report["loads"] = swapped
        if report["state"] != "behind":
            return report
        known = sorted({*known, *(Window.from_json(window) for window in report["windows"])})
        print(f"the table holds {len(report['windows'])} more windows: they are built too")
    message = f"the table got windows during each of {_ROUNDS} refreshes; pause the pipeline meanwhile"
    return report | {"state": "failed", "error": {"kind": "infrastructure", "message": message, "where": NAME}}


def _windows(pipeline: Pipeline, options: argparse.Namespace) -> list[Window]:
    """The windows to rebuild.

    Raises:
        ConfigError: there is none, or the pipeline has no schedule in time and no windows are given.
    """
    if pipeline.cuts is None or pipeline.start is None:
        if not (options.first and options.last):
            raise ConfigError(
                f"pipeline {pipeline.name} has no schedule that cuts time into windows",
                expected="--from START --to END, one window",
            )
        return [pipeline.window_of(f"{options.first}/{options.last}")]
    now = datetime.now(UTC)
    start = pipeline.window_of(options.first).start if options.first else pipeline.start
    end = pipeline.window_of(options.last).end if options.last else min(now, pipeline.end or now)
    found = pipeline.loaded_of(window for window in pipeline.windows(start, end) if window.end <= now)
    if not found:
        left = ", apart from those that skip_if leaves out" if pipeline.skip_if else ""
        raise ConfigError(f"no window has ended between {start} and {end}{left}", where=pipeline.name)
    snapshots = all(kind.write.strategy == "snapshot" for _, kind in pipeline.load.values())
    return found[-1:] if snapshots else found


def _planned(pipeline: Pipeline, windows: Sequence[Window], *, whole: bool) -> Iterator[str]:
    but = ", but for those that skip_if leaves out" if pipeline.skip_if else ""
    yield f"{pipeline.name}: {len(windows)} windows are loaded anew, {windows[0].key} to {windows[-1].key}{but}"
    for name, (_, kind) in pipeline.load.items():
        what = f"{'all' if whole else 'these windows'} of {ordering.place_of(kind)}"
        yield f"  load {name}: {what} will be replaced in one commit, by {kind.write.strategy}"
    yield "  until then readers see the table as it is; afterwards a lake table's older version stays for time travel"


def _told(pipeline: Pipeline, report: Mapping[str, Any]) -> Iterator[str]:
    for name, load in report.get("loads", {}).items():
        rows = f"{load['rows']:,} rows" if load["rows"] is not None else "an earlier refresh's rows"
        version = f", version {load['version']}" if load["version"] is not None else ""
        before = f"; version {load['before']} has what was there before" if load["before"] is not None else ""
        yield f"  load {name}: {rows} in {load['table']}{version}{before}"
    if report["state"] == "failed":
        begun_anew = any(kind.type == "jdbc" for _, kind in pipeline.load.values())
        kept = "the next refresh begins anew" if begun_anew else "what was built is kept for the next refresh"
        print(f"a table without a line above is as it was; {kept}", file=sys.stderr)
