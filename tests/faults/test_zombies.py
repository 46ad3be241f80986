"""Given an attempt that hangs until a later one has loaded its window, when it wakes, then it changes nothing."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.faults.scene import Scene, good, marked, undisturbed

pytestmark = [pytest.mark.prove, pytest.mark.spark]


@pytest.mark.parametrize("point", ["before commit", "staged"])
def test_f09_an_attempt_that_wakes_too_late_is_superseded(spark: Any, tmp_path: Path, point: str) -> None:
    """A process that was stopped in the middle, as on a machine that hangs: what it holds is older than the table."""
    scene = Scene.make(tmp_path)
    drop = scene.project.folder / "data/raw/orders/2013-01-01.csv"
    now = drop.read_text()
    drop.write_text(now.replace("5.0", "6.0"))  # what the source said when the zombie read it
    stopped, ended = threading.Event(), list[Any]()

    def listen(line: str) -> None:
        if line.startswith("[fault]"):
            stopped.set()

    zombie = threading.Thread(
        target=lambda: ended.append(scene.run(1, "zombie", fault=(point, "sleep"), listen=listen))
    )
    zombie.start()
    assert stopped.wait(120)
    drop.write_text(now)
    assert scene.run_here(spark, 1, "later")["state"] == "loaded"
    after = scene.tables()
    assert after == undisturbed(1)
    for process in marked(scene.mark):
        if process.status() == psutil.STATUS_STOPPED:
            process.resume()
    zombie.join(120)
    assert {load["state"] for load in ended[0]["loads"].values()} == {"superseded"}, ended
    assert scene.tables() == after
    assert len(after["facts"]) == len(good(1))
    assert not scene.left()
