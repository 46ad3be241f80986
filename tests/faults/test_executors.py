"""Given a cluster whose executors are killed at work, then Spark computes again what they had; counts are the same."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from airflow_provider_etl.engines.spark_submit import SparkSubmitEngine
from demo.standalone import Standalone
from tests.airflow.project import ROOT
from tests.faults.scene import PIPELINE, Scene, undisturbed

pytestmark = [pytest.mark.prove, pytest.mark.spark]
ENVIRONMENT = f"""
variables: {{raw: data/raw, lake: data/lake, staging: data/staging, quarantine: data/quarantine}}
roots: [data]
engines:
  local:
    {{kind: spark_submit, master: "MASTER", memory: 600m, executors: 2, executor_memory: 600m, jars: {ROOT / "jars"}}}
"""
LONG = "aggregate(sequence(1, 1000), 0, (a, x) -> (a + aggregate(sequence(1, 20000), x, (b, y) -> (b + y) % 7)) % 7)"
SLOW = f"  - derive: {{value: 'value + {LONG} * 0'}}\n"
SHUFFLED = "  - dedupe: {keys: [id, at], keep: last, order_by: [value]}\n"


def test_f15_executors_that_are_killed_with_their_shuffles_change_no_count(
    standalone: Standalone, tmp_path: Path
) -> None:
    text = PIPELINE.replace("  - filter", f"{SHUFFLED}{SLOW}  - filter")
    scene = Scene.make(tmp_path, text, ENVIRONMENT.replace("MASTER", standalone.master))
    over, begun, killed = threading.Event(), threading.Event(), list[int]()
    killer = threading.Thread(target=lambda: _kill(over, begun, killed))
    killer.start()
    try:
        report: Any = scene.run(1, engine=SparkSubmitEngine(), listen=lambda _line: begun.set())
    finally:
        over.set()
        begun.set()
        killer.join()
    assert isinstance(report, dict), report
    assert report["state"] == "loaded"
    assert len(killed) == 2
    assert report["usage"]["run"]["failed_tasks"] > 0, "they were at work"
    assert scene.tables() == undisturbed(1)


def _kill(over: threading.Event, begun: threading.Event, killed: list[int]) -> None:
    """Two executors, each in the middle of its work: older than their start takes, and busy for a while."""
    begun.wait()
    while not over.wait(0.2) and len(killed) < 2:
        for process in psutil.process_iter():
            with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if any("CoarseGrainedExecutorBackend" in part for part in process.cmdline()) and _at_work(process):
                    process.kill()
                    killed.append(process.pid)
                    break


def _at_work(process: psutil.Process) -> bool:
    return time.time() - process.create_time() > 8 and process.cpu_percent(0.5) > 60
