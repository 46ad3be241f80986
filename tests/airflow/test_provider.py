"""What the installed Airflow makes of the package: its metadata, its configuration, its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from tests.airflow.project import FLIGHTS, Project

pytestmark = pytest.mark.airflow


def airflow(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Airflow's command line."""
    return subprocess.run(
        [sys.executable, "-m", "airflow", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=os.environ | {"COLUMNS": "200"},
    )


def test_the_metadata_fits_the_installed_airflow_s_schema() -> None:
    import jsonschema

    from airflow_provider_etl.provider_info import get_provider_info

    schema = json.loads(files("airflow").joinpath("provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_every_module_that_the_metadata_names_is_there() -> None:
    from airflow_provider_etl.provider_info import get_provider_info

    info = get_provider_info()
    for kind in ("operators", "sensors", "triggers", "hooks"):
        for group in info[kind]:
            for module in group["python-modules"]:
                assert import_module(module)
    for command in info["cli"]:
        module, _, function = command.rpartition(".")
        assert callable(getattr(import_module(module), function))


def test_airflow_lists_the_provider_and_knows_its_option() -> None:
    listed = json.loads(airflow("providers", "list", "--output", "json").stdout)
    assert "airflow-provider-etl" in [item["package_name"] for item in listed]
    assert airflow("config", "get-value", "etl", "environment").stdout.strip() == "local"


def test_airflow_etl_has_the_commands_of_airflow_etl_with_a_dash() -> None:
    from airflow_provider_etl.cli import main, provider

    assert {name: main.command(name).HELP for name in main.COMMANDS} == provider._HELP
    told = airflow("etl", "lint", "--help")
    assert told.returncode == 0
    assert "--format {text,json,github}" in told.stdout
    assert "--environment" in told.stdout


def test_exit_codes_and_output_are_those_of_airflow_etl_with_a_dash(project: Project) -> None:
    good = project.dags / "pipelines/flights.yaml"
    bad = project.pipeline("orders", FLIGHTS.replace("owner:", "ownr:"))
    assert airflow("etl", "lint", str(good)).returncode == 0
    done = airflow("etl", "lint", str(bad), "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["code"] == "unknown-key"
    done = airflow("etl", "plan", str(good), "--window", "nonsense")
    assert done.returncode == 2
    assert "'nonsense'" in done.stderr
    done = airflow("etl", "plan", str(good))
    assert done.returncode == 2
    assert "--window" in done.stderr


def test_other_airflow_commands_import_nothing_of_ours_but_the_list() -> None:
    code = (
        "import sys\n"
        "sys.argv = ['airflow', 'dags', 'list']\n"
        "from airflow.cli import cli_parser\n"
        "cli_parser.get_parser()\n"
        "print(sorted(name for name in sys.modules if name.startswith(('airflow_provider_etl', 'spark_jobs'))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == str(
        [
            "airflow_provider_etl",
            "airflow_provider_etl.cli",
            "airflow_provider_etl.cli.provider",
            "airflow_provider_etl.provider_info",
            "airflow_provider_etl.version",
        ]
    )
