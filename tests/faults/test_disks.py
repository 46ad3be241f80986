"""Given a disk that is full, then the error says so, what was there stays, and with room again the window is loaded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spark_jobs.atomic import Atomic
from spark_jobs.errors import ResourceError
from tests.faults.disks import disk
from tests.faults.scene import Scene, undisturbed

pytestmark = pytest.mark.spark
FULL = "No space left on device"


@pytest.mark.prove
def test_f21_tables_on_a_full_disk_stay_as_they_are(spark: Any, tmp_path: Path) -> None:
    """All data of the project is there: tables, staging and quarantine."""
    with disk(tmp_path / "project/data", megabytes=8) as small:
        scene = Scene.make(tmp_path)
        assert scene.run_here(spark, 1)["state"] == "loaded"
        before = files(small.folder, "staging/**/transform-*")
        small.fill(left=16_000)
        error = scene.run_here(spark, 2, "token")
        assert isinstance(error, ResourceError), error
        assert FULL in str(error)
        assert scene.tables() == undisturbed(1)
        left = files(small.folder, "staging/**/transform-*") - before
        small.empty()
        assert scene.run_here(spark, 2, "token")["state"] == "loaded"
        assert not left & files(small.folder, "staging/**/transform-*"), "the retry frees what was staged"
        assert scene.tables() == undisturbed(1, 2)


@pytest.mark.prove
@pytest.mark.parametrize("moment", ["extract, transform", "load keyed: loaded"])
def test_f21_a_full_disk_of_sparks_own_files_and_of_the_report(
    spark: Any, tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once at the first line of the run, once when all is loaded and only the report is left to write."""
    with disk(tmp_path / "tmp", megabytes=64) as small:
        monkeypatch.setattr("tempfile.tempdir", str(small.folder))
        scene = Scene.make(tmp_path)
        error = scene.run(1, "token", listen=lambda line: small.fill() if moment in line else None)
        assert isinstance(error, ResourceError), error
        assert FULL in str(error)
        assert not scene.left()
        assert [path.name for path in small.folder.iterdir()] == ["_filler"], "nothing of the job stays"
        assert scene.tables() in (undisturbed(), undisturbed(1))
        assert scene.run_here(spark, 1, "token")["state"] == "loaded"
        assert scene.tables() == undisturbed(1)


def test_f22_a_file_of_state_that_cannot_be_written_is_as_before(spark: Any, tmp_path: Path) -> None:
    with disk(tmp_path / "kept", megabytes=1) as small:
        kept, state = Atomic(spark, str(small.folder)), small.folder / "state.json"
        kept.replace(str(state), "before")
        small.fill(left=8_000)
        for work in (lambda: kept.replace(str(state), "x" * 100_000), lambda: kept.write(str(state), "x" * 100_000)):
            with pytest.raises(Exception, match=FULL):
                work()
            assert state.read_text() == "before"
        with pytest.raises(Exception, match=FULL):
            kept.create(str(small.folder / "new.json"), "x" * 100_000)
        assert not (small.folder / "new.json").exists()


def files(folder: Path, pattern: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.glob(pattern)}
