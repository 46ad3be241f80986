"""The parcel of `spark_jobs`: the same bytes for the same sources, whole for everybody, and enough to run from."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from airflow_provider_etl.engines import parcel as module
from airflow_provider_etl.engines.parcel import packed, parcel


def test_equal_sources_make_equal_bytes_whenever_they_were_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, age in (("a", 0), ("b", 1000)):
        for source, text in (("one.py", "x = 1"), ("inner/two.py", "y = 2"), ("inner/data.bin", name)):
            path = tmp_path / name / "spark_jobs" / source
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            os.utime(path, (time.time() - age, time.time() - age))
            path.chmod(0o600 if age else 0o755)
    made = []
    for name in ("a", "b"):
        monkeypatch.setattr(module, "_SOURCES", tmp_path / name / "spark_jobs")
        made.append(packed())
    assert made[0] == made[1]
    (tmp_path / "b" / "spark_jobs" / "one.py").write_text("x = 2")
    assert packed() != made[0]


def test_sources_alone_travel_and_run_from_the_zip(tmp_path: Path) -> None:
    made = parcel(tmp_path / "parcels")
    with zipfile.ZipFile(made.packages) as archive:
        names = archive.namelist()
    assert names == sorted(names)
    assert all(name.startswith("spark_jobs/") and name.endswith(".py") for name in names)
    done = subprocess.run(
        [sys.executable, "-S", str(made.entry), "--plan", str(tmp_path / "none.json"), "--report", "r"],
        env={"PYTHONPATH": str(made.packages)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    assert "none.json" in done.stdout


def test_it_is_made_once_by_many_processes(tmp_path: Path) -> None:
    ask = f"from airflow_provider_etl.engines.parcel import *; print(parcel(Path({str(tmp_path)!r})).packages)"
    asked = [subprocess.Popen([sys.executable, "-c", ask], stdout=subprocess.PIPE, text=True) for _ in range(6)]
    said = {process.communicate(timeout=60)[0].strip() for process in asked}
    assert {process.returncode for process in asked} == {0}
    assert len(said) == 1
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".py", ".zip"]
    made = parcel(tmp_path)
    changed = made.packages.stat().st_mtime_ns
    assert parcel(tmp_path) == made
    assert made.packages.stat().st_mtime_ns == changed


def test_a_torn_file_of_a_disk_that_was_full_is_written_again(tmp_path: Path) -> None:
    made = parcel(tmp_path)
    made.packages.write_bytes(b"PK")
    assert parcel(tmp_path).packages.read_bytes() == packed()
