"""`quarantine ACTION FILE`: rows set aside, why, and a way to run them again after a fix."""

from __future__ import annotations

import argparse
import getpass
import json
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.aside import export, replay, telling
from airflow_provider_etl.aside import rows as rows_alone
from airflow_provider_etl.backfill.dates import starts
from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import add_params, opened
from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import Pipeline
from spark_jobs.aside import WAITING
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

NAME: Final = "quarantine"
HELP: Final = "list, show, export, replay or drop the rows that a pipeline has set aside"
_EARLIEST: Final = "1900-01-02"
_LATEST: Final = "2199-12-30"
# Option -> the actions that know it, and what it is where it isn't given.
_OWN: Final[dict[str, tuple[tuple[str, ...], Any]]] = {
    "limit": (("show",), None),
    "out": (("export",), None),
    "format": (("export",), None),
    "all": (("list", "show", "export"), False),
    "rows": (("replay",), False),
    "retryable": (("replay",), False),
    "reason": (("drop",), None),
    "yes": (("drop",), False),
    "dry_run": (("replay", "drop"), False),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("action", choices=list(_ACTIONS), help="what to do")
    parser.add_argument("file", metavar="FILE", help="a pipeline file")
    parser.add_argument(
        "--from", dest="first", metavar="A", help="START of the first window; a date means all of that day"
    )
    parser.add_argument("--to", dest="last", metavar="B", help="START of the last window, included likewise")
    parser.add_argument("--window", metavar="A/B", help="one window: START/END, or START of one of the schedule's")
    parser.add_argument("--rule", default="", help="only rows that broke this rule")
    parser.add_argument("--dataset", default="", help="only rows that this source or dataset refused")
    parser.add_argument("--json", metavar="REPORT", help="write the report (JSON) to this file")
    parser.add_argument("--all", action="store_true", help="list, show, export: dropped and replayed rows too")
    parser.add_argument("--limit", type=int, metavar="N", help="show: how many rows; default 20")
    parser.add_argument("--out", metavar="PATH", help="export: the file; .csv, .jsonl or .parquet")
    parser.add_argument("--format", choices=["csv", "json", "parquet"], help="export: where the ending doesn't say it")
    parser.add_argument("--rows", action="store_true", help="replay: the rows alone, where a strategy allows that")
    parser.add_argument(
        "--retryable", action="store_true", help="replay: only windows where other data or another file may help"
    )
    parser.add_argument("--reason", help="drop: why; it stays with the rows")
    parser.add_argument("--dry-run", action="store_true", help="replay, drop: show what would happen; change nothing")
    parser.add_argument("--yes", action="store_true", help="drop: don't ask")
    add_params(parser)


def execute(options: argparse.Namespace) -> int:
    """Do it: 0, 1 where it failed, 2 where file or arguments are bad."""
    _refuse_strangers(options)
    pipeline = opened(options)
    if pipeline is None:
        return 2
    report = {"pipeline": pipeline.name, "id": pipeline.id, "action": options.action, "state": "done", "error": None}
    code, told = _ACTIONS[options.action](pipeline, _wanted(pipeline, options), options)
    if options.json:
        Path(options.json).write_text(json.dumps(report | told, indent=2), encoding="utf-8")
    return code


def _refuse_strangers(options: argparse.Namespace) -> None:
    """See that no option is given that means nothing to the action.

    Raises:
        ConfigError: one is.
    """
    for name, (actions, default) in _OWN.items():
        if getattr(options, name) != default and options.action not in actions:
            flag = f"--{name.replace('_', '-')}"
            raise ConfigError(f"{flag} means nothing to {options.action}", expected=f"it with {' or '.join(actions)}")


def _wanted(pipeline: Pipeline, options: argparse.Namespace) -> Wanted:
    """Which rows are meant.

    Raises:
        ConfigError: no dates, or both a window and a span.
    """
    if options.window and (options.first or options.last):
        raise ConfigError("--window and --from or --to are given", expected="one window, or a span of windows")
    wanted = Wanted(rule=options.rule, dataset=options.dataset, states=() if options.all else (WAITING,))
    if options.window:
        window = pipeline.span_of(options.window)
        return replace(wanted, first=window.start, until=window.end)
    if not (options.first or options.last):
        return wanted
    span = starts(options.first or _EARLIEST, options.last or _LATEST, pipeline.timezone)
    return replace(wanted, first=span.first, last=span.last)


def _list(pipeline: Pipeline, wanted: Wanted, _options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    hook, now = QuarantineHook(pipeline), datetime.now(UTC)
    found = hook.groups(wanted)
    rows = sum(group.rows for group in found)
    windows = len({group.window for group in found})
    print(f"{pipeline.name}: {rows:,} rows of {windows:,} windows are set aside in {hook.path}")
    if found:
        print("\n".join(telling.groups(found, now)))
    return 0, {"table": hook.path, "rows": rows, "groups": [group.to_json(now) for group in found]}


def _show(pipeline: Pipeline, wanted: Wanted, options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    hook = QuarantineHook(pipeline)
    found = islice(hook.rows(wanted), 20 if options.limit is None else max(options.limit, 0))
    rows = [export.as_json(row) | {"window": _window(hook, row)} for row in found]
    print("\n".join(telling.rows(rows)) or "no row is set aside")
    return 0, {"table": hook.path, "rows": rows}


def _window(hook: QuarantineHook, row: dict[str, Any]) -> dict[str, str]:
    window = hook.window(row)
    return window.to_json() | {"key": window.key}


def _export(pipeline: Pipeline, wanted: Wanted, options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    if not options.out:
        raise ConfigError("export writes a file", expected="--out PATH, ending in .csv, .jsonl or .parquet")
    form = export.format_of(options.out, options.format)
    written = export.export(QuarantineHook(pipeline).rows(wanted), options.out, form)
    print(f"{written:,} rows in {options.out}")
    return 0, {"out": options.out, "format": form, "rows": written}


def _replay(pipeline: Pipeline, wanted: Wanted, options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    from airflow_provider_etl.cli.run import INTERRUPTED, here

    def alone(of: Pipeline, window: Window) -> dict[str, Any]:
        return ordering.carried_out(of, rows_alone.NAME, [rows_alone.plan(of, window)], rows_alone.options(wanted))

    if options.rows:
        rows_alone.refuse(pipeline)
    found = replay.waiting(pipeline, wanted, hopeful=options.retryable)
    print(f"{pipeline.name}: {sum(found.values()):,} rows of {len(found):,} windows wait")
    if options.dry_run:
        print("\n".join(f"  {window.key}: {rows:,} rows" for window, rows in found.items()))
        windows = [{"window": window.to_json(), "before": rows} for window, rows in found.items()]
        return 0, {"state": "shown", "windows": windows}
    told: list[dict[str, Any]] = []
    for window, rows in found.items():
        report = replay.attempted(pipeline, window, alone if options.rows else here)
        told.append(replay.outcome(pipeline, window, rows, report, wanted))
        if (told[-1]["error"] or {}).get("message") == INTERRUPTED:
            break
    if told:
        print("\n".join(replay.told(told)))
    failed = any(item["state"] == "failed" for item in told)
    return int(failed), {"state": "failed" if failed else "done", "windows": told}


def _drop(pipeline: Pipeline, wanted: Wanted, options: argparse.Namespace) -> tuple[int, dict[str, Any]]:
    from airflow_provider_etl import upkeep

    if not (options.reason or "").strip():
        raise ConfigError("nobody knows later why rows were dropped", expected="--reason TEXT, which stays with them")
    groups = QuarantineHook(pipeline).groups(wanted)
    rows = sum(group.rows for group in groups)
    print(f"{pipeline.name}: {rows:,} rows would be dropped: they stay where they are, and wait no more")
    if groups:
        print("\n".join(telling.groups(groups, datetime.now(UTC))))
    if options.dry_run or not groups:
        return 0, {"state": "shown", "rows": rows}
    if not ordering.agreed(options, "drop them?"):
        print("nothing was changed")
        return 0, {"state": "shown", "rows": rows}
    targets = {(group.window, number) for group in groups for number in group.attempts}
    order = {
        "attempts": [{"window": window.to_json(), "attempt": number} for window, number in sorted(targets)],
        "rule": wanted.rule,
        "dataset": wanted.dataset,
        "reason": options.reason.strip(),
        "by": _user(),
    }
    report = ordering.carried_out(pipeline, NAME, [upkeep.quarantine_plan(pipeline)], order)
    code = ordering.ended(options, report)
    if not code:
        print(f"{report['rows']:,} rows are dropped: {order['reason']}")
    return code, report


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        return f"uid {os.getuid()}"


_ACTIONS: Final[dict[str, Callable[..., tuple[int, dict[str, Any]]]]] = {
    "list": _list,
    "show": _show,
    "export": _export,
    "replay": _replay,
    "drop": _drop,
}
