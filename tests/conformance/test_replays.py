"""The promise of the quarantine: replays, drops and exports between runs of any order leave what a plain run leaves."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.conformance.drawing import HOW_OFTEN, draw
from tests.conformance.replaying import Scene
from tests.conformance.replays import Told, schedules

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("rounds", HOW_OFTEN)
@pytest.mark.parametrize("alone", [False, True], ids=["windows", "rows"])
def test_a_replay_is_idempotent_whatever_happens_between(
    spark: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool, rounds: int
) -> None:
    monkeypatch.delenv("AIRFLOW__ETL__ENVIRONMENT", raising=False)
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path / "airflow"))

    def holds(told: Told) -> None:
        scene = Scene(spark=spark, folder=Path(mkdtemp(dir=tmp_path)), told=told, alone=alone)
        scene.run()
        shutil.rmtree(scene.folder, ignore_errors=True)

    draw(schedules(alone=alone), holds, rounds)
