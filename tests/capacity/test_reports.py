"""Given reports of runs, then CPU, memory and record sizes are theirs; what can't be taken from them is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.capacity.figures import ours
from airflow_provider_etl.capacity.reports import measured_by
from spark_jobs.errors import ConfigError
from spark_jobs.report import DatasetCounts, Report
from spark_jobs.usage import Usage

GIB = 2**30


def report(usage: dict[str, dict[str, Any]], records: int = 2_000_000) -> dict[str, Any]:
    """Of a run that read orders, and a few countries to look up."""
    found = Report(
        pipeline="orders", window={"start": "2024-03-01T00:00:00Z", "end": "2024-03-02T00:00:00Z", "key": "2024-03-01"},
        fingerprint="f", attempt={"number": 1}, state="loaded",
    )  # fmt: skip
    kept = {"orders": records, "countries": 10, "result": records}
    found.datasets = {name: DatasetCounts(read=rows, rows=rows) for name, rows in kept.items()}
    common = {"seconds": 50.0, "cores": 2, "heap_peak": GIB, "heap_max": 4 * GIB, "rss_peak": 3 * GIB}
    found.usage = {verb: Usage(**common | figures).to_json() for verb, figures in usage.items()}
    return found.to_json()


def write(folder: Path, name: str, text: Any) -> None:
    (folder / name).write_text(text if isinstance(text, str) else json.dumps(text))


FUSED = {"run": {"cpu_seconds": 50.0, "bytes_read": 1_000_000_000, "bytes_written": 400_000_000}}


def test_a_fused_run_tells_cpu_memory_and_the_size_of_records(tmp_path: Path) -> None:
    write(tmp_path, "report.json", report(FUSED))
    found = measured_by(ours(), str(tmp_path / "report.json"))
    assert found.value("cpu") == pytest.approx(25.0 * ours().value("outside_tasks"))
    assert found.run_of("cpu").record_bytes == pytest.approx(500.0)
    assert found.value("memory") == pytest.approx(1.5)
    assert found.known["stored"] == ours().known["stored"], "what was written was staged, too"
    assert (found.known["cpu"].basis, found.known["memory"].basis) == ("derived", "measured")
    assert found.known["start_cpu"] == ours().known["start_cpu"], "reports don't tell what comes before the work"
    assert found.known["kafka_copies"] == ours().known["kafka_copies"]


def test_a_staged_run_is_all_its_applications_but_is_read_once(tmp_path: Path) -> None:
    staged = {
        "extract": {"cpu_seconds": 20.0, "bytes_read": 1_000_000_000, "bytes_written": 600_000_000},
        "transform": {"cpu_seconds": 15.0, "bytes_read": 600_000_000, "bytes_written": 600_000_000},
        "check": {"cpu_seconds": 5.0, "bytes_read": 600_000_000, "rss_peak": 4 * GIB},
        "load": {"cpu_seconds": 10.0, "bytes_read": 600_000_000, "bytes_written": 400_000_000},
    }
    write(tmp_path, "staged.json", report(staged))
    found = measured_by(ours(), str(tmp_path))
    assert found.value("cpu") == pytest.approx(25.0 * ours().value("outside_tasks"))
    assert found.run_of("cpu").record_bytes == pytest.approx(500.0)
    assert found.value("memory") == pytest.approx(2.0)


def test_executors_memory_counts_where_there_are_some(tmp_path: Path) -> None:
    on_cluster = {"executors": 3, "cores": 12, "executor_peak": 5 * GIB, "executor_max": 8 * GIB}
    write(tmp_path, "cluster.json", report({"run": FUSED["run"] | on_cluster}))
    assert measured_by(ours(), str(tmp_path)).value("memory") == pytest.approx(1.25)


def test_of_a_folder_all_that_loaded_count_by_their_records(tmp_path: Path) -> None:
    write(tmp_path, "a.json", report(FUSED))
    write(tmp_path, "b.json", report({"run": FUSED["run"] | {"cpu_seconds": 250.0}}, records=4_000_000))
    for name, other in {"failed": {"state": "failed"}, "old": {"report_version": 0}, "bare": {"usage": {}}}.items():
        write(tmp_path, f"{name}.json", report(FUSED) | other)
    write(tmp_path, "list.json", "[]")
    write(tmp_path, "half.json", "{")
    found = measured_by(ours(), str(tmp_path))
    assert found.value("cpu") == pytest.approx(50.0 * ours().value("outside_tasks"))
    assert found.run_of("cpu").what == "2 runs of yours"
    assert found.run_of("cpu").records == 6_000_000


def test_a_database_counts_no_bytes(tmp_path: Path) -> None:
    write(tmp_path, "report.json", report({"run": FUSED["run"] | {"bytes_read": 0}}))
    with pytest.raises(ConfigError, match=r"no bytes read: reading over JDBC counts as nothing; .*--figures"):
        measured_by(ours(), str(tmp_path))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (None, "1 file and no report of a run that loaded rows; expected what `airflow-etl run --json`"),
        ("[]", "1 file and no report"),
        (
            report(FUSED, records=90_000),
            "90,000 records a run, most of whose CPU is Spark's start; expected .* 100,000",
        ),
        (report({"run": {}}, records=10), "no report of a run|10 records a run"),
        (report(FUSED) | {"datasets": []}, "no whole report"),
        ({**report(FUSED), "staged": 5, "usage": {"run": None}}, "no whole report"),
    ],
)
def test_what_tells_nothing_is_refused(tmp_path: Path, text: Any, told: str) -> None:
    write(tmp_path, "x.json", "{}" if text is None else text)
    with pytest.raises(ConfigError, match=told):
        measured_by(ours(), str(tmp_path))


def test_no_file_and_an_empty_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.json: No such file"):
        measured_by(ours(), str(tmp_path / "nothing.json"))
    with pytest.raises(ConfigError, match="0 files and no report"):
        measured_by(ours(), str(tmp_path))
