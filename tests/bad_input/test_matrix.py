"""The matrix of bad inputs is whole: each is shown by a test that is there, and the page says what they show."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from spark_jobs.extract import SOURCES
from tests.bad_input.matrix import CHAPTERS, INPUTS, LATER, PAGE, page

ROOT = Path(__file__).resolve().parents[2]
IDS = [f"B{number:02}" for number in range(1, 55)]


def test_every_bad_input_stands_in_the_matrix_and_in_one_chapter() -> None:
    assert list(INPUTS) == IDS
    assert [name for first, last in CHAPTERS.values() for name in IDS if first <= name <= last] == IDS


def test_every_bad_input_is_shown_by_a_test_that_is_there() -> None:
    elsewhere = [name for of in INPUTS.values() for name in of.elsewhere]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "tests/bad_input"]
    own = {**os.environ, "PYTEST_ADDOPTS": ""}  # what whoever runs us has said would change the lines
    done = subprocess.run(
        [*command, *elsewhere], cwd=ROOT, env=own, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    here = [line for line in done.stdout.splitlines() if line.startswith("tests/bad_input/")]
    shown = {f"B{number}" for line in here for number in re.findall(r"(?:\[B|::test_b)(\d\d)[ _]", line)}
    assert [name for name, of in INPUTS.items() if name not in shown and not of.elsewhere] == []


def test_kinds_of_sources_that_came_have_their_bad_inputs_shown() -> None:
    """A source that is here now gets tests of these ids, and leaves LATER."""
    assert {kind: names for kind, names in LATER.items() if kind in SOURCES} == {}
    assert {name for names in LATER.values() for name in names} <= set(IDS)


def test_the_page_is_made_of_the_matrix() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.bad_input.matrix"
