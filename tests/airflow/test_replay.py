"""Which windows a replay runs as a task, and what others learn of it; an engine that only takes notes stands in for
Spark, the tables are real."""

from __future__ import annotations

from typing import Any

import pytest

from tests.airflow.test_windows import NotingEngine, context_of, keys, use
from tests.cli.test_quarantine import Shelf
from tests.spec.conftest import PIPELINE, Project, project

__all__ = ["project"]
pytestmark = pytest.mark.airflow


@pytest.fixture
def shelf(project: Project) -> Shelf:
    return Shelf(project)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> NotingEngine:
    return use(monkeypatch, NotingEngine())


def task_of(shelf: Shelf, **options: Any) -> Any:
    """A replay of the shelf's pipeline as a task, with the table's asset and another as outlets."""
    from airflow.sdk import DAG, Asset

    from airflow_provider_etl import QuarantineReplayOperator

    outlets = [Asset(name=f"{shelf.pipeline.id}.lake"), Asset(name="authors.own")]
    with DAG("nightly", schedule=None):
        return QuarantineReplayOperator(task_id="replay", pipeline=str(shelf.path), outlets=outlets, **options)


def test_a_window_that_todays_schedule_does_not_cut_is_told_and_not_run(shelf: Shelf, engine: NotingEngine) -> None:
    """An hour's file must not take the place of a day's rows."""
    from airflow.sdk.exceptions import AirflowFailException

    shelf.project.write(PIPELINE.replace('"@daily"', '"@hourly"').replace("%Y-%m-%d", "%Y-%m-%dT%H"))
    task = task_of(shelf)
    with pytest.raises(AirflowFailException, match="2 of 2 windows failed, the first: the schedule cuts no window"):
        task.execute(context_of(task))
    assert engine.jobs == []


def test_events_are_of_the_tables_that_have_changed(shelf: Shelf, engine: NotingEngine) -> None:
    task = task_of(shelf)
    context = context_of(task)
    assert [item["state"] for item in task.execute(context)["windows"]] == ["loaded", "loaded"]
    assert keys(engine) == ["2013-01-01", "2013-01-02"]
    [(asset, accessor)] = context["outlet_events"].items()
    assert (asset.name, len(accessor.extra["windows"])) == ("orders.lake", 2)
    quiet = task_of(shelf, rule="nobody broke this")
    context = context_of(quiet)
    assert quiet.execute(context) == {"windows": []}
    assert [outlet.name for outlet in quiet.outlets] == ["authors.own"], "an event without a window stops who waits"
    assert not context["outlet_events"]


def test_a_limit_gives_every_window_its_turn_though_some_fail_every_night(shelf: Shelf, engine: NotingEngine) -> None:
    from datetime import timedelta

    from spark_jobs.errors import ConfigError

    for night in range(12):
        task = task_of(shelf, limit=1)
        task.execute(context_of(task, run_id=f"night_{night}"))
        task.execute(context_of(task, run_id=f"night_{night}"))
    assert len(keys(engine)) == 24
    assert keys(engine)[::2] == keys(engine)[1::2], "a retry takes what its run took"
    assert set(keys(engine)) == {"2013-01-01", "2013-01-02"}
    task = task_of(shelf, since=timedelta(days=30))
    assert task.execute(context_of(task)) == {"windows": []}
    with pytest.raises(ConfigError, match="limit is -1"):
        task_of(shelf, limit=-1)


def test_windows_left_out_wait_and_words_count_what_was_asked_for(
    shelf: Shelf, engine: NotingEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.project.write(PIPELINE.replace("\nstart:", "\nskip_if: {dates: [2013-01-01]}\nstart:"))
    task = task_of(shelf)
    [told] = task.execute(context_of(task))["windows"]
    assert "2013-01-01: left out (skip_if), 3 rows wait" in capsys.readouterr().out
    assert told["window"]["key"] == "2013-01-02"
    shelf.project.write(PIPELINE)
    task = task_of(shelf, rule="ragged")
    [told] = task.execute(context_of(task))["windows"]
    assert (told["before"], told["waiting"]) == (1, 1), "of three that wait"


def test_who_waits_for_the_table_learns_of_what_was_loaded_though_another_window_fails(
    shelf: Shelf, engine: NotingEngine
) -> None:
    """Today's schedule doesn't cut the first of January: that window fails, and the other is loaded."""
    from airflow.sdk.exceptions import AirflowFailException

    shelf.project.write(PIPELINE.replace('"@daily"', '"0 0 2-31 * *"'))
    task = task_of(shelf, fails="all")
    context = context_of(task)
    assert [item["state"] for item in task.execute(context)["windows"]] == ["failed", "loaded"]
    [(asset, accessor)] = context["outlet_events"].items()
    assert (asset.name, accessor.extra["window"]["start"]) == ("orders.lake", "2013-01-02T00:00:00Z")
    task = task_of(shelf)
    with pytest.raises(AirflowFailException, match="1 of 2 windows failed"):
        task.execute(context_of(task))
    assert "2013-01-01" not in keys(engine), "the schedule doesn't cut it"
    shelf.project.write(PIPELINE.replace('"@daily"', '"@monthly"'))
    task = task_of(shelf, fails="all")
    with pytest.raises(AirflowFailException, match="2 of 2 windows failed"):
        task.execute(context_of(task))


def window(key: str, state: str, message: str = "") -> dict[str, Any]:
    return {"window": {"key": key}, "state": state, "error": {"kind": "data", "message": message} if message else None}


def test_the_verdict_fails_in_place_of_the_replay_that_has_loaded_others() -> None:
    from airflow.sdk.exceptions import AirflowFailException

    from airflow_provider_etl import QuarantineVerdictOperator

    def verdict(*windows: dict[str, Any]) -> None:
        QuarantineVerdictOperator(task_id="verdict", replayed={"windows": list(windows)}).execute({})  # type: ignore[typeddict-item]

    with pytest.raises(AirflowFailException, match="this is no replay's output: None"):
        QuarantineVerdictOperator(task_id="verdict", replayed=None).execute({})  # type: ignore[typeddict-item]
    verdict()
    verdict(window("2013-01-01", "loaded"), window("2013-01-02", "skipped"))
    with pytest.raises(AirflowFailException, match="1 of 2 windows failed: 2013-01-02; the first: no file") as told:
        verdict(window("2013-01-01", "loaded"), window("2013-01-02", "failed", "no file"))
    assert "the next replay runs them again" in str(told.value)
    many = [window(f"{day:02}", "failed", "no file") for day in range(1, 13)]
    with pytest.raises(AirflowFailException, match=r"12 of 12 windows failed: 01, .*, 10 and 2 more"):
        verdict(*many)
