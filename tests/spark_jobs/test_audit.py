"""Given `audit_columns: true`, then rows say where they came from and when they were read, and nothing else changes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import run as entry
from spark_jobs.plan import VERBS, Plan
from spark_jobs.report import Report
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

MERGE: dict[str, Any] = {"strategy": "merge", "keys": ["id"], "sequence": "at"}
SCD2: dict[str, Any] = {"strategy": "scd2", "keys": ["id"], "valid_from": "at"}


class Audited:
    """A pipeline over two files with a row in common, a query over them, and a table."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        (folder / "in").mkdir()
        (folder / "in/a b+ü.csv").write_text("id,at,name\n1,2013-01-01,Ann\n2,2013-01-01,Bob\n")
        (folder / "in/z.csv").write_text("id,at,name\n2,2013-01-01,Bob\nx,2013-01-01,Cid\n")
        spark.range(1).write.format("delta").save(str(folder / "bronze"))
        types = {"id": {"type": "int"}, "at": {"type": "timestamp"}}
        self.extract: dict[str, Any] = {
            "people": {"type": "files", "path": str(folder / "in"), "format": "csv", "window": "all", "columns": types},
            "named": {"type": "sql", "query": "SELECT id, name FROM people"},
            "ids": {"type": "table", "path": str(folder / "bronze"), "window": "all"},
        }
        self.steps: list[dict[str, Any]] = [{"clean": {"duplicates": "drop"}}]

    def run(self, second: float, *, audit: bool = True, verbs: tuple[tuple[str, ...], ...] = (VERBS,)) -> Report:
        report: Report | None = None
        loads = {"merged": ("rows", MERGE), "history": ("rows", SCD2), "asked": ("asked", {"strategy": "snapshot"})}
        loads["ids"] = ("read", {"strategy": "snapshot"})
        for place, some in enumerate(verbs):
            made = plan(self.folder, day(1), attempt(second + place)).to_json() | {
                "verbs": list(some),
                "extract": {name: item | {"audit_columns": audit} for name, item in self.extract.items()},
                "transform": {
                    "rows": {"from": "people", "steps": self.steps},
                    "asked": {"from": "named", "steps": []},
                    "read": {"from": "ids", "steps": []},
                },
                "load": {
                    name: {"from": source, "type": "delta", "path": str(self.folder / name), "write": write}
                    for name, (source, write) in loads.items()
                },
                "previous": report.to_json() if report else None,
            }
            report = entry.run(Plan.from_json(json.loads(json.dumps(made))), lambda *_: self.spark)
            assert report.error is None
        assert report is not None
        return report

    def rows(self, name: str) -> list[dict[str, Any]]:
        frame = self.spark.read.format("delta").load(str(self.folder / name))
        return [row.asDict() for row in frame.orderBy("id").collect()]


def test_rows_say_where_they_came_from_and_a_repeat_changes_nothing_else(spark: Any, tmp_path: Path) -> None:
    audited = Audited(spark, tmp_path)
    report = audited.run(1)
    # The row that both files have is one row, and says the first of them.
    assert report.datasets["rows"].deduplicated == 1
    merged, first = audited.rows("merged"), datetime(2026, 1, 1, 0, 0, 1)  # noqa: DTZ001 - the session's zone is UTC
    assert [row["_source"] for row in merged] == [f"file:{tmp_path}/in/a b+ü.csv"] * 2
    assert {row["_extracted_at"] for row in merged} == {first}
    assert {row["_source"] for row in audited.rows("ids")} == {str(tmp_path / "bronze")}
    assert {(row["_source"], row["_extracted_at"]) for row in audited.rows("history")} == {
        (merged[0]["_source"], first)
    }
    again = audited.run(50, verbs=(("extract",), ("transform", "check", "load")))
    assert again.loads["merged"].rows_updated == again.loads["history"].rows_updated == 0
    assert audited.rows("merged") == merged
    # One instant for all that one application reads, though others load it later.
    assert {row["_extracted_at"] for row in audited.rows("ids")} == {first.replace(second=50)}
    quarantined = spark.read.format("delta").load(str(tmp_path / "quarantine/flights"))
    assert not quarantined.where("raw LIKE '%_extracted_at%'").count()
    # Rows of a moved file are the same rows.
    (tmp_path / "in/a b+ü.csv").rename(tmp_path / "in/b.csv")
    moved = audited.run(90)
    assert moved.loads["merged"].rows_updated == moved.loads["history"].rows_updated == 0


def test_a_column_that_is_called_so_already_stops(spark: Any, tmp_path: Path) -> None:
    audited = Audited(spark, tmp_path)
    for name, change in (
        ("people", {"columns": {"id": {"type": "int"}, "_Source": {"type": "string"}}}),
        ("named", {"query": "SELECT id, name AS _extracted_at FROM people"}),
    ):
        before = audited.extract[name]
        audited.extract[name] = before | change
        with pytest.raises(AssertionError, match=r"the source has a column '_(Source|extracted_at)' itself"):
            audited.run(1)
        audited.extract[name] = before


def test_a_source_says_nothing_of_a_user_or_password(spark: Any) -> None:
    from spark_jobs.audit import origin

    azure = [f"{scheme}://bronze@acct.host/a@b.csv" for scheme in ("abfs", "abfss", "wasb", "wasbs")]
    places = ["s3a://user:pw@host/x", "sftp://u:p@ss@h/x@y", "file:/a@b/c.csv", "/a@b/c", "crm: sales.o@x", *azure]
    frame = spark.createDataFrame([(place,) for place in places], "p string")
    told = [row[0] for row in frame.select(origin(frame["p"])).collect()]
    assert told == ["s3a://host/x", "sftp://h/x@y", *places[2:]]
