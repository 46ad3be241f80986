"""Given two sources and a query over them, when a window runs, then its rows start datasets, and all counts balance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs import run as entry
from spark_jobs.plan import VERBS, Plan
from spark_jobs.report import DatasetCounts, Report
from tests.spark_jobs.plans import attempt, day, plan

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

ORDERS = ["1,a,2013-01-01 10:00", "2,b,2013-01-01 11:00", "3,z,2013-01-02 00:00", "x,a,2013-01-01 12:00"]
NAMED = "SELECT o.id, o.at, c.`na.me` FROM orders o LEFT JOIN `custom ers` c ON o.who = c.code"


class Window:
    """The window of 1 January, over a folder."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        (folder / "orders.csv").write_text("\n".join(["id,who,at", *ORDERS, ""]))
        (folder / "customers.csv").write_text("code,na.me\na,Ann\nb,Ünal\nc,nobody\n")

    def files(self, name: str, **columns: str) -> dict[str, Any]:
        given = {column: {"type": kind} for column, kind in columns.items()}
        path = str(self.folder / f"{name}.csv")
        return {"type": "files", "path": path, "format": "csv", "columns": given, "window": "all"}

    def run(self, source: dict[str, Any], verbs: tuple[str, ...], previous: Report | None = None) -> Report:
        load = {"type": "delta", "path": str(self.folder / "lake"), "write": {"strategy": "append"}}
        made = plan(self.folder, day(1), attempt(1 + len(previous.verbs) if previous else 1)).to_json() | {
            "verbs": list(verbs),
            "extract": {
                "orders": self.files("orders", id="int", who="string", at="timestamp"),
                "custom ers": self.files("customers"),
                "named": {"type": "sql", **source},
            },
            "transform": {
                "result": {"from": "named", "steps": [{"filter": {"where": "id IS NOT NULL"}}]},
                "spare": {"from": "orders", "steps": []},
            },
            "load": {"lake": {"from": "result", **load}},
            "previous": previous.to_json() if previous else None,
        }
        return entry.run(Plan.from_json(json.loads(json.dumps(made))), lambda *_: self.spark)

    def loaded(self) -> list[Any]:
        rows = self.spark.read.format("delta").load(str(self.folder / "lake")).drop("_pipeline")
        return sorted((row["id"], row["na.me"]) for row in rows.collect())


@pytest.mark.parametrize("execution", ["fused", "staged"])
def test_a_query_reads_the_sources_above_it(spark: SparkSession, tmp_path: Path, execution: str) -> None:
    window, report = Window(spark, tmp_path), None
    source = {"query": NAMED, "window": {"column": "at"}}
    for verbs in [VERBS] if execution == "fused" else [(verb,) for verb in VERBS]:
        report = window.run(source, verbs, report)
        assert report.error is None
    assert report is not None
    assert window.loaded() == [(1, "Ann"), (2, "Ünal")]
    assert report.datasets["orders"] == DatasetCounts(read=4, rows=3, quarantined=1)
    assert report.datasets["custom ers"] == DatasetCounts(read=3, rows=3)
    assert report.datasets["named"] == DatasetCounts(read=2, rows=2)
    assert report.datasets["result"] == DatasetCounts(read=2, rows=2)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"query": "SELECT * FROM nosuch"}, "cannot be found"),
        ({"query": "SELECT * FROM named"}, "cannot be found"),
        ({"query": "SELECT idd FROM orders"}, "unknown column 'idd'"),
        ({"query": "SELECT * FROM csv.`/etc/passwd`"}, "cannot be found"),
        ({"query": "SELECT TRANSFORM(who) USING 'cat' AS (x STRING) FROM orders"}, "runs a program"),
        ({"query": "SELECT java_method('java.lang.Math', 'random') FROM orders"}, "runs Java code"),
        ({"query": "SELECT id, who FROM orders", "window": {"column": "at"}}, "unknown column 'at'"),
        ({"query": "SELECT id, who AS at FROM orders", "window": {"column": "at"}}, "extract.named"),
    ],
)
def test_what_it_may_not_read_is_an_error_of_the_file(
    spark: SparkSession, tmp_path: Path, source: dict[str, Any], words: str
) -> None:
    report = Window(spark, tmp_path).run(source, ("extract",))
    assert report.error is not None
    assert report.error["kind"] == "config"
    assert words in f"{report.error['where']}: {report.error['message']}"
