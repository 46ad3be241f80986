"""The verdict of an audit: whether each row that a source has is in the table or in quarantine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spark_jobs import run as entry
from spark_jobs.orders import Order
from spark_jobs.plan import Plan
from spark_jobs.tables.recount import _verdict, audit
from tests.spark_jobs.plans import attempt, day, plan


def load(expected: int, found: int | None) -> dict[str, Any]:
    return {"strategy": "append", "expected": expected, "found": found, "counted": "table"}


HELD = {"held": True, "same": True}


@pytest.mark.parametrize(
    ("found", "aside", "held", "verdict", "balances"),
    [
        (5, 2, HELD, "balances", True),
        (None, 2, HELD, "lake: loaded, and not counted", True),
        (4, 2, HELD, "lake: 1 rows missing", False),
        (9, 0, HELD, "lake: 4 rows too many; quarantine: 2 rows missing", False),
        (5, 3, HELD, "quarantine: 1 rows too many", False),
        (
            4,
            2,
            HELD | {"same": False},
            "lake: 1 rows missing; loaded with another configuration than the file's",
            False,
        ),
        (5, 2, HELD | {"same": False}, "balances", True),
        (None, 0, {"held": False, "same": False}, "not loaded", None),
        (None, 0, {"held": False, "same": False, "instead": "covered by A/B"}, "covered by A/B", None),
    ],
)
def test_a_window_balances_where_every_row_is_somewhere(
    found: int | None, aside: int, held: dict[str, Any], verdict: str, balances: bool | None
) -> None:
    told = _verdict({"lake": load(5, found)}, 2, aside, {"lake": held})
    assert told == {"verdict": verdict, "balances": balances}


def test_a_window_that_only_one_of_two_loads_has_doesnt_pass_for_whole() -> None:
    told = _verdict({"a": load(5, 5), "b": load(5, None)}, 0, 0, {"a": HELD, "b": {"held": False, "same": False}})
    assert told == {"verdict": "b: not loaded", "balances": False}


def test_a_snapshot_that_holds_a_newer_window_is_no_row_missing() -> None:
    newer = {"held": False, "same": True, "instead": "superseded by a newer window"}
    told = _verdict({"a": load(5, 5), "b": load(5, None)}, 2, 2, {"a": HELD, "b": newer})
    assert told == {"verdict": "b: superseded by a newer window", "balances": True}


@pytest.mark.parametrize(("there", "balances"), [(True, False), (False, None)])
def test_a_window_that_cannot_be_recounted_is_wrong_only_where_it_is_loaded(
    tmp_path: Path, there: bool, balances: bool | None
) -> None:
    held = {"attempts": [1], "loads": {"lake": {"held": there, "same": True}}}
    order = Order(name="audit", plans=(plan(tmp_path, day(1), attempt(1)),), options={"windows": [held]})
    no_spark: Any = None
    [told] = audit(no_spark, order, lambda _: None)["windows"]
    assert told["balances"] is balances
    assert "can't be recounted" in told["verdict"]
    assert (told["aside"], told["loads"]) == ({}, {})


@pytest.mark.spark
def test_rows_of_iceberg_tables_and_folders_of_files_are_counted_too(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "id,at\n1,2013-01-01T01:00:00Z\n2,2013-01-01T02:00:00Z\nx,2013-01-01T03:00:00Z\n"
    )
    types = {"id": {"type": "int"}, "at": {"type": "timestamp"}}
    source = {"type": "files", "path": str(tmp_path / "rows.csv"), "format": "csv", "window": "all", "columns": types}
    by_time = {"from": "rows", "write": {"strategy": "replace_window", "column": "at"}}
    loads = {
        "ice": by_time | {"type": "iceberg", "catalog": "lake", "table": "sales.orders"},
        "folder": by_time | {"type": "files", "format": "parquet", "path": str(tmp_path / "folder")},
    }
    catalog = {"name": "lake", "type": "hadoop", "warehouse": str(tmp_path / "ice")}
    made = plan(tmp_path, day(1), attempt(1), catalogs={"lake": catalog})
    told = Plan.from_json(made.to_json() | {"extract": {"rows": source}, "load": loads})
    report = entry.run(told, lambda *_: spark.newSession())
    assert report.error is None
    held = {"attempts": [told.attempt.number], "loads": dict.fromkeys(loads, HELD)}
    [window] = audit(spark, Order(name="audit", plans=(told,), options={"windows": [held]}), lambda _: None)["windows"]
    assert (window["verdict"], window["aside"]) == ("balances", {"waiting": 1})
    assert {name: (load["found"], load["counted"]) for name, load in window["loads"].items()} == {
        "ice": (2, "table"), "folder": (2, "table")
    }  # fmt: skip
