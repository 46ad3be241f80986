"""Given `window: modified`, then a window's files are those that were changed in it, and stay those."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.ledger import Ledger
from spark_jobs.points import HOOK
from spark_jobs.window import Window
from tests.spark_jobs.plans import day
from tests.spark_jobs.windows import Windows

pytestmark = pytest.mark.spark

APPEND = {"strategy": "append"}
MERGE = {"strategy": "merge", "keys": ["id"], "sequence": ["id"]}


def moment(number: int, hour: int = 0) -> datetime:
    return datetime(2013, 1, number, hour, tzinfo=UTC)


class Drops(Windows):
    """A folder into which files come, each with a row."""

    def __init__(self, spark: Any, folder: Path, **write: dict[str, Any]) -> None:
        source = {"type": "files", "path": str(folder / "in"), "format": "csv", "window": "modified", "empty": "allow"}
        super().__init__(spark, folder, source | {"columns": {"id": {"type": "int"}}}, **write or {"lake": APPEND})
        (folder / "in").mkdir()

    def drop(self, name: str, row: object, when: datetime) -> Path:
        path = self.folder / "in" / name
        path.write_text(f"id\n{row}\n")
        os.utime(path, (when.timestamp(), when.timestamp()))
        return path

    def ids(self, load: str = "lake") -> list[int]:
        return [row[0] for row in self.rows("id", load=load)]


def test_each_file_is_in_one_window_and_a_repeat_reads_the_same_ones(spark: Any, tmp_path: Path) -> None:
    drops = Drops(spark, tmp_path)
    edges = [moment(1), moment(1, 23), moment(2) - timedelta(milliseconds=1), moment(2), moment(3)]
    for number, when in enumerate(edges, 1):
        drops.drop(f"ä'b +%20[{number}],\u2028.csv", number, when)
    assert drops.run(2).sources == {"rows": {"files": 1}}
    assert drops.run(1, staged=True).sources == {"rows": {"files": 3}}
    assert drops.ids() == [1, 2, 3, 4]
    drops.drop("new.csv", 6, moment(4))
    assert drops.run(1).sources == {"rows": {"files": 3, "repeated": True}}
    assert drops.ids() == [1, 2, 3, 4]
    (newest,) = list(Ledger(spark, drops.path()).commits(1))
    assert newest.entry["consumed"] == {"rows": {"files": 3}}


def test_a_file_that_has_changed_or_is_gone_is_told_and_what_to_do(spark: Any, tmp_path: Path) -> None:
    drops = Drops(spark, tmp_path)
    file = drops.drop("a.csv", 1, moment(1))
    drops.run(1)
    drops.drop("a.csv", 22, moment(1))
    told = drops.refused(1)
    assert f"data: file:{file}: the file has 6 bytes of 2013-01-01T00:00:00Z, and the window has read it with 5" in told
    drops.drop("a.csv", 2, moment(1, 1))
    assert "the file has 5 bytes of 2013-01-01T01:00:00Z" in drops.refused(1)
    file.unlink()
    assert "the file is gone" in drops.refused(1)
    assert drops.ids() == [1]
    # The remedy it names.
    drops.drop("a.csv", 3, moment(1, 2))
    from delta import DeltaTable

    side, unit = f"{drops.path()}/_etl_files/flights.lake", "etl:flights:lake:2013-01-01T00:00:00Z/2013-01-02T00:00:00Z"
    told = drops.refused(1)
    assert f"such as {side}, delete the rows with __etl_unit__ = '{unit}', and run it" in told
    DeltaTable.forPath(spark, side).delete(f"__etl_unit__ = '{unit}'")
    drops.run(1)
    assert drops.ids() == [3]
    # A file that is changed later is a file of that window too.
    drops.drop("a.csv", 4, moment(2))
    drops.run(2)
    assert drops.ids() == [3, 4]


def test_a_file_that_comes_late_is_never_lost_silently(spark: Any, tmp_path: Path) -> None:
    drops = Drops(spark, tmp_path)
    drops.run(1)  # nothing was there, which is kept too
    drops.drop("b.csv", 2, moment(2))
    late = drops.drop("late.csv", 1, moment(1, 5))
    told = drops.refused(2)
    window = "2013-01-01T00:00:00Z/2013-01-02T00:00:00Z"
    assert "1 files came late, into windows that were loaded without them" in told
    assert f"file:{late} (of 2013-01-01T05:00:00Z, window {window})" in told
    assert "touch them" in told
    assert "1 files came late" in drops.refused(1)
    drops.source["late_files"] = "warn"
    assert drops.run(2).sources == {"rows": {"files": 1, "late": [f"file:{late}"]}}
    assert drops.ids() == [2]
    drops.source.pop("late_files")
    drops.drop("late.csv", 1, moment(3))  # touched
    drops.drop("early.csv", 9, moment(1) - timedelta(days=9))  # in a window that nobody has run
    drops.run(3)
    assert drops.ids() == [1, 2]


def test_a_window_over_others_needs_the_files_that_those_have_read(spark: Any, tmp_path: Path) -> None:
    drops = Drops(spark, tmp_path)
    first = drops.drop("a.csv", 1, moment(1))
    drops.drop("b.csv", 2, moment(2))
    for window in (1, 2):
        drops.run(window)
    first.unlink()
    told = drops.refused(day(1, days=2))
    span = "2013-01-01T00:00:00Z/2013-01-02T00:00:00Z"
    assert f"file:{first}: the file is gone, and window {span}, which this one covers, has read it" in told
    assert "or run windows as they were cut" in told
    assert drops.ids() == [1, 2]
    drops.drop("a.csv", 1, moment(1))
    assert drops.run(day(1, days=2)).sources == {"rows": {"files": 2}}
    assert drops.ids() == [1, 2]
    first.unlink()
    assert "the file is gone" in drops.refused(day(1, days=3)), "the wider window counts now"


def test_a_window_that_is_not_over_waits(spark: Any, tmp_path: Path) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    told = Drops(spark, tmp_path).refused(Window(start=start, end=start + timedelta(hours=2)))
    assert told.startswith("infrastructure: extract.rows: the window")
    assert "isn't over: files may still come into it" in told


@pytest.mark.prove
def test_what_an_attempt_has_read_that_died_binds_nobody(spark: Any, tmp_path: Path) -> None:
    drops = Drops(spark, tmp_path, lake=APPEND, keyed=MERGE)
    drops.drop("a.csv", 1, moment(1))
    died = _dying(drops, "before commit")
    assert died.error is not None
    drops.drop("a.csv", 2, moment(1))  # mended in between
    assert drops.run(1).sources == {"rows": {"files": 1}}
    assert (drops.ids(), drops.ids("keyed")) == ([2], [2])
    drops.drop("b.csv", 3, moment(1))
    drops.source["late_files"] = "warn"
    # Between the two loads: one has the window's files, and the other gets the same.
    drops.drop("c.csv", 7, moment(2))
    second = _dying(drops, "after commit", window=2)
    assert second.error is not None
    drops.drop("d.csv", 8, moment(2))
    assert drops.run(2).sources["rows"]["files"] == 1
    assert (drops.ids(), drops.ids("keyed")) == ([2, 7], [2, 7])


def _dying(drops: Drops, point: str, window: int = 1) -> Any:
    """A run that fails at a point."""

    def die(reached: str) -> None:
        if reached == point:
            raise OSError("died")

    HOOK.reached = die
    try:
        return drops.attempt(window)
    finally:
        HOOK.reached = None


def test_a_load_that_can_not_keep_them_is_refused(spark: Any, tmp_path: Path) -> None:
    told = Drops(spark, tmp_path, lake={"strategy": "snapshot"}).refused(1)
    assert "config: extract.rows: load 'lake' doesn't keep what a window has read of source 'rows'" in told
    assert "snapshot keeps the newest window alone" in told


def test_a_file_that_was_left_out_as_a_repeat_is_no_late_one(spark: Any, tmp_path: Path) -> None:
    drops = Drops(spark, tmp_path)
    drops.source["repeated_files"] = "skip"
    for name in ("a.csv", "again.csv"):
        drops.drop(name, 1, moment(1))
    assert drops.run(1).sources == {"rows": {"files": 2}}
    drops.drop("b.csv", 2, moment(2))
    drops.run(2)
    assert drops.run(1).sources == {"rows": {"files": 2, "repeated": True}}
    assert drops.ids() == [1, 2]
