"""Proofs in parts: what was stood once counts, for the code that stood it, and no schedule counts twice."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import strategies as st

from tests.conformance import drawing
from tests.conformance.drawing import ROUNDS, draw, gather
from tests.conformance.reach import ROOT, reached
from tests.conformance.schedule import Schedule, schedules
from tests.conformance.tally import Checkout, Tally

NUMBERS = st.integers(0, 10**9)


class Mine(Checkout):
    """A checkout of which one file counts."""

    def files(self) -> list[str]:
        return ["mine.py"]


class Fixed(Checkout):
    """Code that never changes."""

    def code(self, files: Sequence[str]) -> str:
        return "one" if files else ""


class Never(Checkout):
    """Code that isn't committed."""

    def code(self, files: Sequence[str]) -> str:
        return "" if files else "one"


def test_parts_add_up_to_as_many_schedules_as_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, stood, up = tmp_path / "proved.jsonl", list[int](), [False, False, True]
    monkeypatch.setattr(drawing, "time_is_up", lambda: up.pop(0) if up else False)
    with pytest.raises(pytest.skip.Exception, match="of 30 so far"):
        gather(NUMBERS, stood.append, 30, Tally(file, Fixed()))
    first = len(stood)
    assert 0 < first < 30
    gather(NUMBERS, stood.append, 30, Tally(file, Fixed()))
    assert len(stood) == len(set(stood)) >= 30
    assert first < len(stood)
    gather(NUMBERS, stood.append, 30, Tally(file, Fixed()))
    assert list(Tally(file, Fixed()).tests().values()) == [len(stood)]


def test_lines_that_say_of_no_file_prove_nothing(tmp_path: Path) -> None:
    """An older form of the file had such."""
    file = tmp_path / "proved.jsonl"
    file.write_text('{"code": "one-two", "test": "here", "seed": 1, "schedules": ["a", "b"]}\n')
    assert Tally(file, Fixed()).tests() == {"here": 0}


def test_a_batch_that_fails_counts_for_nothing(tmp_path: Path) -> None:
    def never(number: int) -> None:
        assert number < 0

    kept = Tally(tmp_path / "proved.jsonl", Fixed())
    with pytest.raises(AssertionError):
        gather(NUMBERS, never, 5, kept)
    assert kept.tests() == {}


def test_the_code_of_a_proof_is_what_has_run_and_what_that_can_import() -> None:
    files = Checkout().files()
    assert {"tests/conformance/drawing.py", "tests/conformance/tally.py", "requirements/demo.txt"} <= set(files)
    table = {str(path.relative_to(ROOT)) for path in reached([ROOT / "tests/conformance/test_delta.py"])}
    assert {"spark_jobs/__init__.py", "spark_jobs/ledger.py", "spark_jobs/load/delta.py"} <= table
    assert not {"spark_jobs/check/matching.py", "spark_jobs/load/iceberg.py", "spark_jobs/verbs.py"} & table


def test_a_proof_stands_until_one_of_its_files_changes(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=b", *words], check=True)

    git("init", "-q")
    for name in ("mine.py", "other.py"):
        (tmp_path / name).write_text("")
    git("add", "-A")
    git("commit", "-qm", "one")
    kept = Tally(tmp_path / "proved.jsonl", Mine(tmp_path))
    kept.add("a test", 1, ["x", "y"])
    (tmp_path / "other.py").write_text("1")
    git("commit", "-qam", "elsewhere")
    assert kept.tests() == {"a test": 2}
    (tmp_path / "mine.py").write_text("1")
    assert kept.tests() == {"a test": 0}, "nobody knows what isn't committed"
    git("commit", "-qam", "here")
    assert kept.tests() == {"a test": 0}, "other code has to stand them anew"
    kept.add("a test", 2, ["x"])
    assert kept.tests() == {"a test": 1}
    git("rm", "-q", "mine.py")
    git("commit", "-qm", "gone")
    assert kept.tests() == {"a test": 0}


def test_what_is_imported_from_beside_is_reached(tmp_path: Path) -> None:
    files = {
        "__init__.py": "",
        "a.py": "from . import b\nfrom .c.d import e",
        "b.py": "",
        "c/__init__.py": "",
        "c/d.py": "",
    }
    for name, text in files.items():
        path = tmp_path / "spark_jobs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = reached([tmp_path / "spark_jobs/a.py"], tmp_path)
    assert [str(path.relative_to(tmp_path / "spark_jobs")) for path in found] == sorted(files)


def test_what_is_not_committed_is_kept_nowhere(tmp_path: Path) -> None:
    kept, stood = Tally(tmp_path / "proved.jsonl", Never()), list[int]()
    gather(NUMBERS, stood.append, 25, kept)
    assert len(set(stood)) >= 25
    assert not kept.path.exists()


def test_what_every_test_run_draws_is_the_same_each_time() -> None:
    """By the schedules themselves: as many as are asked for, and the same ones."""
    runs = [list[Schedule](), list[Schedule]()]
    for seen in runs:
        draw(schedules(truncates=True), seen.append, ROUNDS)
    assert runs[0] == runs[1]
    assert len(runs[0]) == ROUNDS
