"""Given a window that fails every night, when a real Airflow runs the nightly replay of the docs, then those who wait
learn of the others, and the run is red; an engine that only takes notes stands in for Spark."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.airflow.project import Project
from tests.airflow.test_operators import reports, run_dag, states
from tests.airflow.test_quarantine import DOCS, events
from tests.airflow.test_windows import NotingEngine, use
from tests.cli.test_quarantine import Shelf
from tests.spec.conftest import PIPELINE
from tests.spec.conftest import Project as Files

pytestmark = pytest.mark.airflow


def test_those_who_wait_learn_of_windows_that_were_loaded_whatever_the_others_did(
    deployed: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(Files(tmp_path))
    shelf.project.write(PIPELINE.replace('"@daily"', '"0 0 2-31 * *"'))  # it cuts no first of January
    use(monkeypatch, NotingEngine())
    [shown] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    shown = shown.replace("pipelines/flights.yaml", str(shelf.path)).replace("flights", "orders")
    nightly = deployed.dags / "learning.py"
    nightly.write_text(shown.replace("retryable=True", "retryable=False"))
    run = run_dag(deployed, "orders_replay", 3, file=nightly.name)
    nightly.unlink()
    assert states(run) == {"replay": "success", "verdict": "failed"}
    assert [item["state"] for item in reports(run)["replay"]["windows"]] == ["failed", "loaded"]
    assert [extra["window"]["start"] for extra in events("orders.lake")] == ["2013-01-02T00:00:00Z"]
