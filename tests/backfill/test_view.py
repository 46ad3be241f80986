"""The live table: what matters of a backfill of any length, and lines for what is no terminal."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from rich.console import Console

from airflow_provider_etl.backfill.facts import Part
from airflow_provider_etl.backfill.view import View, summed
from tests.backfill.fakes import day, progress


def part(number: int, state: str, **tasks: str) -> Part:
    """The run of a day."""
    seconds = None if state == "queued" else 12.0
    return Part(slot=(day(number), None), run_id=f"run {number}", state=state, seconds=seconds, tasks=tasks)


def label(item: Part) -> str:
    assert item.slot[0] is not None
    return f"{item.slot[0]:%Y-%m-%d}"


YEAR = [
    *(part(number, "success") for number in range(1, 101)),
    part(101, "failed", load="upstream_failed", extract="failed"),
    part(102, "running", extract="success", transform="running"),
    *(part(number, "queued") for number in range(103, 366)),
]


def test_of_a_year_a_terminal_shows_what_goes_on_what_failed_and_the_neighbours() -> None:
    console = Console(file=StringIO(), width=120)
    console.print(View("backfill 3 of flights", label)._table(progress(YEAR, completed=False)))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "backfill 3 of flights · 100 of 365 windows · 1 failed" in said
    assert "✘ extract  ✘ load" in said
    assert "✔ extract  ▶ transform" in said
    days = [line.split()[1] for line in said.splitlines() if line.startswith("│ 2013")]
    assert days == [f"{day(number):%Y-%m-%d}" for number in range(96, 108)]


def test_elsewhere_a_line_tells_each_change_once(capsys: pytest.CaptureFixture[str]) -> None:
    with View("backfill 3", label) as view:
        for state in ("queued", "running", "running", "success", "success"):
            view.show(progress([part(1, state, load=state)], completed=False))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == ["backfill 3", "0 s 2013-01-01 running: load", "0 s 2013-01-01 success after 12 s"]


def test_what_holds_it_up_is_said() -> None:
    assert summed(progress(YEAR, paused=True)).endswith("the backfill is paused: nothing starts")
    begun = progress(YEAR[:101] + YEAR[101:202])
    early = begun.begun - timedelta(seconds=202)
    assert "left" in summed(type(begun)(**{**vars(begun), "begun": early}))
