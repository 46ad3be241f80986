"""The hooks for pre-commit are what pre-commit wants, and start a command that there is."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from airflow_provider_etl.cli.main import main
from tests.spec.conftest import ENVIRONMENT, PIPELINE

ROOT = Path(__file__).resolve().parents[2]
# Of pre-commit's manifest: what must be there, and what may.
REQUIRED = {"id", "name", "entry", "language"}
ALLOWED = REQUIRED | {"description", "types", "types_or", "files", "exclude", "args", "require_serial", "stages"}
ALLOWED |= {"pass_filenames", "always_run", "minimum_pre_commit_version", "verbose", "fail_fast"}
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_a_hook_is_what_pre_commit_wants_and_starts_our_command(hook: dict[str, Any]) -> None:
    assert set(hook) >= REQUIRED
    assert set(hook) <= ALLOWED
    assert hook["language"] in {"python", "system"}
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert shlex.split(hook["entry"])[0] in scripts


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
@pytest.mark.parametrize(
    ("path", "taken"),
    [
        ("dags/pipelines/orders.yaml", True),
        ("airflow/dags/orders.yml", True),
        ("config/environments/local.yaml", False),
        ("dags/pipelines/_base.yaml", False),
        ("dags/.hidden.yaml", False),
        ("dags/orders.test.yaml", False),
        ("dags/orders.test.yml", False),
        ("dags/.drafts/orders.yaml", False),
        ("dags/_bases/orders.yaml", False),
        ("dags/config/environments/local.yaml", False),
        ("dags/a_b/c.d_e.yaml", True),
        ("dags/my.test.yaml.d/orders.yaml", True),
    ],
)
def test_it_takes_pipeline_files_alone(hook: dict[str, Any], path: str, *, taken: bool) -> None:
    assert bool(re.search(hook["files"], path) and not re.search(hook["exclude"], path)) is taken


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_its_entry_lints_the_files_that_it_is_given(
    hook: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    (tmp_path / "config/environments").mkdir(parents=True)
    (tmp_path / "config/environments/local.yaml").write_text(ENVIRONMENT)
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(PIPELINE)
    bad.write_text(PIPELINE.replace("filter:", "filtr:").replace("lake}/orders", "lake}/bad"))
    arguments = shlex.split(hook["entry"])[1:]
    assert main([*arguments, str(good)]) == 0
    assert main([*arguments, str(good), str(bad)]) == 1
    assert "error[unknown-kind]" in capsys.readouterr().out
