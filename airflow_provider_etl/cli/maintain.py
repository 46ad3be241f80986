"""`maintain FILE`: what the `maintenance` blocks of a pipeline's loads say, done now."""

from __future__ import annotations

import argparse
from typing import Final

from airflow_provider_etl import upkeep
from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import opened

NAME: Final = "maintain"
HELP: Final = "put small files together, remove old ones, as the maintenance blocks of a pipeline's loads say"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    add_loads(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would happen; change nothing")
    parser.add_argument("--json", metavar="REPORT", help="write the report (JSON) to this file")


def add_loads(parser: argparse.ArgumentParser) -> None:
    """Declare `--load`."""
    parser.add_argument(
        "--load", action="append", default=[], metavar="NAME", help="only this load's table; may be given several times"
    )


def execute(options: argparse.Namespace) -> int:
    """Maintain: 0, 1 where it failed, 2 where the file is bad or nothing can be kept up."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    loads = upkeep.chosen(pipeline, options.load, block=True)
    made = upkeep.order(pipeline, NAME, loads, dry_run=options.dry_run)
    report = ordering.ran(pipeline, upkeep.job(made))
    print("\n".join(upkeep.told(report)))
    return ordering.ended(options, report)
