"""Given a driver that is killed at a named point, then tables are as before or as after, and a retry ends its load.

A process of its own, SIGKILL, two tables: one that replaces windows, one by key with tombstones beside it.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from spark_jobs.errors import ResourceError
from tests.faults.scene import Scene, undisturbed

pytestmark = [pytest.mark.prove, pytest.mark.spark]

DYING: Final = {
    "before staging": "F01",
    "staged": "F01",
    "audited": "F01",
    "before commit": "F01",
    "after commit": "F03",
    "before side commit": "F02",
    "after side commit": "F02",
    "before report": "F03",
}
"""Kill point -> the fault of which it is a moment."""
BEFORE: Final = ("before staging", "staged", "audited", "before commit")
"""Before any table's commit."""
HERE: Final = "after commit"
"""The one that every run of the suite kills at; `make prove` has the others."""


@pytest.fixture(scope="module")
def scene(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """A day is loaded."""
    made = Scene.make(tmp_path_factory.mktemp("kills"))
    assert made.run_here(spark, 1)["state"] == "loaded"
    assert made.tables() == undisturbed(1)
    return made


@pytest.mark.parametrize(
    "point",
    [
        pytest.param(point, id=f"{fault}-{point}", marks=() if point == HERE else pytest.mark.prove)
        for point, fault in DYING.items()
    ],
)
def test_a_driver_that_is_killed_there_shows_whole_windows_and_its_retry_ends_them(
    scene: Scene, spark: Any, point: str
) -> None:
    number = len(scene.loaded) + 1
    before, after = undisturbed(*scene.loaded), undisturbed(*scene.loaded, number)
    error = scene.run(number, f"token-{number}", fault=(point, "die"))
    assert isinstance(error, ResourceError), error
    assert "exit code -9" in str(error)
    assert f"[fault] die {point}" in scene.said
    assert not scene.left()
    shown = scene.tables()
    for name, rows in shown.items():
        assert rows in (before[name], after[name]), f"{name} holds half a window"
    if point in BEFORE:
        assert shown == before
    if point == "before report":
        assert shown == after

    report = scene.run_here(spark, number, f"token-{number}")
    assert report["state"] == "loaded", report
    # What is there whole is found again; else all is made anew, and what had been committed is replaced by the same.
    states = {load["state"] for load in report["loads"].values()}
    assert states == {"already_done" if shown == after else "loaded"}
    assert scene.tables() == after
