"""Given rows that wait in quarantine, when the five lines of a nightly replay run, then what was mended is loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.airflow.project import FLIGHTS, Project
from tests.airflow.test_operators import reports, run_dag, states

pytestmark = [pytest.mark.airflow, pytest.mark.spark]

DOCS = Path(__file__).resolve().parents[2] / "docs/quarantine.md"


def test_a_nightly_replay_loads_what_was_mended_and_keeps_the_rest(deployed: Project) -> None:
    night = FLIGHTS.replace("execution: staged", "execution: fused").replace("${env.lake}/flights", "${env.lake}/night")
    deployed.pipeline("night", night)
    good, bad = "11,UA,2013-01-0{}T01:30:00-05:00,1", "x{},UA,2013-01-01T02:30:00-05:00,2"
    for day in (1, 2):
        deployed.drop(day, [good.format(day), bad.format(day)])
        run_dag(deployed, "night", day)
    deployed.drop(1, [good.format(1), good.format(1).replace("11", "12", 1)])
    (deployed.folder / "data/raw/flights/2013-01-02.csv").unlink()
    [shown] = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (deployed.dags / "nightly.py").write_text(shown.replace("flights", "night").replace(", retryable=True", ""))
    failed = run_dag(deployed, "night_replay", 3, file="nightly.py")
    assert states(failed) == {"replay": "failed"}, "the second day has no file any more: told after the first is loaded"
    deployed.drop(2, [good.format(2), bad.format(2)])
    run = run_dag(deployed, "night_replay", 4, file="nightly.py")
    [second] = reports(run)["replay"]["windows"]
    assert (second["window"]["key"], second["before"], second["waiting"], second["again"]) == ("2013-01-02", 1, 1, 1)
    from deltalake import DeltaTable

    rows = DeltaTable(deployed.folder / "data/lake/night").to_pyarrow_table().to_pylist()
    assert sorted(row["flight"] for row in rows) == [11, 11, 12], "each once, however often its window ran"
    (deployed.dags / "nightly.py").unlink()
    for day in (1, 2, 3):
        deployed.drop(day, [f"{day}{n},UA,2013-01-0{day}T0{n}:30:00-05:00,{10 * n}" for n in range(1, 4)])
