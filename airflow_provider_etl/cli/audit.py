"""`audit FILE --from A --to B`: windows recounted from their sources, and where each of their rows is."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Final
from uuid import uuid4

from airflow_provider_etl.backfill.dates import starts
from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import add_params, opened
from airflow_provider_etl.hooks.quarantine import Attempts, QuarantineHook
from airflow_provider_etl.hooks.tables import ledger_of, unasked
from airflow_provider_etl.spec import Pipeline
from spark_jobs.errors import ConfigError
from spark_jobs.ledger import LoadUnit, attempt_number, same_configuration
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window, iso

NAME: Final = "audit"
HELP: Final = "recount windows from their sources, and say where each row is"
_COLUMNS: Final = ("window", "read", "filtered", "repeats", "refused", "quarantine", "load", "expected", "found", "by")
_TEXTS: Final = (0, 6, 9, 10)
_SILENT: Final = "its ledger can't be asked without Spark"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument("--from", dest="first", metavar="A", help="START of the first window; a date: all of its day")
    parser.add_argument("--to", dest="last", metavar="B", help="START of the last window, included likewise")
    parser.add_argument("--window", metavar="A/B", help="one window instead")
    parser.add_argument("--json", metavar="REPORT", help="write the report (JSON) to this file")
    add_params(parser)


def execute(options: argparse.Namespace) -> int:
    """Recount: 0 every window that is loaded balances, 1 one doesn't, 2 file or arguments are bad."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    windows = _windows(pipeline, options)
    hook = QuarantineHook(pipeline)
    attempts = hook.attempts()
    plans = [_plan(pipeline, window) for window in windows]
    held = [_held(hook, window, attempts) for window in windows]
    report = ordering.carried_out(pipeline, NAME, plans, {"windows": held})
    print("\n".join(_told(report.get("windows", ()))))
    broken = any(window["balances"] is False for window in report.get("windows", ()))
    return ordering.ended(options, report) or int(broken)


def _windows(pipeline: Pipeline, options: argparse.Namespace) -> list[Window]:
    """The windows that are meant.

    Raises:
        ConfigError: neither a span nor a window is given, or none of the schedule's windows in it has ended.
    """
    if options.window and not (options.first or options.last):
        return [pipeline.window_of(options.window)]
    if options.window or not (options.first and options.last):
        raise ConfigError("windows are read anew: say which", expected="--from A --to B, or --window A/B")
    span, now = starts(options.first, options.last, pipeline.timezone), datetime.now(UTC)
    begin = max(span.first, pipeline.start) if pipeline.start else span.first
    cut = pipeline.windows(begin, now) if begin < now else iter(())
    found = pipeline.loaded_of(takewhile(lambda window: window.start <= span.last, cut))
    if not found:
        raise ConfigError(f"no window of {pipeline.name} starts in {span} and has ended", where=pipeline.name)
    return found


def _plan(pipeline: Pipeline, window: Window) -> Plan:
    token = uuid4().hex
    number = attempt_number(pipeline.fingerprint)
    silent = replace(pipeline, data_docs=None)
    return silent.plan(window, Attempt(number=number, token=token, run=f"{NAME}-{token[:12]}"))


def _held(hook: QuarantineHook, window: Window, attempts: Attempts) -> dict[str, Any]:
    """What ledgers say of a window: whose rows in quarantine count, and which loads have it."""
    loads = {}
    for name, (unit, options) in hook.pipeline.units(window).items():
        number = ledger_of(options).number(unit)
        # A snapshot holds one window, the newest.
        held = number is not None and (not unit.snapshot or bool(unit.last_attempt(number)))
        same = unit.snapshot or (number is not None and same_configuration(number, hook.pipeline.fingerprint))
        instead = _instead(hook, unit, options, number)
        loads[name] = {"held": held and not instead, "same": same, "instead": instead}
    if all(load["instead"] == _SILENT for load in loads.values()):
        raise unasked(hook.pipeline.name, next(iter(loads)), "count the table's rows of the window in the database")
    return {"attempts": sorted(attempts.get(window, ())), "loads": loads}


def _instead(hook: QuarantineHook, unit: LoadUnit, options: Mapping[str, Any], number: int | None) -> str:
    """Why the rows of a load aren't those of this window alone, as is right; empty where they are to be counted."""
    ledger = ledger_of(options)
    if ledger.silent:
        return _SILENT
    if unit.snapshot:
        end = ledger.snapshot_end(unit)
        return "superseded by a newer window" if end is not None and end > unit.window.end else ""
    over = hook.covered(unit, options, -1 if number is None else number)
    return f"covered by {iso(over.start)}/{iso(over.end)}" if over else ""


def _told(windows: Any) -> Iterator[str]:
    """A table: a line for each load of each window."""
    rows = [(*_COLUMNS, "verdict"), *(row for window in windows for row in _rows(window))]
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        cells = zip(row, widths, strict=True)
        placed = (cell.ljust(w) if at in _TEXTS else cell.rjust(w) for at, (cell, w) in enumerate(cells))
        yield ("  " + "  ".join(placed)).rstrip()


def _rows(window: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    aside = ", ".join(f"{rows:,} {state}" for state, rows in sorted(window["aside"].items())) or "0"
    counts = [_number(window.get(name)) for name in ("read", "filtered", "deduplicated", "refused")]
    first = (window["window"]["key"], *counts, aside)
    loads = list(window["loads"].items()) or [("-", {"expected": None, "found": None, "counted": "-"})]
    for place, (name, load) in enumerate(loads):
        numbers = (_number(load["expected"]), _number(load["found"]), load["counted"])
        yield (*(first if place == 0 else [""] * 6), name, *numbers, window["verdict"] if place == 0 else "")


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
