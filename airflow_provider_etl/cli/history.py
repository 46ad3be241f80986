"""`history FILE`: the last versions of a pipeline's tables, with the windows that made them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from typing import Any, Final

from airflow_provider_etl import upkeep
from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.maintain import add_loads
from airflow_provider_etl.cli.opened import opened

NAME: Final = "history"
HELP: Final = "the last versions of a pipeline's tables: window, run, rows, when"
_COLUMNS: Final = ("version", "at", "operation", "window", "run", "inserted", "deleted")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    add_loads(parser)
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many versions; default 20")
    parser.add_argument("--json", metavar="REPORT", help="write the report (JSON) to this file")


def execute(options: argparse.Namespace) -> int:
    """Tell: 0, 1 where it failed, 2 where the file is bad."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    loads = upkeep.chosen(pipeline, options.load, block=False)
    report = ordering.ran(pipeline, upkeep.job(upkeep.order(pipeline, NAME, loads, limit=options.limit)))
    for table in report.get("tables", ()):
        print(f"{table['load']}: {table['table']}")
        print("\n".join(_lines(table["versions"])))
    return ordering.ended(options, report)


def _lines(versions: list[Mapping[str, Any]]) -> Iterator[str]:
    rows = [_COLUMNS, *([_text(version[name]) for name in _COLUMNS] for version in versions)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _text(value: Any) -> str:
    return "-" if value is None else str(value)
