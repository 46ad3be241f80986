"""The promise of whole runs, with their quarantine: files to a checked Delta table, by random schedules."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from tests.conformance.drawing import HOW_OFTEN, draw
from tests.conformance.runs import Runs, Scene, runs

pytestmark = pytest.mark.spark


@pytest.mark.parametrize("rounds", HOW_OFTEN)
def test_table_and_quarantine_agree_after_every_attempt_and_end_as_a_plain_run(
    spark: Any, tmp_path: Path, rounds: int
) -> None:
    def holds(told: Runs) -> None:
        scene = Scene(spark=spark, folder=Path(mkdtemp(dir=tmp_path)), told=told)
        scene.run()
        for go in told.goes[-3:]:
            assert scene.outcome(go.day) == told.outcome(go), (go, told)
        shutil.rmtree(scene.folder, ignore_errors=True)

    draw(runs(), holds, rounds)
