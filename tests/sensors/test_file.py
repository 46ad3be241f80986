"""A file is there when it is whole: there, unchanged for long enough, with its marker, with all that its list names."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from airflow_provider_etl.sensors.condition import Answer
from airflow_provider_etl.sensors.file import File
from spark_jobs.errors import ConfigError
from tests.sensors.asking import NOW, after, ask

TWO = timedelta(minutes=2)


def write(path: Path, text: str = "x", at: datetime = NOW) -> Path:
    """A file whose time of change is this one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def test_a_file_is_waited_for_until_it_is_there(tmp_path: Path) -> None:
    condition = File(path=f"{tmp_path}/a.csv")
    assert ask(condition) == Answer(found=False, seen="nothing is there")
    write(tmp_path / "a.csv", "abc")
    assert ask(condition) == Answer(found=True, seen="1 file, 3 bytes")


def test_a_pattern_finds_files_and_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert not ask(File(path=f"{tmp_path}/empty")).found
    assert not ask(File(path=f"{tmp_path}/*.csv")).found
    write(tmp_path / "a.csv")
    write(tmp_path / "b.csv")
    write(tmp_path / "below/c.csv")
    assert ask(File(path=f"{tmp_path}/?.csv")).seen == "2 files, 2 bytes"
    assert ask(File(path=f"{tmp_path}/**/*.csv")).seen == "3 files, 3 bytes"
    assert ask(File(path=str(tmp_path))).seen == "3 files, 3 bytes"
    with pytest.raises(ConfigError, match="patterns of"):
        ask(File(path=f"{tmp_path}/{{a,b}}.csv"))


def test_a_file_that_grows_is_not_taken_until_it_has_rested(tmp_path: Path) -> None:
    condition = File(path=f"{tmp_path}/a.csv", stable=TWO)
    path = write(tmp_path / "a.csv", "1")
    first = ask(condition)
    assert (first.found, first.seen) == (False, "1 file, 1 bytes, unchanged for 0 s of 2 min")
    write(path, "12", after(seconds=90))
    grown = ask(condition, now=after(seconds=90), memory=first.memory)
    assert not grown.found
    resting = ask(condition, now=after(seconds=209), memory=grown.memory)
    assert (resting.found, resting.seen) == (False, "1 file, 2 bytes, unchanged for 1 min 59 s of 2 min")
    assert ask(condition, now=after(seconds=210), memory=resting.memory).found


def test_a_change_that_keeps_the_size_counts_and_so_does_a_file_more(tmp_path: Path) -> None:
    condition = File(path=str(tmp_path), stable=TWO)
    write(tmp_path / "a.csv")
    first = ask(condition)
    write(tmp_path / "a.csv", at=after(seconds=1))
    assert not ask(condition, now=after(minutes=3), memory=first.memory).found
    second = ask(condition, now=after(minutes=3))
    write(tmp_path / "b.csv", at=NOW)
    assert not ask(condition, now=after(minutes=6), memory=second.memory).found


def test_a_store_whose_clock_is_ahead_is_watched_by_ours(tmp_path: Path) -> None:
    condition = File(path=f"{tmp_path}/a.csv", stable=TWO)
    write(tmp_path / "a.csv", at=after(days=1))
    first = ask(condition)
    assert not first.found
    assert ask(condition, now=after(minutes=2), memory=first.memory).found


def test_a_store_whose_clock_is_behind_doesnt_make_a_young_file_old(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", at=after(minutes=-10))
    assert not ask(File(path=f"{tmp_path}/a.csv", stable=TWO)).found


def test_an_old_file_needs_no_watching(tmp_path: Path) -> None:
    """A backfill of a year doesn't wait two minutes for each of its windows."""
    write(tmp_path / "a.csv", at=after(days=-3))
    answer = ask(File(path=f"{tmp_path}/a.csv", stable=TWO))
    assert (answer.found, answer.seen) == (True, "1 file, 1 bytes, unchanged for 3 d of 2 min")


def test_a_rescheduled_task_remembers_nothing_and_believes_the_files_own_time(tmp_path: Path) -> None:
    condition = File(path=f"{tmp_path}/a.csv", stable=TWO)
    write(tmp_path / "a.csv", at=after(seconds=-119))
    assert not ask(condition, remembers=False).found
    write(tmp_path / "a.csv", at=after(seconds=-120))
    assert ask(condition, remembers=False).found


def test_a_marker_must_be_there_too(tmp_path: Path) -> None:
    write(tmp_path / "day/part-0.parquet")
    for path in (tmp_path / "day", tmp_path / "day/*.parquet"):
        condition = File(path=str(path), success="_SUCCESS")
        marker = tmp_path / "day/_SUCCESS"
        marker.unlink(missing_ok=True)
        assert ask(condition) == Answer(found=False, seen="_SUCCESS is missing")
        write(marker, "")
        assert ask(condition).found


MANIFESTS = {
    "lines": "# the parts\na.csv\t3\n\nsub/b.csv\n",
    "json": json.dumps([{"name": "a.csv", "size": 3}, "sub/b.csv"]),
    "entries": json.dumps({"entries": [{"path": "a.csv", "bytes": 3}, {"file": "sub/b.csv"}]}),
}


@pytest.mark.parametrize("form", MANIFESTS)
def test_everything_that_a_manifest_lists_must_be_there_in_full(tmp_path: Path, form: str) -> None:
    condition = File(path=f"{tmp_path}/*", manifest="delivery.txt")
    write(tmp_path / "a.csv", "12")
    assert ask(condition).seen == "delivery.txt is missing"
    write(tmp_path / "delivery.txt", MANIFESTS[form])
    assert ask(condition).seen == "a.csv has 2 of 3 bytes; sub/b.csv is missing"
    write(tmp_path / "a.csv", "123")
    write(tmp_path / "sub/b.csv")
    assert ask(condition).found


@pytest.mark.parametrize("text", ['[{"name": "a.csv"', "a.csv\tmany", '{"parts": 3}', "[3]"])
def test_a_manifest_that_is_half_written_is_waited_for(tmp_path: Path, text: str) -> None:
    write(tmp_path / "a.csv")
    write(tmp_path / "list", text)
    answer = ask(File(path=f"{tmp_path}/a.csv", manifest="list"))
    assert not answer.found
    assert answer.seen.startswith(("list is no manifest, or not written to its end: ", "a.csv"))


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "file:///etc/passwd", "a/../../b"])
def test_a_manifest_doesnt_lead_out_of_its_folder(tmp_path: Path, name: str) -> None:
    write(tmp_path / "a.csv")
    write(tmp_path / "list", name)
    with pytest.raises(Exception, match="leads out of the folder"):
        ask(File(path=f"{tmp_path}/a.csv", manifest="list"))
