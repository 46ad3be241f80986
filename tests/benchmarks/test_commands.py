"""Each benchmark by its command, in its tiny form: every contender in a process of its own, equal rows, a page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.catalogue import FOREIGN, ISSUE, SHARED, names
from benchmarks.harness.machine import PEERS
from benchmarks.harness.model import ROOT

_PEERS = pytest.mark.skipif(not PEERS.exists(), reason="make .venv-airflow/bench-peers/.made")
_TOLD = {"pipeline": 8, "scale": 6, "windows": 9, "load": 16}


def ran(folder: Path, *words: str) -> str:
    """What the command says."""
    command = [sys.executable, "-m", "benchmarks", *words, "--out", str(folder), "--data", str(folder / "data")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-2000:]
    return done.stdout


def test_the_issue_s_are_all_known() -> None:
    assert set(ISSUE) <= set(names())
    assert len(names()) == len(set(names())) == len(SHARED) + len(FOREIGN)


def test_capacity_is_on_the_page(tmp_path: Path) -> None:
    said = ran(tmp_path, "capacity", "--tiny")
    page = (tmp_path / "index.html").read_text()
    assert "cores" in said
    assert "Capacity: what 100 million records an hour need" in page
    assert "its times say nothing" in page


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [pytest.param("pipeline", marks=_PEERS), "scale", "windows", "load"])
def test_all_contenders_leave_the_same_rows(tmp_path: Path, name: str) -> None:
    said = ran(tmp_path, name, "--tiny")
    told = json.loads((tmp_path / f"{name}.json").read_text())
    turns = [turn for case in told["cases"] for each in case["turns"].values() for turn in each]
    assert len(turns) == _TOLD[name]
    assert all(case["rows"] > 0 for case in told["cases"])
    assert all(turn["wall"] > 0 and turn["cpu"] > 0 and turn["memory"] > 50 for turn in turns)
    assert said.count("rows each, equal") == len(told["cases"])
    assert (tmp_path / "index.html").read_text().count("<svg") >= 3 * len(told["cases"])


@pytest.mark.prove
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", [each for each in FOREIGN if each != "capacity"])
def test_those_with_instruments_of_their_own_are_on_the_page_too(tmp_path: Path, name: str) -> None:
    assert ran(tmp_path, name, "--tiny")
    assert FOREIGN[name].title in (tmp_path / "index.html").read_text()
