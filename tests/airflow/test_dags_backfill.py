"""`airflow dags backfill` on the installed Airflow: there, turned off, and where Airflow is built in another way."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest

from tests.airflow.test_provider import airflow

VERSION = tuple(int(part) for part in version("apache-airflow").split(".")[:2])
pytestmark = pytest.mark.airflow
asked = pytest.mark.skipif(VERSION < (3, 2), reason="this Airflow asks no provider for commands")

_REMOVED = "Command `dags backfill` has been removed"


@asked
def test_it_is_there_with_the_flags_of_2_11() -> None:
    told = airflow("dags", "backfill", "--help")
    assert told.returncode == 0, told.stderr
    for flag in (
        "-s, --start-date",
        "--reset-dagruns",
        "--rerun-failed-tasks",
        "-B, --run-backwards",
        "-t, --task-regex X",
        "--ignore-first-depends-on-past",
        "-n, --dry-run",
        "-y, --yes",
    ):
        assert flag in told.stdout, flag
    listed = airflow("dags", "--help")
    assert "with the flags of Airflow 2.11" in listed.stdout
    assert "list-import-errors" in listed.stdout, "Airflow's own commands are still there"


@asked
def test_turned_off_airflow_s_own_answer_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ETL__DAGS_BACKFILL", "False")
    told = airflow("dags", "backfill", "flights", "-s", "2013-01-01")
    assert told.returncode == 2
    assert _REMOVED in told.stderr
    assert why_not() == "[etl] dags_backfill turns it off"


@asked
def test_an_option_that_is_no_boolean_breaks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW__ETL__DAGS_BACKFILL", "perhaps")
    assert _REMOVED in airflow("dags", "backfill", "flights").stderr
    assert why_not().startswith("it couldn't be put back: AirflowConfigException")


@asked
def test_where_the_hook_point_is_missing_the_command_line_works_and_the_reason_is_known() -> None:
    """As on an Airflow that keeps its commands elsewhere: the list has another name while we are asked."""
    code = (
        "import sys\n"
        "sys.argv = ['airflow', 'dags', 'backfill', 'flights', '-s', '2013-01-01']\n"
        "from airflow_provider_etl.cli import provider\n"
        "own = provider.restore_dags_backfill\n"
        "provider.restore_dags_backfill = lambda parser: print('said:', own(object()))\n"
        "from airflow.__main__ import main\n"
        "main()\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert told.returncode == 2
    assert _REMOVED in told.stderr
    assert "said: it couldn't be put back: AttributeError" in told.stdout


def why_not() -> str:
    """What doctor is told."""
    asked = [sys.executable, "-m", "airflow_provider_etl.cli.provider"]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip().rpartition("\n")[2]


@asked
def test_doctor_is_told_that_it_is_there() -> None:
    assert why_not() == ""


@pytest.mark.skipif(VERSION >= (3, 2) or VERSION < (3, 0), reason="this Airflow asks providers, or has it itself")
def test_an_airflow_that_asks_no_provider_is_told() -> None:
    assert "asks no provider for commands: 3.2 and later do" in why_not()


@pytest.mark.parametrize("commands", [[], [SimpleNamespace(name="dags", subcommands=None)], None])
def test_whatever_lies_there_is_left_as_it_is(commands: object) -> None:
    from airflow_provider_etl.cli.provider import restore_dags_backfill

    parser = SimpleNamespace(airflow_commands=commands)
    assert restore_dags_backfill(parser).startswith("it couldn't be put back: ")
    assert parser.airflow_commands is commands
    assert restore_dags_backfill(None)


def test_a_command_of_that_name_that_airflow_has_itself_is_left_alone() -> None:
    from airflow_provider_etl.cli.provider import restore_dags_backfill

    own = SimpleNamespace(name="dags", subcommands=[SimpleNamespace(name="backfill")])
    assert restore_dags_backfill(SimpleNamespace(airflow_commands=[own])) == "this Airflow has a command of that name"
