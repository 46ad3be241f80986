"""Given a test file of a pipeline with `lookback`, then its cases see what a real window would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_etl.spec import load_file
from airflow_provider_etl.testing.cases import load_cases
from airflow_provider_etl.testing.order import Subject, order, scene_of
from airflow_provider_etl.testing.verdict import verdict
from spark_jobs.session import Shared
from tests.spark_jobs.rehearsal.test_scene import scene
from tests.spark_jobs.test_lookback import FILE, ROLLING
from tests.spec.conftest import Project, project

__all__ = ["project"]
pytestmark = pytest.mark.spark

LATE = """\
cases:
  - name: a row that comes late is there after the next window
    window: 2013-01-04
    before:
      - window: 2013-01-03
        sources: {orders: [{id: 1, amount: 1, at: 2013-01-03T10:00}]}
    sources:
      orders:
        - {id: 1, amount: 2, at: 2013-01-03T10:00}
        - {id: 2, amount: 2, at: 2013-01-03T11:00}
        - {id: 3, amount: 3, at: 2013-01-04T11:00}
        - {id: 4, amount: 4, at: 2013-01-05T11:00}
    expect:
      tables:
        lake: {exact: true, rows: [{id: 1, amount: 2, at: 2013-01-03T10:00}, {id: 2, amount: 2, at: 2013-01-03T11:00},
          {id: 3, amount: 3, at: 2013-01-04T11:00}]}
      counts: {orders: {read: 4, filtered: 1, rows: 3}}
"""
CONTEXT = """\
cases:
  - name: the days before are summed, and not loaded
    window: 2013-01-04
    sources:
      orders:
        - {id: 1, amount: 1, at: 2013-01-03T10:00}
        - {id: 2, amount: 2, at: 2013-01-04T10:00}
    expect:
      datasets: {result: [{id: 2, total: 3}]}
      counts: {result: {read: 2, filtered: 1, rows: 1}}
"""


@pytest.mark.parametrize(("text", "tests"), [(FILE, LATE), (ROLLING, CONTEXT)], ids=["late", "context"])
def test_a_case_sees_its_lookback(spark: Any, project: Project, tmp_path: Path, text: str, tests: str) -> None:
    pipeline = load_file(project.write(text)).pipeline
    assert pipeline is not None
    cases = load_cases(project.write(tests, "orders.test.yaml"), pipeline)
    assert not cases.diagnostics
    (case,) = cases.cases
    asked = order([scene_of(case)], [pipeline], small=True)["scenes"][0]
    shared = Shared()
    shared._first = spark
    result = scene(asked, tmp_path / "scratch").play(shared)
    window = case.runs[-1].window
    found = verdict(Subject(path="orders.yaml", pipeline=pipeline, case=case, window=window, scene=asked), result)
    assert found.state == "passed", found
