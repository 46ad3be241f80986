"""`purge FILE --key column=value`: an entity leaves the pipeline's tables, its quarantine and its staging."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow_provider_etl.cli import ordering
from airflow_provider_etl.cli.opened import opened
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

NAME: Final = "purge"
HELP: Final = "remove an entity's rows from the pipeline's tables, quarantine and staging, and report what went"
_WEEK: Final = 168.0  # hours
_WORDS: Final = {
    "purged": "rows removed",
    "found": "rows found",
    "clean": "no row",
    "absent": "not there",
    "not_searched": "NOT searched",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    ordering.add_arguments(parser)
    parser.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="COLUMN=VALUE",
        help="the entity's key; several are met together",
    )
    parser.add_argument(
        "--vacuum",
        nargs="?",
        type=float,
        const=_WEEK,
        metavar="HOURS",
        help="remove older versions' files too, all but those of the last HOURS (168); 0 leaves none to travel back to",
    )


def execute(options: argparse.Namespace) -> int:
    """Show what is found where, ask, and remove it: 0, 1 where it failed, 2 where file or key are bad."""
    pipeline = opened(options)
    if pipeline is None:
        return 2
    keys = _keys(options.key)
    now = datetime.now(UTC)
    plan = ordering.plan_of(pipeline, Window(start=now - timedelta(days=1), end=now), NAME)
    order: dict[str, Any] = {"keys": keys, "vacuum": options.vacuum}
    if options.dry_run or not options.yes:
        report = ordering.carried_out(pipeline, NAME, [plan], order | {"dry_run": True})
        print("\n".join(_told(report)))
        if options.dry_run or report["state"] == "failed":
            return ordering.ended(options, report)
        if not ordering.agreed(options, _question(options.vacuum)):
            print("nothing was changed")
            return 0
    report = ordering.carried_out(pipeline, NAME, [plan], order)
    print("\n".join(_told(report)))
    return ordering.ended(options, report)


def _question(vacuum: float | None) -> str:
    if vacuum is None or vacuum >= _WEEK:
        return "remove them for good?"
    return f"remove them, and all versions older than {vacuum:g} h, which breaks readers and writers that use them now?"


def _keys(given: list[str]) -> dict[str, str]:
    """Column -> value.

    Raises:
        ConfigError: one isn't COLUMN=VALUE, or stands there twice.
    """
    keys: dict[str, str] = {}
    for item in given:
        column, equals, value = item.partition("=")
        if not (column and equals and value):
            raise ConfigError(f"--key {item!r}", expected="COLUMN=VALUE")
        if column.lower() in map(str.lower, keys):
            raise ConfigError(
                f"--key {column!r} is given twice",
                expected="each column once, however it is spelled: one entity a command",
            )
        keys[column] = value
    return keys


def _told(report: Mapping[str, Any]) -> Iterator[str]:
    """The report in words."""
    for table in report.get("tables", ()):
        if table["state"] == "absent":
            continue
        missing = f" (it lacks {', '.join(table['missing'])})" if table["state"] == "not_searched" else ""
        yield f"  {table['name']}: {table['rows']:,} {_WORDS[table['state']]}{missing}, {table['table']}"
        if table["state"] == "purged" and table["version"] is None:
            yield "    the server's own log and backups hold them for as long as they are kept"
        elif table["state"] == "purged":
            until = table["files_until"]
            held = f"hold them until a VACUUM after {until}" if until else "are gone"
            yield f"    since version {table['version']}; older versions {held}; statistics stay in the log until "
            yield f"    {table['log_until']}"
    yield from _beside(report)
    if report["state"] == "done":
        yield "the source still has what it has: a window that is run again brings the rows back"


def _beside(report: Mapping[str, Any]) -> Iterator[str]:
    """Staging, and what stays."""
    did = "found" if report["state"] == "shown" else "removed"
    for run in report.get("staging", ()):
        yield f"  staging: a run with {run['rows']:,} rows {did}: {run['path']}"
    for path in report.get("unfinished", ()):
        yield f"  staging NOT searched: {path} is being written; purge again when no run is under way"
    for item in report.get("kept", ()):
        yield f"  {item['name']}: stay, {item['table']}; they are counts and figures of whole windows, and hold no row"
