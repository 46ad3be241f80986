"""`checks FILE`: what the checks of a pipeline's last windows found, where their results are kept."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from airflow_provider_etl import upkeep
from airflow_provider_etl.backfill.dates import starts
from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import opened
from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError

NAME: Final = "checks"
HELP: Final = "what the checks of a pipeline's last windows found, and where each is going"
_EARLIEST: Final = "1900-01-02"
_LATEST: Final = "2199-12-30"
_BARS: Final = "▁▂▃▄▅▆▇█"
_WINDOWS: Final = ("window", "attempt", "state", "checks", "failed", "which")
_TREND: Final = ("dataset", "check", "column", "failing", "last", "figure", "failed")

Row = Mapping[str, Any]
Series = tuple[str, str, str, int]
"""Dataset, name, column; which of those that have these in common."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument(
        "--from", dest="first", metavar="A", help="START of the first window; a date means all of that day"
    )
    parser.add_argument("--to", dest="last", metavar="B", help="START of the last window, included likewise")
    parser.add_argument("--limit", type=int, default=30, metavar="N", help="how many windows, the newest; default 30")
    parser.add_argument("--json", metavar="REPORT", help="write the report (JSON) to this file")


def execute(options: argparse.Namespace) -> int:
    """Tell: 0, 1 where it failed, 2 where file or arguments are bad."""
    if options.limit < 1:
        raise ConfigError(f"--limit {options.limit}", expected="at least 1")
    pipeline = opened(options)
    if pipeline is None:
        return 2
    asked = _asked(pipeline, options)
    report = ordering.carried_out(pipeline, NAME, [upkeep.quarantine_plan(pipeline)], asked)
    if report["state"] == "done":
        print("\n".join(told(report["rows"], kept=pipeline.keeps_results)))
    return ordering.ended(options, report)


def _asked(pipeline: Pipeline, options: argparse.Namespace) -> dict[str, Any]:
    if not (options.first or options.last):
        return {"windows": options.limit}
    span = starts(options.first or _EARLIEST, options.last or _LATEST, pipeline.timezone)
    return {"windows": options.limit, "first": span.first.isoformat(), "last": span.last.isoformat()}


def told(rows: Sequence[Row], *, kept: bool) -> Iterator[str]:
    """Two tables: the windows, and for each check where it is going.

    Args:
        rows: of the results table, by window.
        kept: whether the pipeline has results kept now.
    """
    if not rows:
        yield "no results are kept" + (
            "" if kept else ": `results: true` in the pipeline file keeps those of later runs"
        )
        return
    windows: dict[tuple[str, str], list[Row]] = {}
    series: dict[Series, dict[tuple[str, str], Row]] = {}
    for row in rows:
        window = (row["window_start"], row["window_end"])
        windows.setdefault(window, []).append(row)
        series.setdefault(_which(row, windows[window]), {})[window] = row
    yield from _table(_WINDOWS, [_window(window, found) for window, found in windows.items()])
    yield ""
    yield from _table(_TREND, [_trend(key, [found.get(window) for window in windows]) for key, found in series.items()])


def _window(window: tuple[str, str], rows: Sequence[Row]) -> list[str]:
    failed = [row for row in rows if not row["success"]]
    which = ", ".join(f"{row['name']}({row['column'] or 'table'})" for row in failed)
    one = rows[0]
    return ["/".join(window), str(one["attempt"]), one["state"], str(len(rows)), str(len(failed)), which or "-"]


def _which(row: Row, window: Sequence[Row]) -> Series:
    """Which check a row is of: of those that are named alike the first, the second; `window` ends with the row."""
    named = (row["dataset"], row["name"], row["column"])
    return *named, sum((other["dataset"], other["name"], other["column"]) == named for other in window)


def _trend(key: Series, rows: Sequence[Row | None]) -> list[str]:
    shares = [None if row is None else _share(row) for row in rows]
    newest = next(row for row in reversed(rows) if row is not None)
    failed = sum(row is not None and not row["success"] for row in rows)
    value = newest["value"]
    figure = "-" if value is None else f"{value:g}"
    last = "-" if newest["unexpected_percent"] is None or _one(newest) else f"{newest['unexpected_percent']:.3g} %"
    dataset, name, column, place = key
    check = name if place == 1 else f"{name} {place}"
    return [dataset, check, column or "-", bars(shares), last, figure, f"{failed} of {len(rows) - rows.count(None)}"]


def _share(row: Row) -> float:
    """How much of what was checked failed, 0 to 100: a figure holds or doesn't."""
    if row["unexpected_percent"] is not None and not _one(row):
        return float(row["unexpected_percent"])
    return 0.0 if row["success"] else 100.0


def _one(row: Row) -> bool:
    """Whether it is one answer about all rows: a figure, or what fails though no row does."""
    return row["value"] is not None or not (row["success"] or row["unexpected_percent"])


def bars(percents: Sequence[float | None]) -> str:
    """Shares that fail, 0 to 100, as a character each: the lowest bar is none at all, a dot that nothing is known."""
    return "".join("·" if value is None else _BARS[_height(value)] for value in percents)


def _height(percent: float) -> int:
    return 0 if percent <= 0 else min(7, 1 + int(percent * 7 / 100))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    lines = [head, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    for line in lines:
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
