"""Given rows that wait in quarantine, when the lines of a nightly replay run, then what was mended is loaded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.airflow.project import FLIGHTS, Project
from tests.airflow.test_operators import reports, run_dag, states

pytestmark = [pytest.mark.airflow, pytest.mark.spark]

DOCS = Path(__file__).resolve().parents[2] / "docs/quarantine.md"


def events(asset: str) -> list[dict[str, Any]]:
    """The extras of the events that Airflow has of an asset."""
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session

    with create_session() as session:
        return [event.extra for event in session.query(AssetEvent).all() if event.asset.name == asset and event.extra]


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
    (deployed.dags / "nightly.py").write_text(
        shown.replace("flights", "night").replace("retryable=True", "retryable=False")
    )
    before = len(events("night.lake"))
    failed = run_dag(deployed, "night_replay", 3, file="nightly.py")
    assert states(failed) == {"replay": "success", "verdict": "failed"}, "the second day has no file any more"
    learnt = [extra["window"]["start"] for extra in events("night.lake") if "window" in extra]
    assert learnt[before:] == ["2013-01-01T05:00:00Z"], "of the first day those who wait learn all the same"
    deployed.drop(2, [good.format(2), bad.format(2)])
    run = run_dag(deployed, "night_replay", 4, file="nightly.py")
    assert states(run) == {"replay": "success", "verdict": "success"}
    [second] = reports(run)["replay"]["windows"]
    assert (second["window"]["key"], second["before"], second["waiting"], second["again"]) == ("2013-01-02", 1, 1, 1)
    from deltalake import DeltaTable

    rows = DeltaTable(deployed.folder / "data/lake/night").to_pyarrow_table().to_pylist()
    assert sorted(row["flight"] for row in rows) == [11, 11, 12], "each once, however often its window ran"
    (deployed.dags / "nightly.py").unlink()
    for day in (1, 2, 3):
        deployed.drop(day, [f"{day}{n},UA,2013-01-0{day}T0{n}:30:00-05:00,{10 * n}" for n in range(1, 4)])
