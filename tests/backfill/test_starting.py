"""What stands in a backfill's way is told, asked or waited for; what it did is told. The Airflow is a fake."""

from __future__ import annotations

from dataclasses import replace

import pytest

from airflow_provider_etl.backfill import follow as following
from airflow_provider_etl.backfill import starting
from airflow_provider_etl.backfill.facts import Dag, Part, Progress
from airflow_provider_etl.backfill.follow import INTERRUPTED, follow
from airflow_provider_etl.backfill.look import look
from airflow_provider_etl.backfill.starting import BlockedError, cancelled, go, labels
from tests.airflow.project import Project
from tests.backfill.fakes import FakeAirflow, day, progress
from tests.backfill.test_preview import asked

PAUSED = Dag(name="flights", timezone="UTC", paused=True, max_active=2, tasks=4)
RUNNING = Part(slot=(day(1), None), run_id="run 01", state="running", tasks={"load": "running"})
QUEUED = Part(slot=(day(2), None), run_id="run 02", state="queued", again=True)


def test_it_starts_is_followed_and_says_how_to_come_back(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    airflow = FakeAirflow()
    assert go(airflow, look(airflow, asked(project))) == 0
    said = capsys.readouterr().out
    assert "backfill 7 has begun; follow it again: airflow-etl backfill --follow 7" in said
    assert "backfill 7 of flights: 3 succeeded, 0 failed" in said


def test_failed_windows_are_1_and_the_way_to_run_them_again(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    airflow = FakeAirflow(fails=(day(2), day(3)))
    assert go(airflow, look(airflow, asked(project))) == 1
    said = capsys.readouterr().out
    assert "  2013-01-02 failed: run run 02" in said
    again = "--from 2013-01-02T00:00-05:00 --to 2013-01-03T00:00-05:00 --reprocess failed"
    assert f"once the cause is gone: airflow-etl backfill flights {again}" in said


def test_without_waiting_it_only_starts(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    airflow = FakeAirflow(fails=(day(2),))
    assert go(airflow, look(airflow, asked(project, wait=False))) == 0
    assert "loaded" not in capsys.readouterr().out


def test_a_paused_dag_starts_nothing_unless_it_may_be_unpaused(project: Project) -> None:
    airflow = FakeAirflow(known=PAUSED)
    with pytest.raises(BlockedError, match=r"would wait for ever and block the next one; give --unpause"):
        go(airflow, look(airflow, asked(project, yes=True)))
    assert not airflow.orders
    assert go(airflow, look(airflow, asked(project, unpause=True))) == 0
    assert airflow.unpaused


def test_a_terminal_is_asked_and_no_means_no(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    questions: list[str] = []
    answers = iter(["n", "", "n", "", "y"])
    monkeypatch.setattr(starting, "_terminal", lambda: True)
    monkeypatch.setattr("builtins.input", lambda text: (questions.append(text), next(answers))[1])
    airflow = FakeAirflow(known=PAUSED)
    preview = look(airflow, asked(project))
    assert go(airflow, preview) == 1
    with pytest.raises(BlockedError):
        go(airflow, preview)
    assert not airflow.unpaused
    assert go(airflow, preview) == 0
    run, unpause = "Run 3 windows? [Y/n] ", "Unpause flights? [Y/n] "
    assert questions == [run, run, unpause, run, unpause]


@pytest.mark.parametrize(
    ("active", "asked_for", "why"),
    [
        (progress([RUNNING], completed=False), {"wait": False}, "is active, and --no-wait was given"),
        (progress([QUEUED], paused=True, completed=False), {}, "is paused"),
    ],
)
def test_another_backfill_that_is_not_to_be_waited_for_is_told(
    project: Project, active: Progress, asked_for: dict[str, object], why: str
) -> None:
    airflow = FakeAirflow(going=active)
    with pytest.raises(BlockedError, match=f"backfill 3 of this DAG {why}; follow it again: .*--cancel 3"):
        go(airflow, look(airflow, asked(project, **asked_for)))
    assert not airflow.orders


def test_another_backfill_is_waited_for_and_everything_is_looked_at_anew(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    airflow = FakeAirflow(going=progress([RUNNING], completed=False))
    preview = look(airflow, asked(project))
    looks: list[int] = []

    def ends(_backend: object, backfill: int, _label: object, *, title: str = "") -> int:
        looks.append(backfill)
        airflow.going = None
        return 0

    monkeypatch.setattr(starting, "follow", ends)
    assert go(airflow, preview) == 0
    assert looks == [3, 7], "the other one first, then ours"
    assert capsys.readouterr().out.count("3 windows: 3 to run") == 1


def test_another_backfill_whose_runs_are_over_is_in_nobody_s_way(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """The scheduler closes it up to half a minute later, and Airflow would refuse the next one until then."""
    airflow = FakeAirflow(going=progress([replace(RUNNING, state="success")], completed=False))
    assert go(airflow, look(airflow, asked(project, wait=False))) == 0
    assert airflow.going is None
    assert len(airflow.orders) == 1


def test_ctrl_c_leaves_the_backfill_alone(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following.time, "sleep", interrupt)
    monkeypatch.setattr(FakeAirflow, "progress", lambda *_: progress([RUNNING, QUEUED], completed=False))
    assert follow(FakeAirflow(), 3, labels(progress([RUNNING]))) == INTERRUPTED
    said = capsys.readouterr().out
    assert "2013-01-01  running: load" in said
    assert "backfill 3 goes on; follow it again: airflow-etl backfill --follow 3; end it:" in said


def test_ending_one_says_what_that_leaves(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeAirflow, "progress", lambda *_: progress([RUNNING, QUEUED], completed=False))
    monkeypatch.setattr(FakeAirflow, "cancel", lambda *_: progress([RUNNING, replace(QUEUED, state="failed")]))
    assert cancelled(FakeAirflow(), 3) == 0
    assert capsys.readouterr().out.splitlines() == [
        "backfill 3 of flights is ended; 1 waiting windows are marked as failed",
        "  2013-01-02 had run before: its rows are as they were",
        "  2013-01-01 goes on to its end: mark run run 01 as failed to stop it",
    ]


def test_nothing_to_run_is_0_and_refused_windows_are_1(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    ended = replace(FakeAirflow().known, end=day(1))
    airflow = FakeAirflow(known=ended)
    assert go(airflow, look(airflow, asked(project, "2013-01-02"))) == 1
    assert capsys.readouterr().out == "nothing to run\n"
    assert go(airflow, look(airflow, asked(project, "2013-01-01"))) == 1, "two of three can't be run"
    assert [len(order.slots) for order in airflow.orders] == [1]
