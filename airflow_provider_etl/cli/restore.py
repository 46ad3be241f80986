"""`restore FILE --version N`: a table is again what it was; windows loaded since count as missing."""

from __future__ import annotations

import argparse
from typing import Final

from airflow_provider_etl import upkeep
from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import opened
from spark_jobs.errors import ConfigError

NAME: Final = "restore"
HELP: Final = "make a table what it was at a version; windows loaded since count as missing"
_SHOWN: Final = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    ordering.add_arguments(parser)
    parser.add_argument("--version", type=int, required=True, metavar="N", help="as `history` tells it")
    parser.add_argument("--load", metavar="NAME", help="which load's table, where there are several")


def execute(options: argparse.Namespace) -> int:
    """Show which windows go, ask, restore: 0, 1 where it failed, 2 where the file or the version is bad."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    loads = upkeep.chosen(pipeline, [options.load] if options.load else [], block=False)
    if len(loads) != 1:
        raise ConfigError(f"there are loads {', '.join(loads)}", where=pipeline.name, remedy="say which by --load NAME")
    given = {"version": options.version}
    if options.dry_run or not options.yes:
        report = ordering.ran(pipeline, upkeep.job(upkeep.order(pipeline, NAME, loads, dry_run=True, **given)))
        _tell(report, "would be missing afterwards")
        if options.dry_run or report["state"] == "failed":
            return ordering.ended(options, report)
        if not ordering.agreed(options, "restore it?"):
            print("nothing was changed")
            return 0
    report = ordering.ran(pipeline, upkeep.job(upkeep.order(pipeline, NAME, loads, **given)))
    _tell(report, "are missing now")
    if report["state"] == "done":
        print(
            f"restored as version {report['version']}; airflow-etl backfill … --missing loads the missing windows again"
        )
    return ordering.ended(options, report)


def _tell(report: dict[str, object], what: str) -> None:
    windows = report.get("windows")
    if isinstance(windows, list):
        print(f"{len(windows)} windows {what}")
        for unit in windows[:_SHOWN]:
            print(f"  {unit}")
        if len(windows) > _SHOWN:
            print(f"  … {len(windows) - _SHOWN} more …")
