"""Given a driver that has no memory left, then the error says which setting to raise and the tables are as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from spark_jobs.errors import ResourceError
from tests.faults.scene import PIPELINE, Scene, undisturbed

pytestmark = [pytest.mark.prove, pytest.mark.spark]

GREEDY = """  - derive: {value: "value + length(repeat(left(concat('x', value), 1), 2000000000)) * 0"}\n"""


def test_f16_java_that_is_killed_for_its_memory_is_told_as_that(spark: Any, tmp_path: Path) -> None:
    """The kernel ends the largest process, which is Java: Python stays to tell."""
    scene = Scene.make(tmp_path)
    error = scene.run(1, "token", fault=("before commit", "lose java"))
    assert isinstance(error, ResourceError), error
    assert "Java was killed (exit code -9)" in str(error)
    assert "raise the engine's `memory`" in str(error)
    assert not scene.left()
    assert scene.tables() == undisturbed()
    assert scene.run_here(spark, 1, "token")["state"] == "loaded"
    assert scene.tables() == undisturbed(1)


def test_f16_a_heap_that_is_full_is_told_as_that(spark: Any, tmp_path: Path) -> None:
    """Java finds it out by itself: a row is made two gigabytes long."""
    scene = Scene.make(tmp_path)
    greedy = PIPELINE.replace("  - filter", f"{GREEDY}  - filter")
    scene.project.pipeline("orders", greedy)
    error = scene.run(1, "token")
    assert isinstance(error, ResourceError), error
    assert "memory" in str(error)
    assert "raise the engine's `memory`" in str(error)
    assert not scene.left()
    assert scene.tables() == undisturbed()
    scene.project.pipeline("orders", PIPELINE)
    assert scene.run_here(spark, 1)["state"] == "loaded"
    assert scene.tables() == undisturbed(1)
