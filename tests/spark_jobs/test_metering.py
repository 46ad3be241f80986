"""What is kept for advice: windows that did their work, or ran out of memory; nothing that goes wrong fails a run."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from spark_jobs.metering import Metering
from spark_jobs.plan import VERBS, Attempt, Plan
from spark_jobs.report import Report
from spark_jobs.usage import Usage
from spark_jobs.usage_kept import Kept, Local
from spark_jobs.window import Window

WINDOW = Window(start=datetime(2013, 1, 1, tzinfo=UTC), end=datetime(2013, 1, 2, tzinfo=UTC))
OUT_OF_MEMORY = {"kind": "resource", "message": "Spark ran out of memory", "where": "load.lake"}


class Fixed:
    """A meter whose figures are known: what is asked of Spark is test_run's."""

    def usage(self) -> Usage:
        return Usage(seconds=1.0, cores=2, heap_peak=1 << 20, heap_max=1 << 30)


@pytest.fixture
def ended(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Ends a run; what is kept then."""
    plan = Plan(
        pipeline="flights",
        window=WINDOW,
        fingerprint="f",
        attempt=Attempt(number=1, token="t", run="r"),
        load={"lake": ("flights", object())},
        staging=str(tmp_path / "staging"),
        quarantine=str(tmp_path / "quarantine"),
    )

    def end(meter: Any = None, said: list[str] | None = None, **state: Any) -> list[dict[str, Any]]:
        report = Report.begun(plan)
        for name, value in state.items():
            setattr(report, name, value)
        metering = Metering(None, [].append if said is None else said.append)  # type: ignore[arg-type]
        metering._meter = Fixed() if meter is None else meter
        metering.end(plan, report)
        assert (report.usage != {}) == (meter is None)
        return Kept(folder=plan.quarantine, pipeline="flights", storage=Local()).entries("run")

    return end


def test_a_run_that_only_found_its_own_commit_again_says_nothing_of_what_windows_need(
    ended: Callable[..., list[dict[str, Any]]],
) -> None:
    assert ended(state="loaded", verbs=[]) == []
    assert len(ended(state="loaded", verbs=list(VERBS))) == 1
    assert len(ended(state="failed", verbs=["extract"], error={"kind": "data", "message": "no memory of it"})) == 1


def test_one_that_ran_out_of_memory_is_kept_as_such(ended: Callable[..., list[dict[str, Any]]]) -> None:
    (kept,) = ended(state="failed", verbs=["extract"], error=OUT_OF_MEMORY)
    assert kept["failed"] is True
    assert [entry["failed"] for entry in ended(state="loaded", verbs=list(VERBS))] == [True, False]


def test_what_can_not_be_measured_or_kept_is_told_and_fails_nothing(
    ended: Callable[..., list[dict[str, Any]]], tmp_path: Path
) -> None:
    said: list[str] = []
    (tmp_path / "quarantine").write_text("a file where a folder should be")
    ended(said=said, state="loaded", verbs=list(VERBS))
    assert "warning: what the run needed isn't kept for advice" in said[-1]
    ended(meter=object(), said=said, state="loaded", verbs=list(VERBS))
    assert "warning: what the run needed isn't known" in said[-1]
