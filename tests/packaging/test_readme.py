"""Given the README, then a new user's two commands are there, and what it shows is what the tree holds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """The README's code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_a_new_user_needs_two_commands() -> None:
    commands = [line.split("#")[0].strip() for line in blocks("sh")[0].splitlines()]
    assert commands == ["make demo", "make test"]


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_knows_the_commands_and_says_so(target: str) -> None:
    said = subprocess.run(["make", "-C", str(ROOT)], capture_output=True, text=True, check=True, timeout=30).stdout
    assert re.search(rf"make {target}\b", said)


def test_the_pipeline_that_the_readme_shows_is_one_that_ships() -> None:
    shown = blocks("yaml")[0]
    name = re.match(r"# (\S+)", shown)
    assert name is not None
    assert shown.split("\n", 1)[1].strip() == (ROOT / name.group(1)).read_text().strip()


def test_every_pipeline_that_ships_lints() -> None:
    command = [sys.executable, "-m", "airflow_provider_etl.cli.main", "lint", "dags/pipelines"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_link_of_the_documents_leads_somewhere() -> None:
    for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md"):
        links = re.findall(r"]\((?!https?://)([^)#]+)\)", (ROOT / name).read_text())
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_screenshot_is_small() -> None:
    assert 0 < (ROOT / "docs" / "images" / "flights.png").stat().st_size < 150 * 1024


def test_ci_runs_what_make_test_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "CI=true exec make test" in script.read_text()


def test_no_file_names_a_registry_or_a_folder_of_one_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    if tracked.returncode != 0:
        pytest.skip("no git checkout: " + tracked.stderr.strip())
    hosts = re.compile(r"https?://[^ \"]*(?:maven|pypi|pythonhosted|npmjs|golang|crates)")
    folders = re.compile(r"(?:^|[ \"=(])/(?:work|farm|root)/", re.MULTILINE)
    for name in tracked.stdout.splitlines():
        path = ROOT / name
        if path.is_file() and path.suffix != ".png" and path != Path(__file__):
            text = path.read_text(errors="replace")
            assert not hosts.search(text), name
            assert not folders.search(text), name
