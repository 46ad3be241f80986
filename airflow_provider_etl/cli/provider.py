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
    "adopt": "begin the ledger of a table that is there already; nothing is rewritten",
    "advise": "what a pipeline's last windows needed, and what that says of memory, cores and size",
    "audit": "recount windows from their sources, and say where each row is",
    "capacity": "how many cores, machines, bytes and what money a load takes, by measured figures",
    "checks": "what the checks of a pipeline's last windows found, and where each is going",
    "contract": "compare two versions of a contract, or draft one from sample files",
    "backfill": "run windows of the past again or for the first time: what would run and why, start it, follow it",
    "purge": "remove an entity's rows from the pipeline's tables, quarantine and staging, and report what went",
    "docs": "write Great Expectations' Data Docs about the checks of a window",
    "doctor": "say what is there, what is missing and how to get it; fetch the jars",
    "explain": "explain a pipeline: its graph, its windows, what each load promises",
    "jars": "which jars a pipeline needs on its engine's Spark, and how sure that is",
    "lint": "check pipeline files and report everything that is wrong with them",
    "new": "write a commented pipeline file that lints, and its test file",
    "plan": "print the plans (JSON) that Spark would get for a window",
    "quarantine": "list, show, export, replay or drop the rows that a pipeline has set aside",
    "refresh": "load windows anew beside the live table and swap them in at once",
    "run": "run one window here, with no scheduler",
    "schema": "print the JSON Schema of pipeline files",
    "maintain": "put small files together, remove old ones, as the maintenance blocks of a pipeline's loads say",
    "history": "the last versions of a pipeline's tables: window, run, rows, when",
    "restore": "make a table what it was at a version; windows loaded since count as missing",
    "test": "run the cases of FILE.test.yaml, and a window twice, in a scratch folder",
}
_MAPPED: Final = (
    "airflow dags backfill is airflow-etl backfill here, of airflow-provider-etl; "
    "[etl] dags_backfill = False turns it off"
)


def get_cli_commands() -> list[GroupCommand]:
    """What the provider's `cli` key names; and `airflow dags backfill` is there again."""
    restore_dags_backfill(sys.modules.get("airflow.cli.cli_parser"))
    commands = [
        ActionCommand(name=name, help=told, func=_execute(name), args=[_Arguments(name)])
        for name, told in _HELP.items()
    ]
    return [GroupCommand(name="etl", help="Pipelines from YAML files: check, explain, plan, run", subcommands=commands)]


def restore_dags_backfill(parser: Any) -> str:
    """Put `backfill` among the commands of `airflow dags`, where 2.11 had it; whatever is otherwise stays as it is.

    Airflow has no way for that: while it asks for our commands, the list of its own lies open in its parser's module.

    Args:
        parser: the module `airflow.cli.cli_parser`, half-way through its import; None where there is none.

    Returns:
        Why it wasn't done; empty where it was. `airflow-etl doctor` tells it.
    """
    try:
        if not _wanted():
            return "[etl] dags_backfill turns it off"
        commands = parser.airflow_commands
        [place] = [at for at, command in enumerate(commands) if command.name == "dags"]
        below = list(commands[place].subcommands)
        if any(command.name == "backfill" for command in below):
            return "this Airflow has a command of that name"
        told = "Run a DAG for windows of the past, with the flags of Airflow 2.11 (airflow-provider-etl)"
        execute, arguments = _execute("backfill", said=_MAPPED), [_Arguments("backfill", group="dags")]
        made = ActionCommand(name="backfill", help=told, func=execute, args=arguments)
        commands[place] = commands[place]._replace(subcommands=[*below, made])
    except Exception as error:  # noqa: BLE001 - Airflow's command line must work, whatever it looks like inside
        return f"it couldn't be put back: {type(error).__name__}: {error}"
    return ""


def _wanted() -> bool:
    from airflow.configuration import conf

    return bool(conf.getboolean("etl", "dags_backfill", fallback=True))


class _Arguments:
    """All arguments of one command, declared by its own module; stands where Airflow has an `Arg` for each.

    Args:
        command: the command's name.
        group: the group of Airflow's commands in which it stands.
    """

    flags = ("--environment",)  # by which Airflow sorts

    def __init__(self, command: str, group: str = "etl") -> None:
        self._command, self._group = command, group

    def add_to_parser(self, parser: argparse.ArgumentParser) -> None:
        """Declare them, where this is the command that was asked for."""
        if self._group in sys.argv and self._command in sys.argv:
            parser.add_argument(
                "--environment",
                metavar="NAME",
                help="a name in config/environments, or a path; default: the configured one, else local",
            )
            _module(self._command).add_arguments(parser)


def _module(name: str) -> Any:
    return importlib.import_module(f"airflow_provider_etl.cli.{name}")


def _execute(name: str, said: str = "") -> Callable[[argparse.Namespace], None]:
    def execute(options: argparse.Namespace) -> None:
        from airflow_provider_etl.cli.main import execute as run

        if said:
            print(said, file=sys.stderr)
        sys.exit(run(_module(name), options))

    return execute


def why_not() -> str:
    """Why `airflow dags backfill` isn't there; empty where it is."""
    from airflow.cli import cli_parser

    try:
        found = {
            below.name: below
            for group in cli_parser.airflow_commands
            if group.name == "dags"
            for below in group.subcommands
        }
    except (AttributeError, TypeError) as error:
        return f"this Airflow's command line is built in another way: {error}"
    if "backfill" in found:
        return ""
    from airflow import __version__

    if tuple(int(part) for part in __version__.split(".")[:2]) < (3, 2):
        return f"Airflow {__version__} asks no provider for commands: 3.2 and later do"
    return restore_dags_backfill(cli_parser) or "Airflow didn't ask this provider for its commands"


if __name__ == "__main__":
    print(why_not())
