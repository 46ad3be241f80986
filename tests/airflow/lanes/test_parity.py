"""Given the same YAML, then its graph, its windows and its plans are those of the golden file, on every Airflow.

After a change of the language or of the plan: `ETL_WRITE_GOLDEN=1 pytest tests/airflow/lanes/test_parity.py` in the
main environment, and a look at the difference.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.lanes import GOLDEN
from tests.airflow.lanes.observe import ANY_WINDOW, SPANS, WINDOWS, NotingEngine, graph, settings, stable, windows

pytestmark = pytest.mark.airflow

NAMES = ("daily", "hourly", "manual", "often", "rollup", "weekly")
Observed = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def observed(project: Path, dags: dict[str, Any], database: None) -> Observed:
    """What this Airflow makes of the files."""
    assert sorted(dags) == list(NAMES)
    found = {
        name: {
            "settings": settings(dag),
            "graph": graph(dag),
            "windows": windows(dag),
            "plans": [stable(plan, str(project)) for plan in plans_of(dag)],
        }
        for name, dag in sorted(dags.items())
    }
    if os.environ.get("ETL_WRITE_GOLDEN"):
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    return found


def plans_of(dag: Any) -> list[dict[str, Any]]:
    """The plans that a real run of the DAG, started by hand for a window, hands to Spark: a fake that takes notes."""
    from airflow_provider_etl.operators import submitting
    from tests.airflow.lanes.versions import run

    engine = NotingEngine()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(submitting, "engine_of", lambda *_: engine)
        start, end = WINDOWS.get(dag.dag_id, ANY_WINDOW)
        conf = {"window_start": start, "window_end": end}
        done = run(dag, datetime.fromisoformat("2013-03-12T00:00+00:00"), conf)
    assert str(getattr(done.state, "value", done.state)) == "success", dag.dag_id
    return json.loads(json.dumps(engine.plans))


@pytest.fixture(scope="module")
def golden() -> Observed:
    """What every Airflow has to make of them."""
    return json.loads(GOLDEN.read_text())


@pytest.mark.parametrize("part", ["settings", "graph", "windows", "plans"])
@pytest.mark.parametrize("name", NAMES)
def test_the_same_yaml_means_the_same(name: str, part: str, observed: Observed, golden: Observed) -> None:
    assert observed[name][part] == golden[name][part]


@pytest.mark.parametrize("name", ["daily", "hourly", "often", "weekly"])
def test_the_golden_windows_are_those_that_the_command_line_cuts_without_airflow(
    name: str, project: Path, golden: Observed
) -> None:
    from airflow_provider_etl.spec import load_file

    pipeline = load_file(project / f"dags/pipelines/{name}.yaml").pipeline
    assert pipeline is not None
    assert pipeline.start is not None
    cut = [
        [window.start.isoformat(), window.end.isoformat()]
        for window in pipeline.windows(pipeline.start, SPANS[-1][1] + timedelta(days=8))
        if any(first <= window.start < last for first, last in SPANS)
    ]
    assert golden[name]["windows"] == cut
    assert len(cut) > 1


def test_the_golden_windows_have_days_of_23_and_of_25_hours(golden: Observed) -> None:
    spans = [[datetime.fromisoformat(moment) for moment in span] for span in golden["daily"]["windows"]]
    assert sorted({(end - start).total_seconds() / 3600 for start, end in spans}) == [23, 24, 25]


def test_every_verb_of_a_staged_file_has_its_plan(golden: Observed) -> None:
    assert [plan["verbs"] for plan in golden["daily"]["plans"]] == [["extract"], ["transform"], ["check"], ["load"]]
    assert golden["daily"]["plans"][0]["extract"]["flights"]["path"] == "<project>/data/raw/flights/2013-03-10.csv"
