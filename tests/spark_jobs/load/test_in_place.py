"""A fused run into a table that is there writes rows once: where the table's files are, unseen until the commit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.load.in_place import write
from spark_jobs.load.new_table import alter
from spark_jobs.points import HOOK
from spark_jobs.staging import Staging
from spark_jobs.transaction import Transaction
from tests.spark_jobs.test_run import DAY_ONE, Pipeline

pytestmark = pytest.mark.spark

DAY_TWO = "id,carrier,at,delay\n4,AA,2013-01-02 10:00:00,5\n5,AA,2013-01-02 11:00:00,6\n6,BB,2013-01-02 12:00:00,7\n"
MENDED = "id,carrier,at,delay\n7,AA,2013-01-01 10:00:00,5\n"


@pytest.fixture
def pipeline(spark: Any, tmp_path: Path) -> Pipeline:
    made = Pipeline(spark, tmp_path)
    made.drop(1, DAY_ONE)
    made.drop(2, DAY_TWO)
    return made


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the datasets that were staged as files of their own."""
    found: list[str] = []
    write = Staging.write

    def noted(self: Staging, rows: Any, verb: str, dataset: str) -> Any:
        found.append(dataset)
        return write(self, rows, verb, dataset)

    monkeypatch.setattr(Staging, "write", noted)
    return found


@pytest.fixture
def at() -> Iterator[dict[str, Any]]:
    """Point -> what happens there, once."""
    found: dict[str, Any] = {}
    HOOK.reached = lambda point: found.pop(point, lambda: None)()
    yield found
    HOOK.reached = None


def files(pipeline: Pipeline) -> set[str]:
    return {str(path.relative_to(pipeline.table)) for path in Path(pipeline.table).rglob("*.parquet")}


def history(pipeline: Pipeline) -> dict[str, str]:
    from delta import DeltaTable

    row = DeltaTable.forPath(pipeline.spark, pipeline.table).history(1).first()
    assert row is not None
    return dict(row["operationMetrics"])


@pytest.mark.parametrize("strategy", ["replace_window", "append", "snapshot"])
def test_rows_are_written_once_and_the_table_is_as_ever(pipeline: Pipeline, staged: list[str], strategy: str) -> None:
    pipeline.write = {"strategy": strategy} | ({"column": "at"} if strategy == "replace_window" else {})
    pipeline.fused(1, 1)
    assert "result" in staged, "before the checks there is no table yet"
    staged.clear()
    report = pipeline.fused(2, 2)
    assert report.error is None
    assert "result" not in staged
    both = [(1,), (3,), (4,), (5,), (6,)]
    assert pipeline.rows() == (both[2:] if strategy == "snapshot" else both)
    told = report.loads["lake"]
    assert (told.state, told.rows_inserted, report.datasets["result"].rows) == ("loaded", 3, 3)
    assert history(pipeline)["numOutputRows"] == "3"
    pipeline.drop(2, MENDED.replace("01-01", "01-02"))
    again = pipeline.fused(2, 3).loads["lake"]
    assert (again.rows_inserted, again.rows_deleted) == (1, 0 if strategy == "snapshot" else 3)
    assert pipeline.rows() == ([(7,)] if strategy == "snapshot" else [(1,), (3,), (7,)])


def test_a_file_that_holds_other_windows_too_keeps_their_rows(pipeline: Pipeline, staged: list[str]) -> None:
    from delta import DeltaTable

    pipeline.fused(1, 1)
    pipeline.fused(2, 2)
    DeltaTable.forPath(pipeline.spark, pipeline.table).optimize().executeCompaction()
    staged.clear()
    pipeline.drop(1, MENDED)
    report = pipeline.fused(1, 3)
    assert report.error is None
    told = report.loads["lake"]
    assert "result" not in staged
    assert (told.rows_inserted, told.rows_deleted) == (1, 2)
    assert pipeline.rows() == [(4,), (5,), (6,), (7,)]
    before, late = files(pipeline), pipeline.fused(1, 2.5)
    assert (late.loads["lake"].state, files(pipeline)) == ("superseded", before), "what came too late leaves no file"


def test_checks_see_what_was_written_and_a_failed_one_leaves_no_file(pipeline: Pipeline) -> None:
    pipeline.fused(1, 1)
    before = files(pipeline)
    for more in ([], [{"not_in_set": {"column": "carrier", "values": ["BB"], "on_fail": "quarantine"}}]):
        pipeline.checks = [{"in_range": {"column": "delay", "max": 5}}, *more]
        report = pipeline.fused(2, 2)
        assert report.state == "failed"
        assert report.error is not None
        assert "2 of 3 values" in report.error["message"], "one of them would have been set aside, too"
        assert (files(pipeline), pipeline.rows()) == (before, [(1,), (3,)])


def test_rows_that_a_check_sets_aside_leave_no_file(pipeline: Pipeline, staged: list[str]) -> None:
    pipeline.fused(1, 1)
    before, _ = files(pipeline), staged.clear()
    pipeline.checks = [
        {"in_range": {"column": "delay", "max": 6, "on_fail": "quarantine"}},
        {"matches": {"column": "carrier", "regex": "^(AA|BB)$"}},
        {"in_set": {"column": "carrier", "values": ["AA"], "on_fail": "warn"}},
    ]
    report = pipeline.fused(2, 2)
    assert (report.error, report.loads["lake"].rows_inserted) == (None, 2)
    assert [(found.observed, found.unexpected_count) for found in report.checks] == [(3, 1), (3, 0), (3, 1)]
    assert "result" not in staged, "the good rows were written where they belong, too"
    assert pipeline.rows() == [(1,), (3,), (4,), (5,)]
    assert [row[1] for row in pipeline.quarantined(2)] == ["check"]
    [left] = files(pipeline) - before
    assert "etl_refused=false" in left, "good rows were written once, apart from the bad one, whose file is gone"


def test_rows_that_go_one_sort_after_the_other_take_nothing_else_along(pipeline: Pipeline) -> None:
    pipeline.write |= {"outside": "quarantine"}
    pipeline.fused(1, 1)
    before = files(pipeline)
    pipeline.checks = [{"unique": {"columns": ["id"], "on_fail": "quarantine"}}]
    twice = "5,AA,2013-01-02 11:00:00,6\n"
    pipeline.drop(2, DAY_TWO + twice + "8,BB,2013-01-05 12:00:00,7\n")
    report = pipeline.fused(2, 2)
    assert report.error is None
    assert report.loads["lake"].rows_inserted == 2
    assert pipeline.rows() == [(1,), (3,), (4,), (6,)]
    assert sorted(row[1] for row in pipeline.quarantined(2)) == ["check", "check", "load"]
    held = {Path(path).name for path in pipeline.spark.read.format("delta").load(pipeline.table).inputFiles()}
    assert {Path(name).name for name in files(pipeline) - before} <= held, "no other file is left"


@pytest.mark.prove
def test_rows_that_go_are_apart_in_every_part_of_a_layout(spark: Any, tmp_path: Path) -> None:
    from pyspark.sql import functions as F  # noqa: N812

    layout, table = ("day", "at", "share", "new"), str(tmp_path / "table")
    rows = spark.range(600, numPartitions=2).selectExpr(
        "id",
        "concat('ü%=/\\n', id) AS words",
        "CASE WHEN id % 7 > 0 THEN DATE '2013-03-30' + CAST(id % 7 AS INT) END AS day",
        "CASE WHEN id % 5 > 0 THEN timestamp_micros(1382832900123456 + id % 5 * 3600000000) END AS at",
        "CAST(id % 3 AS DECIMAL(6,2)) / 4 AS share",
        "CASE WHEN id % 11 > 0 THEN id % 2 = 0 END AS new",
    )
    rows.limit(0).write.format("delta").partitionBy(*layout).save(table)
    written = write(spark, table, rows, rows.columns, (), ordered=True, refused=F.expr("id % 10 = 3"))
    assert written is not None
    assert written.refused is not None
    assert (written.rows, written.refused.rows) == (540, 60)
    assert written.refused.read().where("id % 10 <> 3").isEmpty()
    transaction = Transaction(spark, table)
    transaction.put(written.files, written.rows, None)
    transaction.commit({})
    held, wanted = spark.read.format("delta").load(table), rows.where("id % 10 <> 3")
    assert held.exceptAll(wanted).isEmpty()
    assert held.count() == 540
    for part in (
        "day IS NULL",
        "at IS NULL AND new",
        "at = TIMESTAMP '2013-10-27 01:15:00.123456Z'",
        "share = 0.5 AND id > 90",
    ):
        assert held.where(part).count() == wanted.where(part).count() > 0, part


def test_a_window_that_came_in_between_is_no_harm(pipeline: Pipeline, at: dict[str, Any], staged: list[str]) -> None:
    pipeline.fused(1, 1)
    staged.clear()
    pipeline.drop(1, MENDED)
    at["before commit"] = lambda: pipeline.fused(1, 3)
    report = pipeline.fused(2, 2)
    assert report.error is None
    assert "result" not in staged
    assert pipeline.rows() == [(4,), (5,), (6,), (7,)]


def test_a_table_that_is_laid_out_anew_meanwhile_gets_a_copy(pipeline: Pipeline, at: dict[str, Any]) -> None:
    pipeline.fused(1, 1)

    def anew() -> None:
        held = pipeline.spark.read.format("delta").load(pipeline.table)
        writer = held.write.format("delta").mode("overwrite").option("overwriteSchema", "true")
        writer.partitionBy("carrier").save(pipeline.table)

    at["audited"] = anew
    report = pipeline.fused(2, 2)
    assert report.error is None
    assert pipeline.rows() == [(1,), (3,), (4,), (5,), (6,)]
    carriers = pipeline.spark.read.format("delta").load(pipeline.table).where("id > 3").select("carrier").collect()
    assert sorted(row[0] for row in carriers) == ["AA", "AA", "BB"]


@pytest.mark.prove
def test_a_new_column_and_a_table_that_records_its_changes_are_staged(pipeline: Pipeline, staged: list[str]) -> None:
    pipeline.fused(1, 1)
    staged.clear()
    pipeline.drop(2, "id,carrier,at,delay,more\n4,AA,2013-01-02 10:00:00,5,x\n")
    assert pipeline.fused(2, 2).loads["lake"].rows_inserted == 1
    assert staged.count("result") == 1
    own = pipeline.spark.newSession()
    own.conf.set("spark.sql.runSQLOnFiles", "true")
    own.sql(f"ALTER TABLE delta.`{pipeline.table}` SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')")
    assert pipeline.fused(2, 3).error is None
    assert staged.count("result") == 2
    changes = pipeline.spark.read.format("delta").option("readChangeFeed", "true").option("startingVersion", "4")
    found = changes.load(pipeline.table).select("_change_type", "id").collect()
    assert sorted(tuple(row) for row in found) == [("delete", 4), ("insert", 4)]


def test_a_window_that_is_committed_at_the_same_moment_makes_it_try_again(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, staged: list[str]
) -> None:
    pipeline.fused(1, 1)
    pipeline.fused(2, 2)
    from delta import DeltaTable

    DeltaTable.forPath(pipeline.spark, pipeline.table).optimize().executeCompaction()
    staged.clear()
    tries, commit = [], Transaction.commit

    def late(self: Transaction, entry: Any) -> int:
        tries.append(entry["unit"])
        if len(tries) == 1:
            pipeline.drop(1, MENDED)
            pipeline.fused(1, 4)  # it takes the file that both windows share
        return commit(self, entry)

    monkeypatch.setattr(Transaction, "commit", late)
    report = pipeline.fused(2, 3)
    assert (report.error, report.loads["lake"].rows_inserted, report.loads["lake"].rows_deleted) == (None, 3, 3)
    assert len(tries) == 3, "the second window's twice, the first's in between"
    assert "result" not in staged
    assert pipeline.rows() == [(4,), (5,), (6,), (7,)]


def test_an_empty_window_clears_what_was_there(pipeline: Pipeline, staged: list[str]) -> None:
    pipeline.fused(1, 1)
    pipeline.fused(2, 2)
    staged.clear()
    pipeline.checks = []
    pipeline.drop(2, "id,carrier,at,delay\n")
    told = pipeline.fused(2, 3).loads["lake"]
    assert ("result" not in staged, told.rows_inserted, told.rows_deleted) == (True, 0, 3)
    assert pipeline.rows() == [(1,), (3,)]


@pytest.mark.parametrize("vectors", [pytest.param(False, marks=pytest.mark.prove), True])
def test_rows_that_go_are_counted_with_and_without_deletion_vectors(pipeline: Pipeline, vectors: bool) -> None:
    from delta import DeltaTable

    pipeline.fused(1, 1)
    pipeline.fused(2, 2)
    alter(
        pipeline.spark, pipeline.table, f"SET TBLPROPERTIES ('delta.enableDeletionVectors' = '{str(vectors).lower()}')"
    )
    DeltaTable.forPath(pipeline.spark, pipeline.table).optimize().executeCompaction()
    pipeline.drop(1, MENDED)
    told = pipeline.fused(1, 3).loads["lake"]
    assert (told.rows_inserted, told.rows_deleted) == (1, 2)
    assert pipeline.rows() == [(4,), (5,), (6,), (7,)]
    pipeline.drop(1, "id,carrier,at,delay\n")
    pipeline.checks = []
    told = pipeline.fused(1, 4).loads["lake"]
    assert (told.rows_inserted, told.rows_deleted) == (0, 1)
    assert pipeline.rows() == [(4,), (5,), (6,)]


@pytest.mark.parametrize(
    "statement",
    [
        "ADD CONSTRAINT small CHECK (id > 0)",
        "SET TBLPROPERTIES ('delta.appendOnly' = 'false')",
        "SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'TRUE')",
    ],
)
def test_a_table_that_asks_for_more_gets_rows_once_they_are_checked(
    pipeline: Pipeline, staged: list[str], statement: str
) -> None:
    pipeline.fused(1, 1)
    alter(pipeline.spark, pipeline.table, statement)
    staged.clear()
    pipeline.checks = [{"in_range": {"column": "delay", "max": 5, "on_fail": "quarantine"}}]
    report = pipeline.fused(2, 2)
    assert (report.error, report.loads["lake"].rows_inserted) == (None, 1)
    assert "result" in staged


def test_files_that_a_vacuum_took_are_missed_before_the_commit(pipeline: Pipeline, at: dict[str, Any]) -> None:
    pipeline.fused(1, 1)
    before = files(pipeline)

    def vacuum() -> None:
        for name in files(pipeline) - before:
            (Path(pipeline.table) / name).unlink()

    at["before commit"] = vacuum
    report = pipeline.fused(2, 2)
    assert report.error is not None
    assert "a VACUUM has removed them" in report.error["message"]
    assert pipeline.rows() == [(1,), (3,)]


def test_other_partitions_than_the_tables_are_refused_as_ever(pipeline: Pipeline) -> None:
    pipeline.fused(1, 1)
    pipeline.more = {"partition_by": ["carrier"]}
    report = pipeline.fused(2, 2)
    assert report.state == "failed"
    assert pipeline.rows() == [(1,), (3,)]
