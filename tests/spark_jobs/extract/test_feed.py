"""Given `changes: true`, then each version is in one window, none is left out, and a repeat reads the same."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.history import History
from spark_jobs.ledger import Ledger
from spark_jobs.points import HOOK
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import day
from tests.spark_jobs.windows import Windows

pytestmark = pytest.mark.spark

CDC = {
    "strategy": "cdc",
    "keys": ["id"],
    "sequence": ["_commit_version", "_change_order"],
    "operation": "_change_type",
}
APPEND = {"strategy": "append"}
AT = datetime(2013, 1, 1)  # noqa: DTZ001 - Spark's session is in UTC


class Chain(Windows):
    """Bronze, whose change feed is loaded by key and as a log."""

    def __init__(self, spark: Any, folder: Path, **write: dict[str, Any]) -> None:
        self.bronze = str(folder / "bronze")
        super().__init__(
            spark,
            folder,
            {"type": "table", "path": self.bronze, "changes": True},
            **write or {"lake": CDC, "log": APPEND},
        )

    def make(self, *rows: tuple[int, str]) -> None:
        own = self.spark.newSession()
        own.conf.set("spark.databricks.delta.properties.defaults.enableChangeDataFeed", "true")
        frame(own, rows, "id INT, name STRING").coalesce(1).write.format("delta").mode("append").save(self.bronze)

    def change(self, what: str) -> None:
        own = self.spark.newSession()
        own.conf.set("spark.sql.runSQLOnFiles", "true")
        own.sql(what.replace("bronze", f"delta.`{self.bronze}`"))

    def source_rows(self) -> list[tuple[Any, ...]]:
        return sorted(tuple(row) for row in self.spark.read.format("delta").load(self.bronze).collect())

    def log(self) -> list[tuple[Any, ...]]:
        return self.rows("_commit_version", "_change_order", "_change_type", "id", "name", load="log")

    def feed(self, report: Any) -> tuple[int, int]:
        return report.sources["rows"]["feed"]["first"], report.sources["rows"]["feed"]["last"]


@pytest.mark.prove
def test_bronze_and_silver_end_alike_whatever_has_changed(spark: Any, tmp_path: Path) -> None:
    chain = Chain(spark, tmp_path)
    chain.make((1, "a"), (2, "b"), (3, "c"))
    first = chain.run(1)
    assert first.sources["rows"]["feed"]["whole"] is True
    chain.change("UPDATE bronze SET name = 'A' WHERE id = 1")
    chain.change("DELETE FROM bronze WHERE id = 2")
    chain.change("UPDATE bronze SET id = 33 WHERE id = 3")  # the key itself
    chain.change("INSERT OVERWRITE bronze SELECT id, concat(name, '!') FROM bronze")  # every key goes and comes
    second = chain.run(2, staged=True)
    assert chain.feed(second) == (1, 4)
    assert chain.rows("id", "name") == chain.source_rows() == [(1, "A!"), (33, "c!")]
    before = chain.log()
    assert chain.feed(chain.run(3)) == (5, 4)  # nothing new is a window too
    chain.make((4, "d"))
    for window in (2, 1):
        chain.run(window)
    assert chain.log() == before
    assert chain.rows("id", "name") == [(1, "A!"), (33, "c!")]
    assert before[:3] == [(0, 1, "insert", 1, "a"), (0, 1, "insert", 2, "b"), (0, 1, "insert", 3, "c")]
    assert before[3:6] == [(1, 0, "delete", 1, "a"), (1, 1, "update", 1, "A"), (2, 0, "delete", 2, "b")]


def _dying(chain: Chain, point: str, window: int) -> Any:
    def die(reached: str) -> None:
        if reached == point:
            raise OSError("died")

    HOOK.reached = die
    try:
        return chain.attempt(window)
    finally:
        HOOK.reached = None


def test_no_version_is_read_twice_or_left_out_where_a_run_dies(spark: Any, tmp_path: Path) -> None:
    chain = Chain(spark, tmp_path, log=APPEND)
    chain.make((1, "a"))
    chain.make((2, "b"))
    assert _dying(chain, "after side commit", 1).error is not None  # versions are taken, nothing is loaded
    chain.make((3, "c"))
    told = chain.refused(2)
    assert "window 2013-01-01T00:00:00Z/2013-01-02T00:00:00Z has taken version 1 as a whole, and load log" in told
    assert told.startswith("infrastructure: extract.rows")
    assert chain.feed(chain.run(1)) == (0, 1)
    assert [row[3] for row in chain.log()] == [1, 2]
    assert _dying(chain, "after commit", 2).error is not None
    chain.make((4, "d"))
    assert chain.feed(chain.run(3)) == (3, 3)
    assert chain.feed(chain.run(2)) == (2, 2)
    assert [row[3] for row in chain.log()] == [1, 2, 3, 4]


def test_two_windows_at_once_never_take_one_version_twice(spark: Any, tmp_path: Path) -> None:
    chain = Chain(spark, tmp_path, log=APPEND)
    chain.make((0, "z"))
    chain.run(1)
    for number in range(1, 3):
        chain.make((number, "x"))
        windows = (2 * number, 2 * number + 1)
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(chain.attempt, windows))
        assert any(report.error is None for report in reports)
        for window, report in zip(windows, reports, strict=True):
            if report.error is not None:
                assert report.error["kind"] == "infrastructure"
                chain.run(window)
    assert [row[3] for row in chain.log()] == [0, 1, 2]


def test_a_window_over_others_that_have_taken_their_versions_is_refused(spark: Any, tmp_path: Path) -> None:
    chain = Chain(spark, tmp_path, log=APPEND)
    chain.make((1, "a"))
    chain.run(1)
    chain.make((2, "b"))
    told = chain.refused(day(1, days=2))  # would replace the row of window 1, which it doesn't get
    assert "window 2013-01-01T00:00:00Z/2013-01-03T00:00:00Z overlaps 2013-01-01T00:00:00Z/2013-01-02T00:00:00Z" in told
    assert "run windows as they were cut, or load into another table" in told
    assert [row[3] for row in chain.log()] == [1]


@pytest.mark.prove
def test_a_load_that_is_added_gets_all_windows_in_whichever_order(spark: Any, tmp_path: Path) -> None:
    chain = Chain(spark, tmp_path, log=APPEND)
    for window in (1, 2):
        chain.make((window, "x"))
        chain.run(window)
    chain.write["late"] = APPEND
    chain.run(2)
    told = chain.refused(3)
    assert "T00:00:00Z/2013-01-02T00:00:00Z has taken version 0 as a whole, and load late hasn't got it" in told
    chain.run(1)
    assert chain.rows("id", load="late") == chain.rows("id", load="log") == [(1,), (2,)]


def test_a_version_pinned_before_others_took_more_moves_no_mark_back(spark: Any, tmp_path: Path) -> None:
    chain = Chain(spark, tmp_path, log=APPEND)
    chain.make((1, "a"))
    old = History(spark, chain.bronze).newest()
    chain.run(1)
    chain.make((2, "b"))
    chain.run(2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(History, "newest", lambda _: old)  # as another source of the same run has seen it
        assert chain.feed(chain.run(3)) == (2, 1)


def test_what_can_not_be_read_is_one_clear_error(spark: Any, tmp_path: Path) -> None:
    chain = Chain(spark, tmp_path, lake=CDC)
    frame(spark, [(1, "a")], "id INT, name STRING").write.format("delta").save(chain.bronze)
    chain.run(1)
    frame(spark, [(2, "b")], "id INT, name STRING").write.format("delta").mode("append").save(chain.bronze)
    told = chain.refused(2)
    assert f"config: {chain.bronze}: the table has recorded no changes for versions 1 to 1" in told
    assert "`change_feed: true` of the load that writes it" in told
    chain.change("ALTER TABLE bronze SET TBLPROPERTIES (delta.enableChangeDataFeed = true)")
    told = chain.refused(2)  # not since then
    assert "config: transform.r: [DELTA_MISSING_CHANGE_DATA] Error getting change data for range [1 , 2]" in told
    assert "load it into another table" in told
    (tmp_path / "other").mkdir()
    frame(spark, [(1, "x")], "id INT, _commit_version STRING").write.format("delta").save(str(tmp_path / "other/t"))
    odd = Chain(spark, tmp_path / "other", lake=CDC)
    odd.source["path"] = str(tmp_path / "other/t")
    assert "the table has a column '_commit_version', which the change feed has too" in odd.refused(1)
    shutil.rmtree(chain.bronze)
    Ledger(spark, chain.bronze).forget()
    chain.make((9, "new"))
    told = chain.refused(2)
    assert "the table was made anew since the last window has read it" in told
    assert chain.rows("id", "name") == [(1, "a")]
