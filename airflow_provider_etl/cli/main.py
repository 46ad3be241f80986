"""`airflow-etl COMMAND …`.

A command is one module with `NAME`, `HELP`, `add_arguments(parser)` and `execute(options) -> int`; only the one that is
asked for is imported. Exit codes: 0 done, 1 an error was found or a run failed, 2 a bad file or bad arguments.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import Final, Protocol, cast

from airflow_provider_etl.version import __version__
from spark_jobs.errors import ConfigError, EtlError

# Name -> module. `airflow etl` (provider.py) has the same.
COMMANDS: Final = {
    "lint": "airflow_provider_etl.cli.lint",
    "schema": "airflow_provider_etl.cli.schema",
    "explain": "airflow_provider_etl.cli.explain",
    "plan": "airflow_provider_etl.cli.plan",
    "run": "airflow_provider_etl.cli.run",
    "test": "airflow_provider_etl.cli.test",
    "new": "airflow_provider_etl.cli.new",
    "contract": "airflow_provider_etl.cli.contract",
    "backfill": "airflow_provider_etl.cli.backfill",
    "docs": "airflow_provider_etl.cli.docs",
    "doctor": "airflow_provider_etl.cli.doctor",
    "advise": "airflow_provider_etl.cli.advise",
    "capacity": "airflow_provider_etl.cli.capacity",
    "jars": "airflow_provider_etl.cli.needed_jars",
    "adopt": "airflow_provider_etl.cli.adopt",
    "purge": "airflow_provider_etl.cli.purge",
    "refresh": "airflow_provider_etl.cli.refresh",
    "maintain": "airflow_provider_etl.cli.maintain",
    "history": "airflow_provider_etl.cli.history",
    "restore": "airflow_provider_etl.cli.restore",
    "quarantine": "airflow_provider_etl.cli.quarantine",
    "audit": "airflow_provider_etl.cli.audit",
    "checks": "airflow_provider_etl.cli.checks",
}


class Command(Protocol):
    """A command's module."""

    NAME: str
    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's own arguments."""

    def execute(self, options: argparse.Namespace) -> int:
        """Do it, and return the exit code."""


def command(name: str) -> Command:
    """Import a command's module."""
    return cast("Command", importlib.import_module(COMMANDS[name]))


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="backslashreplace"
            )  # a file's name may be no UTF-8, and must be told all the same
    options = parser(_asked(given)).parse_args(given)
    return execute(command(options.command), options)


def execute(module: Command, options: argparse.Namespace) -> int:
    """Run a command; what is wrong with its input is one line on stderr."""
    try:
        return module.execute(options)
    except ConfigError as error:
        print(f"airflow-etl {module.NAME}: {error}", file=sys.stderr)
        return 2
    except EtlError as error:
        print(f"airflow-etl {module.NAME}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader (`| head`) has gone; nothing may be written any more, at exit neither.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser(names: Sequence[str]) -> argparse.ArgumentParser:
    """The parser with these commands.

    Args:
        names: keys of COMMANDS; the modules of the others aren't imported.
    """
    made = argparse.ArgumentParser(prog="airflow-etl", description="Pipelines from YAML files.")
    made.add_argument("--version", action="version", version=f"airflow-etl {__version__}")
    _environment(made, None)
    commands = made.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        module = command(name)
        below = commands.add_parser(name, help=module.HELP, description=module.HELP)
        # Before or after the command: without SUPPRESS, the command's default would undo what was given before it.
        _environment(below, argparse.SUPPRESS)
        module.add_arguments(below)
    return made


def _environment(made: argparse.ArgumentParser, default: str | None) -> None:
    made.add_argument(
        "--environment",
        metavar="NAME",
        default=default,
        help="a name in config/environments, or a path; default: AIRFLOW__ETL__ENVIRONMENT, airflow.cfg, local",
    )


def _asked(given: list[str]) -> list[str]:
    """The command among the arguments, so that only its module is imported; all of them where there is none."""
    rest = iter(given)
    for word in rest:
        if word == "--environment":
            next(rest, None)
        elif not word.startswith("-"):
            return [word] if word in COMMANDS else list(COMMANDS)
        elif word in ("-h", "--help"):
            break
    return list(COMMANDS)


if __name__ == "__main__":
    sys.exit(main())
