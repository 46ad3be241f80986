"""`doctor FILE` says which modules a pipeline's kinds need, where, and what brings those that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_etl.cli import doctor_requires
from airflow_provider_etl.spec import load_file

ROOT = Path(__file__).resolve().parents[2]


def test_each_module_is_told_with_the_place_that_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = load_file(ROOT / "examples/expectations.yaml").pipeline
    assert pipeline is not None
    needed = doctor_requires.of_pipeline(pipeline)
    assert needed == {"great_expectations": "check.result[2]", "delta": "load.lake"}
    assert [item.state for item in doctor_requires.findings(needed)] == ["ok", "ok"]
    monkeypatch.setattr(doctor_requires, "find_spec", lambda name: None if name == "great_expectations" else name)
    delta, gx = doctor_requires.findings(needed)
    assert (delta.state, gx.state) == ("ok", "missing")
    assert gx.what == "great_expectations, needed at check.result[2]"
    assert gx.remedy == "pip install 'airflow-provider-etl[gx]', where Spark runs too"
