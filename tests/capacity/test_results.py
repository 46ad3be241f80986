"""Given the JSON of `make bench-pipeline`, then CPU, memory and starts are those of the machine that ran it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.capacity.figures import ours
from airflow_provider_etl.capacity.results import CONTENDER, benchmarked
from spark_jobs.errors import ConfigError


def result(**cases: dict[str, float]) -> dict[str, Any]:
    """`r3000000={"cpu": …}`: a case of so many records, two rounds each, and another contender beside."""
    made = []
    for name, cost in cases.items():
        turns = [{"wall": 60.0, "memory": 3072.0} | cost, {"wall": 60.0, "memory": 3072.0} | cost]
        made.append({"count": int(name[1:]), "turns": {"by hand": turns[:1], CONTENDER: turns}})
    return {
        "taken": "2026-11-30T10:00:00+00:00",
        "machine": {"cpu": "Z80", "cores": 16, "memory_gib": 64.0, "kernel": "Linux 7"},
        "versions": {"this package": "abcdef1234", "pyspark": "4.1.3", "java": "17"},
        "cases": made,
    }


def write(folder: Path, found: Any) -> str:
    (folder / "pipeline.json").write_text(found if isinstance(found, str) else json.dumps(found))
    return str(folder / "pipeline.json")


def test_a_result_replaces_cpu_and_memory(tmp_path: Path) -> None:
    start = ours().value("start_cpu")
    found = benchmarked(ours(), write(tmp_path, result(r2000000={"cpu": 40.0 + start})))
    assert found.value("cpu") == pytest.approx(20.0)
    assert found.value("memory") == pytest.approx(1.5)
    assert found.known["start_cpu"] == ours().known["start_cpu"]
    run = found.run_of("cpu")
    assert (run.machine, run.date, run.commit) == ("Z80, 16 cores, 64 GiB, Linux 7", "2026-11-30", "abcdef1234")
    assert run.record_bytes == ours().run_of("cpu").record_bytes


def test_a_few_records_tell_the_start_and_the_same_file_s_others_are_less_by_it(tmp_path: Path) -> None:
    cases = result(r2000000={"cpu": 50.0}, r1000={"cpu": 10.0, "wall": 8.0})
    found = benchmarked(ours(), write(tmp_path, cases))
    assert (found.value("start_cpu"), found.value("start_seconds")) == (10.0, 8.0)
    assert found.value("cpu") == pytest.approx(20.0)


def test_a_start_that_took_longer_than_all_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"2,000,000 records took 1 CPU s.*give a result of 1,000 first"):
        benchmarked(ours(), write(tmp_path, result(r2000000={"cpu": 1.0})))


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("{", "no result of benchmarks.pipeline"),
        ("[]", "no result of benchmarks.pipeline"),
        ({"cases": []}, "no result of benchmarks.pipeline"),
        ({**result(r2000000={"cpu": 90.0}), "machine": None}, "no result of benchmarks.pipeline"),
        (result(r2000000={"cpu": None}), "no result of benchmarks.pipeline"),
    ],
)
def test_what_is_no_result_is_told(tmp_path: Path, found: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=rf"pipeline\.json: .*{told}"):
        benchmarked(ours(), write(tmp_path, found))
