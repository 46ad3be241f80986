"""Given a pipeline that masks, when rows are set aside, then the quarantine says nothing that the mask hides; nor does
anything say the key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from spark_jobs import kinds
from spark_jobs import run as entry
from spark_jobs.connections import HANDED, Connection, Connections, hand_over
from spark_jobs.plan import Dataset, Plan
from spark_jobs.privacy import MESSAGE, Privacy
from spark_jobs.quarantine import Quarantine
from spark_jobs.transform import STEPS
from tests.spark_jobs.plans import attempt, day, plan

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]
KEY = "planted-marker-of-a-key-0123456789"
ROWS = """\
id,email,age
1,ann@hidden.example,30
x,bob@hidden.example,31
3,no-address-of-hidden.example,32
4,dan@hidden.example,old
5,eve@hidden.example,-5
"""
EXTRACT = {"people": {"type": "files", "format": "csv", "columns": {"id": {"type": "int"}}}}
TRANSFORM: dict[str, Any] = {
    "masked": {
        "from": "people",
        "steps": [
            {"validate": {"rules": {"address": "email LIKE '%@%'"}}},
            {"mask": {"columns": {"email": "token"}, "key": "masking"}},
            {"cast": {"columns": {"age": "int"}}},
        ],
    },
    "result": {"from": "masked", "steps": []},
    "ages": {
        "from": "people",
        "steps": [{"select": {"columns": ["email", "age"]}}, {"cast": {"columns": {"age": "int"}}}],
    },
}
CHECK = {"result": [{"in_range": {"column": "age", "min": 0, "on_fail": "quarantine"}}]}


def made(folder: Path) -> dict[str, Any]:
    load = {"type": "delta", "write": {"strategy": "append"}}
    conf = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": str(folder / "events")}
    return plan(folder, day(1), attempt(1)).to_json() | {
        "extract": {"people": EXTRACT["people"] | {"path": str(folder / "people.csv")}},
        "transform": TRANSFORM,
        "check": CHECK,
        "load": {
            "lake": {"from": "result", "path": str(folder / "lake"), **load},
            "ages": {"from": "ages", "path": str(folder / "ages"), **load},
        },
        "spark": {"master": "local[2]", "memory": "1g", "jars": str(ROOT / "jars"), "small": True, "conf": conf},
    }


@pytest.mark.spark
def test_neither_the_quarantine_nor_anything_else_says_what_is_hidden(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "people.csv").write_text(ROWS)
    (tmp_path / "plan.json").write_text(json.dumps(made(tmp_path)))
    hand_over(Connections(Connection(id="masking", password=KEY)), tmp_path / "connections")
    command = [
        sys.executable,
        "-m",
        "spark_jobs.run",
        "--plan",
        tmp_path / "plan.json",
        "--report",
        tmp_path / "report",
    ]
    done = subprocess.run(
        command,
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ
        | {HANDED: str(tmp_path / "connections"), "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    loaded = spark.read.format("delta").load(str(tmp_path / "lake")).collect()
    assert [(row["id"], row["email"][:4], len(row["email"])) for row in loaded] == [(1, "tok_", 36)]
    quarantine = Quarantine(folder=str(tmp_path / "quarantine"), pipeline="flights")
    rows = spark.read.format("delta").load(quarantine.path).collect()
    found = {(row["dataset"], row["stage"], row["rules"][0]): row for row in rows}
    assert set(found) == {
        ("people", "extract", "type id"),
        ("masked", "transform", "validate address"),
        ("masked", "transform", "cast age"),
        ("result", "check", "in_range"),
        ("ages", "transform", "cast age"),
    }
    bad = found["people", "extract", "type id"]
    assert (bad["raw"], bad["message"], bad["source_line"]) == (None, MESSAGE, 3)
    assert bad["source_file"].endswith("people.csv")
    for hidden in (("masked", "transform", "validate address"), ("ages", "transform", "cast age")):
        assert (found[hidden]["raw"], found[hidden]["message"]) == (None, MESSAGE)
    behind = found["masked", "transform", "cast age"]
    assert json.loads(behind["raw"])["age"] == "old"
    assert json.loads(behind["raw"])["email"].startswith("tok_")
    assert json.loads(found["result", "check", "in_range"]["raw"])["age"] == -5
    _search(tmp_path, done.stdout + done.stderr)


@pytest.mark.spark
@pytest.mark.parametrize(
    ("source", "steps", "words"),
    [
        ({"bad_records": "fail"}, [], "people.csv line 3: not shown: the pipeline masks values of this dataset"),
        ({}, [{"derive": {"expressions": {"n": "int(email)"}}}], "The value *** of the type"),
    ],
)
def test_no_error_says_what_is_hidden(
    spark: SparkSession, tmp_path: Path, source: dict[str, Any], steps: list[Any], words: str
) -> None:
    (tmp_path / "people.csv").write_text(ROWS)
    given = made(tmp_path)
    given["extract"]["people"] |= source
    masked = {"from": "people", "steps": [*steps, {"mask": {"columns": {"email": "redact"}}}]}
    given |= {"transform": {"result": masked}, "check": {}, "load": {"lake": given["load"]["lake"]}}
    report = entry.run(Plan.from_json(given), lambda *_: spark)
    assert report.error is not None
    assert words in report.error["message"]
    assert "hidden" not in report.error["message"]


def _search(folder: Path, told: str) -> None:
    """See that nothing that is left holds the key, nor one of its blocks."""
    block = KEY.encode().ljust(64, b"\0")
    blocks = [bytes(byte ^ mark for byte in block) for mark in (0x36, 0x5C)]
    marks = [KEY.encode()[:16], *(item[:16] for item in blocks), *(item[:16].hex().encode() for item in blocks)]
    texts = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    texts["told"] = told.encode()
    assert any("events" in name for name in texts)
    assert [name for name, text in texts.items() for mark in marks if mark in text] == []
    assert [name for name, text in texts.items() if "quarantine/" in name and b"hidden.example" in text] == []


@dataclass(frozen=True)
class Source:
    """A source that reads no other; a fake."""


def built(step: Mapping[str, Any]) -> tuple[str, Any]:
    ((name, options),) = step.items()
    return name, kinds.build(kinds.find(STEPS, name, "transform"), options)


def privacy(folder: Path, extract: tuple[str, ...], **transform: tuple[str, list[dict[str, Any]]]) -> Privacy:
    datasets = {
        name: Dataset(source=source, steps=tuple(built(step) for step in steps))
        for name, (source, steps) in transform.items()
    }
    return Privacy(plan(folder, day(1), attempt(1), extract=dict.fromkeys(extract, Source()), transform=datasets))


MASK = {"mask": {"columns": {"email": "redact"}}}
ANY = {"filter": {"where": "true"}}
NAMES = ("masked", "below", "beside", "joined", "asked", "united", "apart")


def test_a_source_is_open_where_anything_masked_comes_from_it_and_what_is_made_of_it_too(tmp_path: Path) -> None:
    join = {"join": {"with": "people", "on": ["id"]}}
    found = privacy(
        tmp_path,
        ("people", "orders", "other"),
        masked=("people", [ANY, MASK, ANY, {"join": {"with": "orders", "on": ["id"]}}]),
        below=("masked", []),
        beside=("people", []),
        joined=("other", [ANY, join, ANY]),
        asked=("other", [{"sql": {"query": "SELECT * FROM PEOPLE"}}]),
        united=("other", [{"union": {"with": ["beside"]}}, MASK]),
        apart=("orders", []),
    )
    assert [name for name in ("people", "orders", "other") if found.hides(name)] == ["people", "other"]
    assert [found.hides("masked", place) for place in range(4)] == [True, True, False, False]
    assert [name for name in NAMES if found.hides(name)] == ["beside", "joined", "asked"]


def test_where_nothing_is_masked_nothing_is_hidden(tmp_path: Path) -> None:
    found = privacy(tmp_path, ("people",), result=("people", [ANY]))
    assert not found.hides("people")
    assert not found.hides("result", 0)
