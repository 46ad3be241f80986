"""The flags of `backfill`: ours, those of Airflow 2.11's `dags backfill` and those of 3.x's `backfill create`."""

from __future__ import annotations

import argparse
from typing import Final

# Given, they would mean less or something else than what happens here. Flag -> (what happens, what to do).
REFUSED: Final = {
    "--task-regex": ("every window runs whole here", "clear those tasks instead: airflow tasks clear DAG -t REGEX"),
    "--ignore-dependencies": ("every window runs whole here", "clear those tasks instead: airflow tasks clear DAG"),
    "--mark-success": ("the windows would be loaded, not only marked", "mark the runs in the grid"),
    "--pool": ("the tasks' own pool counts", "limit the windows at once: --max-active N"),
    "--treat-dag-id-as-regex": ("a backfill is of one DAG", "one command for each DAG"),
    "--treat-dag-as-regex": ("a backfill is of one DAG", "one command for each DAG"),
}
# Given, they change nothing. Flag -> why.
IDLE: Final = {
    "--ignore-first-depends-on-past": "depends_on_past counts as it does for every run",
    "--local": "the scheduler runs the windows, by its own executor",
    "--donot-pickle": "nothing is pickled",
    "--delay-on-limit": "the scheduler waits by itself",
    "--continue-on-failures": "the other windows always go on",
    "--disable-retry": "tasks retry as their file says",
    "--subdir": "the DAG is the one that Airflow knows by this id",
    "--verbose": "",
}
_VALUED: Final = ("--task-regex", "--pool", "--delay-on-limit", "--subdir")
_SHORT: Final = {
    "--task-regex": "-t",
    "--ignore-dependencies": "-i",
    "--ignore-first-depends-on-past": "-I",
    "--mark-success": "-m",
    "--local": "-l",
    "--donot-pickle": "-x",
    "--subdir": "-S",
    "--verbose": "-v",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the flags of all three dialects."""
    parser.add_argument("dag", nargs="?", metavar="DAG", help="a DAG's id, or a pipeline file")
    _ours(parser.add_argument_group("which windows"))
    _how(parser.add_argument_group("how"))
    _later(parser.add_argument_group("a backfill that goes on"))
    _native(parser.add_argument_group("flags of `airflow dags backfill` (2.11) and `airflow backfill create` (3.x)"))


def _ours(group: argparse._ArgumentGroup) -> None:
    zone = "in the pipeline's timezone; a date means every window that starts on that day"
    group.add_argument("--from", dest="first", default="", metavar="D", help=f"start of the first window, {zone}")
    group.add_argument("--to", dest="last", default="", metavar="D", help="START of the last window, included likewise")
    group.add_argument(
        "--reprocess",
        "--reprocess-behavior",
        choices=("none", "failed", "completed"),
        help="what becomes of windows that have a run: left alone (default), failed ones run again, all run again",
    )
    group.add_argument("--missing", action="store_true", help="only windows that the tables don't hold")
    group.add_argument("--outdated", action="store_true", help="only those that another configuration has loaded")


def _how(group: argparse._ArgumentGroup) -> None:
    group.add_argument("-n", "--dry-run", action="store_true", help="show what would run, and start nothing")
    group.add_argument(
        "--max-active",
        "--max-active-runs",
        type=_positive,
        dest="max_active",
        metavar="N",
        help="windows at once; default: as many as the DAG allows",
    )
    group.add_argument("-B", "--run-backwards", action="store_true", dest="backwards", help="the latest window first")
    group.add_argument("-c", "--conf", "--dag-run-conf", metavar="JSON", help="every run's configuration")
    group.add_argument("--batch", metavar="30d", help="compute so much time in one Spark job; the runs find it done")
    group.add_argument("--unpause", action="store_true", help="unpause the DAG: a paused one's backfill never starts")
    group.add_argument("-y", "--yes", action="store_true", help="start without asking (unpausing needs --unpause)")
    group.add_argument(
        "--wait",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="follow it to its end, and wait for another backfill of the DAG; or start it and return",
    )


def _later(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--follow", type=_positive, metavar="ID", help="follow a backfill that was started before")
    group.add_argument("--cancel", type=_positive, metavar="ID", help="end it: waiting runs fail, running ones go on")


def _native(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--dag-id", metavar="DAG", help="as DAG")
    instant = "as Airflow reads it: an instant, a bare date in [core] default_timezone (UTC); included"
    group.add_argument(
        "-s", "--start-date", "--from-date", dest="native_first", default="", metavar="DATE", help=instant
    )
    group.add_argument("-e", "--end-date", "--to-date", dest="native_last", default="", metavar="DATE", help=instant)
    group.add_argument("--reset-dagruns", action="store_true", help="as --reprocess completed")
    group.add_argument("--rerun-failed-tasks", action="store_true", help="as --reprocess failed: these runs run whole")
    group.add_argument(
        "--run-on-latest-version",
        action=argparse.BooleanOptionalAction,
        dest="latest",
        default=None,
        help="whether runs take the newest version of the DAG",
    )
    for flag, (why, _) in REFUSED.items():
        _foreign(group, flag, f"refused: {why}")
    for flag, why in IDLE.items():
        _foreign(group, flag, f"changes nothing: {why}" if why else "changes nothing")


def _foreign(group: argparse._ArgumentGroup, flag: str, told: str) -> None:
    names = [_SHORT[flag], flag] if flag in _SHORT else [flag]
    if flag in _VALUED:
        group.add_argument(*names, metavar="X", help=told)
    else:
        group.add_argument(*names, action="store_true", help=told)


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
