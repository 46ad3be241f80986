"""Every kind stands in an example that ships: tests/testing runs them all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.spec import find_files, load_file
from airflow_provider_etl.spec.pipeline import Pipeline
from spark_jobs.check import CHECKS
from spark_jobs.extract import SOURCES
from spark_jobs.load import DESTINATIONS
from spark_jobs.transform import STEPS

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = {"python"}  # a deployment has to allow the module first, by `[etl] allowed_python`


@pytest.fixture(scope="module")
def shown() -> list[Pipeline]:
    loaded = [load_file(path) for folder in ("dags/pipelines", "examples") for path in find_files(ROOT / folder)]
    assert not [item for file in loaded for item in file.diagnostics]
    return [file.pipeline for file in loaded if file.pipeline is not None]


def test_every_kind_is_in_an_example(shown: list[Pipeline]) -> None:
    def missing(known: Any, used: set[str]) -> set[str]:
        return set(known) - used - ELSEWHERE

    steps = {step for item in shown for dataset in item.transform.values() for step, _ in dataset.steps}
    assert not missing(STEPS, steps)
    assert not missing(SOURCES, {kind.type for item in shown for kind in item.extract.values()})
    assert not missing(DESTINATIONS, {kind.type for item in shown for _, kind in item.load.values()})
    assert not missing(CHECKS, {check for item in shown for checks in item.check.values() for check, _ in checks})


def test_every_strategy_is_in_an_example_and_every_example_has_its_cases(shown: list[Pipeline]) -> None:
    used = {kind.write.strategy for item in shown for _, kind in item.load.values()}
    assert used == {"replace_window", "append", "snapshot", "merge", "scd2", "cdc"}
    assert all(item.path is not None and item.path.with_suffix(".test.yaml").exists() for item in shown)
