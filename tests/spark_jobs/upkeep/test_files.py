"""Upkeep of folders of files: attempts that nobody names go after a while; manifests are history and restore."""

from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.hooks.files_ledger import FilesLedger
from spark_jobs.orders import Order, execute
from spark_jobs.session import list_files
from spark_jobs.upkeep import files as upkeep
from tests.spark_jobs.load.test_files import Folder, at
from tests.spark_jobs.plans import attempt, day, plan

pytestmark = pytest.mark.spark


def order(table: Folder, name: str, **options: Any) -> dict[str, Any]:
    made = plan(table.folder, day(1), attempt(999), load={"out": ("result", table.destination)})
    given = Order(name=name, plans=(made,), options={"loads": ["out"], **options})
    return execute(Order.from_json(given.to_json()), lambda *_: table.spark, lambda _: None)


def test_what_no_manifest_names_goes_and_a_restore_brings_back_what_one_named(spark: Any, tmp_path: Path) -> None:
    table = Folder(spark, tmp_path)
    table.load(day(1), [(1, at(1))], 1)
    table.load(day(2), [(2, at(2))], 2)
    table.load(day(1), [(11, at(1))], 3)
    stray = Path(table.path) / "data/etl_window=x/etl_attempt=1-dead"
    stray.mkdir(parents=True)
    (stray / "part-0.parquet").write_text("half")
    assert order(table, "maintain")["tables"][0]["actions"][0]["files_removed"] == 0, "somebody may be writing there"
    back = order(table, "restore", version=2)
    assert (back["error"], sorted(table.rows())) == (None, [(1, at(1)), (2, at(2))])
    assert len(back["windows"]) == 1
    unit = table.destination.unit("out", plan(tmp_path, day(1), attempt(1)))
    assert FilesLedger(table.path).number(unit) == attempt(1).number, "its first attempt counts again"
    assert table.load(day(1), [(111, at(1))], 4).state == "loaded"
    versions = order(table, "history")["tables"][0]["versions"]
    assert [version["operation"] for version in versions] == ["load", "restore", "load", "load", "load"]
    assert (versions[0]["run"], versions[0]["inserted"], versions[0]["deleted"]) == ("run-4", 1, 1)
    aged = time.time() - 8 * 86400
    for file in Path(table.path).glob("data/**/*"):
        os.utime(file, (aged, aged))
    shown = order(table, "maintain", dry_run=True)["tables"][0]
    assert stray.exists()
    assert [folder.rpartition("/")[2] for folder in shown["actions"][0]["folders"]] == ["etl_attempt=1-dead"]
    manifest = max((Path(table.path) / "_etl").glob("manifest-*"))
    told = json.loads(manifest.read_text())
    told["dropped"] = dict.fromkeys(told["dropped"], "2013-01-01T00:00:00Z")
    manifest.write_text(json.dumps(told))
    (Path(table.path) / "_etl" / f".{manifest.name}.crc").unlink(missing_ok=True)
    done = order(table, "maintain")["tables"][0]
    assert (done["state"], len(done["actions"][0]["folders"])) == ("done", 3)
    assert sorted(table.rows()) == [(2, at(2)), (111, at(1))]
    assert "are gone" in order(table, "restore", version=3)["error"]["message"]


def test_what_is_not_ours_and_what_a_restore_brings_back_stay(spark: Any, tmp_path: Path) -> None:
    table = Folder(spark, tmp_path)
    table.load(day(1), [(1, at(1))], 1)
    for number in (2, 3):
        table.load(day(1), [(number, at(1))], number)
    data, aged = Path(table.path) / "data", time.time() - 8 * 86400
    theirs = [data / "x.csv", data / "y/z/x.csv", data / "etl_window=x/x.csv", data / "etl_window=x/y/x.csv"]
    for file in theirs:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x")
    for file in data.glob("**/*"):
        os.utime(file, (aged, aged))
    held = table.held
    long_ago = replace(held, dropped=dict.fromkeys(held.dropped, "2013-01-01T00:00:00Z"))
    name = f"manifest-{held.number:020d}.json"
    (Path(table.path) / "_etl" / name).write_text(long_ago.to_text())
    (Path(table.path) / "_etl" / f".{name}.crc").unlink(missing_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(upkeep, "list_files", lambda *given: (list_files(*given), order(table, "restore", version=1))[0])
        done = order(table, "maintain")["tables"][0]
    assert len(done["actions"][0]["folders"]) == 1, "of three attempts one counts, and one has counted until now"
    assert table.rows() == [(1, at(1))]
    assert all(file.exists() for file in theirs)


def test_a_load_takes_away_what_counts_no_more_since_a_week(spark: Any, tmp_path: Path) -> None:
    table = Folder(spark, tmp_path)
    table.load(day(1), [(1, at(1))], 1)
    table.load(day(1), [(2, at(1))], 2)
    held = table.held
    assert len(list(Path(table.path).glob("data/*/*"))) == 2, "somebody may be reading the first"
    old = replace(held, dropped=dict.fromkeys(held.dropped, "2013-01-01T00:00:00Z"))
    name = f"manifest-{held.number:020d}.json"
    (Path(table.path) / "_etl" / name).write_text(old.to_text())
    table.load(day(2), [(3, at(2))], 3)
    assert len(list(Path(table.path).glob("data/*/*"))) == 2
    assert sorted(table.rows()) == [(2, at(1)), (3, at(2))]
    assert table.held.dropped == {}
