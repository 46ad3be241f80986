"""How much of a source or dataset may be set aside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from spark_jobs import run as entry
from spark_jobs.accounts import Accounts
from spark_jobs.errors import DataError
from spark_jobs.plan import Plan
from spark_jobs.report import DatasetCounts, Report
from tests.spark_jobs.plans import attempt, day, plan


def limited(limits: Mapping[str, float], counts: DatasetCounts) -> None:
    report = Report.begun(plan(Path("p"), day(1), attempt(1)))
    report.datasets["rows"] = counts
    report.quarantined = {"rows.extract type n": 2, "rows.check late": 27, "others.extract ragged": 99}
    no_staging: Any = None
    Accounts(report=report, staging=no_staging, say=lambda _: None, limits=limits)._limit("check", "rows")


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({}, ""),
        ({"share": 0.29}, ""),
        ({"rows": 29}, ""),
        ({"share": 0.28}, "at most 0.28 of them"),
        ({"rows": 28}, "at most 28 rows"),
        ({"share": 0, "rows": 0}, "at most 0 of them and 0 rows"),
        ({"share": 1, "rows": 5}, "at most 5 rows"),
    ],
)
def test_no_more_is_set_aside_than_may_be(limits: Mapping[str, float], told: str) -> None:
    counts = DatasetCounts(read=100, rows=61, filtered=5, deduplicated=5, quarantined=29)
    if not told:
        limited(limits, counts)
        return
    with pytest.raises(DataError) as error:
        limited(limits, counts)
    said = "29 of 100 rows would be set aside: rows.check late (27), rows.extract type n (2)"
    assert said in str(error.value)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("counts", "is_too_many"),
    [
        (DatasetCounts(read=3000, rows=5, quarantined=29, reshaped=[{"rows_in": 2971, "rows_out": 5}]), False),
        (DatasetCounts(read=1000, rows=5, quarantined=29, reshaped=[{"rows_in": 971, "rows_out": 5}]), True),
        (DatasetCounts(read=10, rows=2971, quarantined=29, reshaped=[{"rows_in": 10, "rows_out": 3000}]), False),
    ],
)
def test_rows_that_steps_have_put_together_or_taken_apart_are_no_fewer(
    counts: DatasetCounts, *, is_too_many: bool
) -> None:
    assert counts.missing == 0
    with pytest.raises(DataError, match="29 of 1,000 rows") if is_too_many else nullcontext():
        limited({"share": 0.01}, counts)


def test_nothing_is_no_share() -> None:
    limited({"share": 0, "rows": 0}, DatasetCounts())


@pytest.mark.spark
def test_a_run_with_too_many_publishes_nothing_and_with_few_enough_as_always(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("id\n1\n2\nx\n-4\n")
    source = {"type": "files", "path": str(tmp_path / "rows.csv"), "format": "csv", "window": "all"}
    source["columns"] = {"id": {"type": "int"}}
    write = {"from": "rows", "type": "delta", "path": str(tmp_path / "table"), "write": {"strategy": "append"}}
    told = plan(tmp_path, day(1), attempt(1)).to_json() | {"extract": {"rows": source}, "load": {"lake": write}}
    told["check"] = {"rows": [{"in_range": {"columns": ["id"], "min": 0, "on_fail": "quarantine"}}]}
    made = Plan.from_json(told)

    def ran(**limits: float) -> Report:
        again = Plan.from_json(replace(made, set_aside=limits).to_json())
        return entry.run(again, lambda *_: spark.newSession())

    source_alone, both = ran(rows=0), ran(share=0.25)
    assert source_alone.error is not None
    assert both.error is not None
    assert source_alone.error["message"].startswith("1 of 4 rows would be set aside: rows.extract type id (1)")
    assert both.error["message"].startswith("2 of 4 rows would be set aside")
    assert (both.error["kind"], both.error["where"]) == ("data", "check.rows")
    assert not (tmp_path / "table").exists()
    assert not (tmp_path / "quarantine/flights").exists()
    enough = ran(share=0.5, rows=2)
    assert (enough.error, enough.datasets["rows"].quarantined) == (None, 2)


@pytest.mark.spark
@pytest.mark.parametrize(("share", "told"), [(0.7, None), (0.9, "3 of 12 required values are missing: at (2), id (1)")])
def test_a_source_whose_rows_set_aside_lack_more_than_its_contract_lets_them_stops_the_run(
    spark: Any, tmp_path: Path, share: float, told: str | None
) -> None:
    drop = tmp_path / "drop.csv"
    drop.write_text("id,at,note\n1,2013-01-01,\n2,,\n,,x\nx,2013-01-01,\n5,2013-01-01,\n6,2013-01-01,\n")
    columns = {
        "id": {"type": "int", "required": True},
        "at": {"type": "date", "required": True},
        "note": {"type": "string"},
    }
    source = {"type": "files", "path": str(drop), "format": "csv", "columns": columns, "window": "all"}
    write = {"strategy": "snapshot"}
    asked = plan(tmp_path, day(1), attempt(1)).to_json() | {
        "extract": {"rows": source},
        "transform": {"result": {"from": "rows", "steps": []}},
        "load": {"lake": {"from": "result", "type": "delta", "path": str(tmp_path / "lake"), "write": write}},
        "set_aside": {"complete": {"rows": {"share": share, "columns": ["id", "at"]}}},
    }
    report = entry.run(Plan.from_json(asked), lambda *_: spark)
    assert report.datasets["rows"].quarantined == 3, "one for its type: that value came"
    if told is None:
        assert (report.state, report.error) == ("loaded", None)
        return
    assert report.error is not None
    assert (report.error["kind"], report.error["where"]) == ("data", "extract.rows")
    assert told in report.error["message"]
    assert "at least 90 % of them (completeness of its contract)" in report.error["message"]
    assert not (tmp_path / "lake").exists() or not list((tmp_path / "lake/_delta_log").glob("*.json"))
