"""`airflow etl …`: the commands of `airflow-etl` in Airflow's own command line (Airflow 3.2 and later).

Airflow calls `get_cli_commands` whenever it is started: nothing is imported here but Airflow's command classes, and a
command's module only where the command stands on the command line.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Callable
from typing import Any, Final

from airflow.cli.cli_config import ActionCommand, GroupCommand

# Name -> help, as the modules have it (a test compares them); asking the modules would import them.
_HELP: Final = {
    "doctor": "say what is there, what is missing and how to get it; fetch the jars",
    "explain": "explain a pipeline: its graph, its windows, what each load promises",
    "lint": "check pipeline files and report everything that is wrong with them",
    "new": "write a commented pipeline file that lints, and its test file",
    "plan": "print the plans (JSON) that Spark would get for a window",
    "run": "run one window here, with no scheduler",
    "schema": "print the JSON Schema of pipeline files",
    "test": "run the cases of FILE.test.yaml, and a window twice, in a scratch folder",
}


def get_cli_commands() -> list[GroupCommand]:
    """What the provider's `cli` key names."""
    commands = [
        ActionCommand(name=name, help=told, func=_execute(name), args=[_Arguments(name)])
        for name, told in _HELP.items()
    ]
    return [GroupCommand(name="etl", help="Pipelines from YAML files: check, explain, plan, run", subcommands=commands)]


class _Arguments:
    """All arguments of one command, declared by its own module; stands where Airflow has an `Arg` for each.

    Args:
        command: the command's name.
    """

    flags = ("--environment",)  # by which Airflow sorts

    def __init__(self, command: str) -> None:
        self._command = command

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        """Declare them, where this is the command that was asked for."""
        if "etl" in sys.argv and self._command in sys.argv:
            parser.add_argument(
                "--environment",
                metavar="NAME",
                help="a name in config/environments, or a path; default: the configured one, else local",
            )
            _module(self._command).add_arguments(parser)


def _module(name: str) -> Any:
    return importlib.import_module(f"airflow_provider_etl.cli.{name}")


def _execute(name: str) -> Callable[[argparse.Namespace], None]:
    def execute(options: argparse.Namespace) -> None:
        from airflow_provider_etl.cli.main import execute as run

        sys.exit(run(_module(name), options))

    return execute
