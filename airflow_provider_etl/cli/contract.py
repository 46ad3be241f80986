"""`contract check OLD NEW` and `contract infer FILE…`: contracts that change, and first drafts of new ones."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec.contracts.contract import Contract

NAME: Final = "contract"
HELP: Final = "compare two versions of a contract, or draft one from sample files"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="check|infer")
    check = verbs.add_parser("check", help="say whether a new version of a contract breaks those who rely on the old")
    check.add_argument("old", metavar="OLD", help="the contract that readers know; alone: only see that it is sound")
    check.add_argument("new", metavar="NEW", nargs="?", help="the contract that is to take its place")
    _infer_arguments(
        verbs.add_parser("infer", help="draft a contract from sample files; what must be decided is marked")
    )
    check.add_argument("--format", choices=("text", "json"), default="text", help="how changes are told")


def execute(options: argparse.Namespace) -> int:
    """Do what is asked; 1 where a change breaks readers."""
    return _check(options) if options.action == "check" else _infer(options)


def _infer_arguments(parser: argparse.ArgumentParser) -> None:
    from airflow_provider_etl.contracts.samples import FORMATS

    parser.add_argument("files", nargs="+", metavar="FILE", help="samples of one dataset, together")
    parser.add_argument("--format", choices=FORMATS, help="default: by the file's ending")
    parser.add_argument("--rows", type=int, default=10_000, metavar="N", help="rows that are read of each file")


def _infer(options: argparse.Namespace) -> int:
    """Print the draft."""
    from airflow_provider_etl.contracts.samples import format_of, look
    from airflow_provider_etl.contracts.seen import Seen
    from airflow_provider_etl.contracts.writing import written

    if options.rows < 1:
        raise ConfigError(f"{options.rows} is no number of rows", where="--rows", expected="1 or more")
    seen: dict[str, Seen] = {}
    for name in options.files:
        look(Path(name), options.format or format_of(Path(name)), options.rows, seen)
    if not seen:
        raise ConfigError("no column was found", where=", ".join(options.files), remedy="name a sample with rows")
    rows = max(item.rows for item in seen.values())
    files = "".join(
        sign if sign.isprintable() else "?" for sign in ", ".join(Path(name).name for name in options.files)
    )
    print(written(seen, files, rows), end="")
    return 0


def _check(options: argparse.Namespace) -> int:
    from airflow_provider_etl.contracts.compare import between

    old = _read(options.old, options)
    changes = between(old, _read(options.new, options)) if options.new else []
    if options.format == "json":
        print(json.dumps([change.to_json() for change in changes], indent=2))
    else:
        for change in changes:
            print(f"{change.place}: {change.severity}[{change.code}]: {change.path}: {change.message}")
        counts = {
            kind: sum(item.severity == kind for item in changes) for kind in ("breaking", "warning", "compatible")
        }
        print(", ".join(f"{number} {kind}" for kind, number in counts.items()))
    return 1 if any(change.severity == "breaking" for change in changes) else 0


def _read(path: str, options: argparse.Namespace) -> dict[str, Contract]:
    """The contracts of a file.

    Raises:
        ConfigError: something in it is wrong; everything has been told.
    """
    from airflow_provider_etl.spec.contracts.alone import read_contracts

    found, diagnostics = read_contracts(Path(path), options.environment)
    errors = [item for item in diagnostics if item.severity == "error"]
    if errors:
        first = "\n".join(str(item) for item in errors)
        raise ConfigError(f"the contract can't be compared\n{first}", where=path, remedy="mend it first")
    return found
