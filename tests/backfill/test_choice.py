"""What becomes of a window: by its run, by the ledger, by what was asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from airflow_provider_etl.backfill.choice import Choice, Seen, choose, demand
from airflow_provider_etl.backfill.facts import Dag, Run, Slot
from airflow_provider_etl.backfill.held import Held
from airflow_provider_etl.backfill.request import Request
from spark_jobs.errors import ConfigError

START = datetime(2013, 1, 1, tzinfo=UTC)
SLOT = Slot(logical=START, start=START, end=START + timedelta(days=1))
NOW = datetime(2013, 2, 1, tzinfo=UTC)
DAG = Dag(name="flights", timezone="UTC", paused=False, max_active=2, tasks=4, depends_on_past=True)


def fate(run: str | None, held: Held, now: datetime = NOW, **asked: object) -> Choice:
    """What becomes of the first of January."""
    there = Run(run_id="r", state=run) if run else None
    return choose(Request(dag="flights", **asked), Seen(slot=SLOT, run=there, held=held), now)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("run", "held", "asked", "action", "spark"),
    [
        (None, "missing", {}, "start", True),
        (None, "outdated", {}, "start", True),
        (None, "unknown", {}, "start", True),
        (None, "loaded", {}, "start", False),
        (None, "loaded", {"reprocess": "completed"}, "start", True),
        ("success", "loaded", {}, "leave", False),
        ("failed", "missing", {}, "leave", False),
        ("failed", "missing", {"reprocess": "failed"}, "again", True),
        ("success", "loaded", {"reprocess": "failed"}, "leave", False),
        ("success", "loaded", {"reprocess": "completed"}, "again", True),
        ("failed", "missing", {"reprocess": "completed"}, "again", True),
        ("running", "missing", {"reprocess": "completed"}, "in flight", False),
        ("queued", "missing", {"missing": True}, "in flight", False),
        (None, "missing", {"missing": True}, "start", True),
        ("success", "missing", {"missing": True}, "again", True),
        (None, "loaded", {"missing": True}, "leave", False),
        ("success", "outdated", {"missing": True}, "leave", False),
        ("success", "outdated", {"outdated": True}, "again", True),
        ("success", "missing", {"outdated": True}, "leave", False),
        ("success", "missing", {"outdated": True, "missing": True}, "again", True),
    ],
)
def test_the_table_of_fates(run: str | None, held: Held, asked: dict[str, object], action: str, spark: bool) -> None:
    found = fate(run, held, **asked)
    assert (found.action, found.spark) == (action, spark)


def test_a_window_that_is_left_alone_says_how_it_would_run() -> None:
    assert fate("failed", "missing").why == (
        "its run failed: --reprocess failed runs it again, and --missing, since the table lacks it"
    )
    assert "--outdated" in fate("success", "outdated", missing=True).why


def test_a_window_that_is_not_over_is_not_started() -> None:
    assert fate(None, "missing", now=SLOT.end).action == "not yet"
    assert fate(None, "missing", now=SLOT.end + timedelta(seconds=1)).action == "start"


def test_a_window_behind_the_end_of_its_dag_would_never_start() -> None:
    seen = Seen(slot=SLOT, end=START - timedelta(microseconds=1))
    found = choose(Request(dag="flights"), seen, NOW)
    assert found.action == "refused"
    assert "its tasks would never start" in found.why


def test_a_window_that_cuts_another_in_two_is_refused() -> None:
    found = choose(Request(dag="flights"), Seen(slot=SLOT, cut="2013-01-01/2013-02-01"), NOW)
    assert found.action == "refused"
    assert "2013-01-01/2013-02-01" in found.why


@pytest.mark.parametrize(
    ("asked", "before", "why"),
    [
        ({"backwards": True, "reprocess": "failed"}, None, "can't run backwards"),
        ({}, None, "what becomes of those that have a run"),
        ({"reprocess": "completed"}, Run(run_id="r", state="failed"), r"the run before the range \(r\) has failed"),
    ],
)
def test_windows_that_depend_on_the_one_before(asked: dict[str, object], before: Run | None, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        demand(DAG, Request(dag="flights", **asked), before)  # type: ignore[arg-type]


def test_windows_that_depend_on_the_one_before_may_run_in_order() -> None:
    demand(DAG, Request(dag="flights", reprocess="failed"), Run(run_id="r", state="success"))
    demand(DAG, Request(dag="flights", missing=True), None)
