"""Given a source that fans out into two datasets which are joined again, when a window runs, then no row is lost, none
is counted twice, and every load has its own: two of the joined dataset and one of a branch."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import run as entry
from spark_jobs.plan import VERBS, Plan
from spark_jobs.quarantine import Quarantine
from spark_jobs.report import DatasetCounts, Report
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark

# (flight, carrier, minute, delay): twelve records.
RECORDS = [
    *[(number, carrier, number, str(5 * number)) for number, carrier in enumerate("AAABBC", start=1)],
    (7, "A", 7, "-3"),  # not delayed
    (8, "C", 8, "-1"),  # neither
    (9, "D", 9, "0"),  # nor this one, and no other flight of D is
    (1, "A", 1, "5"),  # a repeat
    (10, "B", 10, "late"),  # no number: a bad record
    (11, "B", 11, "5000"),  # one that the branch's cast refuses
]
GOOD = 11  # all but the bad record
DELAYED = [1, 2, 3, 4, 5, 6]
# carrier -> records of it that are good
BUSY = {"A": 5, "B": 3, "C": 2, "D": 1}
DATASETS: dict[str, Any] = {
    "delayed": {
        "from": "flights",
        "steps": [
            {"filter": {"where": "delay > 0"}},
            {"dedupe": {"keys": ["flight"], "keep": "last"}},
            {"cast": {"columns": {"delay": "tinyint"}}},
        ],
    },
    "busy": {"from": "flights", "steps": [{"aggregate": {"by": ["carrier"], "values": {"flights": "count(*)"}}}]},
    "result": {
        "from": "delayed",
        "steps": [{"join": {"with": "busy", "on": ["carrier"], "how": "inner"}}],
    },
}


class Diamond:
    """The pipeline, over a folder."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        self.drop(RECORDS)
        self.checks: dict[str, Any] = {"result": [{"row_count": {"min": 1}}]}
        self.loads = {
            "lake": self.load("lake", "result", "replace_window"),
            "log": self.load("log", "result", "append"),
            "branch": self.load("branch", "delayed", "replace_window"),
        }

    def drop(self, records: list[tuple[int, str, int, str]]) -> None:
        lines = [f"{flight},{carrier},2013-01-01 10:{at:02}:00,{delay}" for flight, carrier, at, delay in records]
        (self.folder / "flights.csv").write_text("\n".join(["flight,carrier,at,delay", *lines, ""]))

    def load(self, name: str, dataset: str, strategy: str) -> dict[str, Any]:
        column = {"column": "at"} if strategy == "replace_window" else {}
        write = {"strategy": strategy, **column}
        return {"from": dataset, "type": "delta", "path": str(self.folder / name), "write": write}

    def run(self, verbs: tuple[str, ...], second: float, previous: Report | None) -> Report:
        columns = {"flight": "int", "carrier": "string", "at": "timestamp", "delay": "int"}
        made = plan(self.folder, day(1), attempt(second)).to_json() | {
            "verbs": list(verbs),
            "extract": {
                "flights": {
                    "type": "files",
                    "path": str(self.folder / "flights.csv"),
                    "format": "csv",
                    "columns": {name: {"type": kind} for name, kind in columns.items()},
                }
            },
            "transform": DATASETS,
            "check": self.checks,
            "load": self.loads,
            "previous": previous.to_json() if previous else None,
        }
        report = entry.run(Plan.from_json(json.loads(json.dumps(made))), lambda *_: self.spark)
        assert report.error is None
        return report

    def whole(self, execution: str) -> Report:
        """The report of a window that was run fused, or a verb after the other."""
        if execution == "fused":
            return self.run(VERBS, 1, None)
        report: Report | None = None
        for place, verb in enumerate(VERBS):
            report = self.run((verb,), place + 1, report)
        assert report is not None
        return report

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        frame = self.spark.read.format("delta").load(str(self.folder / table))
        columns = ["flight", "carrier", "delay", *(["flights"] if "flights" in frame.columns else [])]
        return sorted(tuple(row) for row in frame.select(*columns).collect())

    def set_aside(self) -> dict[str, int]:
        """Dataset -> rows of it in the quarantine table."""
        quarantine = Quarantine(folder=str(self.folder / "quarantine"), pipeline="flights")
        rows = self.spark.read.format("delta").load(quarantine.path).select("dataset").collect()
        return dict(Counter(row["dataset"] for row in rows))


@pytest.fixture
def diamond(spark: Any, tmp_path: Path) -> Diamond:
    return Diamond(spark, tmp_path)


def of_the_branch() -> list[tuple[Any, ...]]:
    return [(flight, carrier, int(delay)) for flight, carrier, _, delay in RECORDS[:6]]


@pytest.mark.parametrize("execution", ["fused", "staged"])
def test_every_load_has_its_rows_and_every_record_is_counted_once(diamond: Diamond, execution: str) -> None:
    report = diamond.whole(execution)
    joined = [(*row, BUSY[row[1]]) for row in of_the_branch()]
    assert diamond.rows("lake") == joined
    assert diamond.rows("log") == joined
    assert diamond.rows("branch") == of_the_branch()
    assert {name: load.rows_inserted for name, load in report.loads.items()} == {"lake": 6, "log": 6, "branch": 6}
    assert report.datasets["flights"] == DatasetCounts(read=12, rows=GOOD, quarantined=1)
    assert report.datasets["delayed"] == DatasetCounts(
        read=GOOD, filtered=3, deduplicated=1, quarantined=1, rows=len(DELAYED)
    )
    assert report.datasets["busy"] == DatasetCounts(
        read=GOOD, rows=4, reshaped=[{"step": "aggregate", "rows_in": GOOD, "rows_out": 4}]
    )
    assert report.datasets["result"] == DatasetCounts(
        read=6, rows=6, reshaped=[{"step": "join", "rows_in": 6, "rows_out": 6}]
    )
    assert {counts.missing for counts in report.datasets.values()} == {0}
    assert sum(report.quarantined.values()) == 2
    assert diamond.set_aside() == {"flights": 1, "delayed": 1}, "once, though two loads need the branch"


def test_a_check_that_sets_rows_of_a_branch_aside_does_so_for_its_own_loads_alone(diamond: Diamond) -> None:
    diamond.checks["delayed"] = [{"in_set": {"columns": ["carrier"], "values": ["A", "B"], "on_fail": "quarantine"}}]
    reports = {}
    for execution in ("fused", "staged"):
        report = diamond.whole(execution)
        assert [row[0] for row in diamond.rows("branch")] == [1, 2, 3, 4, 5]
        assert [row[0] for row in diamond.rows("lake")] == DELAYED
        reports[execution] = report.datasets
    assert reports["fused"] == reports["staged"]


@pytest.mark.parametrize("left", [[], DELAYED[:1]])
def test_branches_that_nobody_loads_are_computed_and_counted_in_one_pass_an_empty_one_too(
    diamond: Diamond, left: list[int]
) -> None:
    """Spark computes no side of a join whose other side turns out to be empty: what it left out is counted anyway."""
    diamond.drop([record for record in RECORDS if record[0] in left or record[0] in (7, 8, 9)])
    diamond.checks.clear()
    del diamond.loads["log"], diamond.loads["branch"]
    report = diamond.run(VERBS, 1, None)
    assert [row[0] for row in diamond.rows("lake")] == left
    repeated = len(left)  # flight 1 comes twice
    read = 3 + 2 * len(left)
    assert report.datasets["flights"] == DatasetCounts(read=read, rows=read)
    assert report.datasets["delayed"] == DatasetCounts(read=read, filtered=3, deduplicated=repeated, rows=len(left))
    busy = 3
    assert report.datasets["busy"] == DatasetCounts(
        read=read, rows=busy, reshaped=[{"step": "aggregate", "rows_in": read, "rows_out": busy}]
    )
    assert report.datasets["result"].rows == report.loads["lake"].rows_inserted == len(left)
