"""The matrix of faults is whole: each is proven by a test that is there, as is each point at which a load may die."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from spark_jobs.points import POINTS
from tests.faults.matrix import CHAPTERS, FAULTS, PAGE, page
from tests.faults.test_kill_points import DYING

ROOT = Path(__file__).resolve().parents[2]
IDS = [f"F{number:02}" for number in (*range(1, 26), 38, 39, 42, 43, 44)]


def test_every_fault_stands_in_the_matrix_and_in_one_chapter() -> None:
    assert list(FAULTS) == IDS
    assert [name for first, last in CHAPTERS.values() for name in IDS if first <= name <= last] == IDS


def test_every_fault_is_proven_by_a_test_that_is_there() -> None:
    """Or the matrix says that it isn't."""
    elsewhere = [name for of in FAULTS.values() for name in of.elsewhere]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", "-m", ""]
    command += ["tests/faults", *elsewhere]
    own = {**os.environ, "PYTEST_ADDOPTS": ""}  # what whoever runs us has said would change the lines
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr + done.stdout[-2000:]
    here = [line for line in done.stdout.splitlines() if line.startswith("tests/faults/")]
    shown = {f"F{number}" for line in here for number in re.findall(r"(?:_f|\[F|-F)(\d\d)(?=[_\]-])", line)}
    assert [name for name, of in FAULTS.items() if not (name in shown or of.elsewhere or of.unproven)] == []


def test_every_point_at_which_a_load_may_die_has_a_test_that_kills_it_there() -> None:
    """Points are known by their calls: a new one that nobody kills at fails here."""
    calls = re.compile(r"\breach\((?:point=)?\"([^\"]+)\"\)|_AFTER: Final = \{(.*?)\}", re.DOTALL)
    named = set[str]()
    for path in (ROOT / "spark_jobs").rglob("*.py"):
        for literal, after in calls.findall(path.read_text(encoding="utf-8")):
            named |= {literal} if literal else set(re.findall(r": \"([^\"]+)\"", after))
    assert named == set(POINTS), "spark_jobs/points.py names what the code comes to"
    assert set(DYING) == set(POINTS)


def test_the_page_is_made_of_the_matrix() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.faults.matrix"
