"""Live progress: a table that redraws itself on a terminal, a line per change elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from rich.table import Table
from rich.text import Text

from airflow_provider_etl.backfill.screen import Screen
from demo.runs import Run, Task

_SIGNS: Final = {
    "success": ("✔", "green"),
    "running": ("▶", "cyan"),
    "failed": ("✘", "red"),
    "up_for_retry": ("↻", "yellow"),
    "deferred": ("▷", "cyan"),
    "queued": ("…", "dim"),
    "scheduled": ("…", "dim"),
}
_TOLD: Final = ("running", "success", "failed", "up_for_retry")


class Progress(Screen):
    """Shows runs while they go on.

    Args:
        title: what goes on.
        known: runs that were over before; they are shown once one of their tasks has started again.
    """

    def __init__(self, title: str, known: Iterable[Run] = ()) -> None:
        super().__init__(title)
        self.begin = time.monotonic()
        self._known = {run.run_id: run.tries for run in known}
        self._said: dict[tuple[str, str], tuple[str, int]] = {}

    def show(self, runs: Iterable[Run]) -> None:
        """Show the runs as they are now."""
        going = [run for run in runs if run.state != "success" or run.tries != self._known.get(run.run_id)]
        if self._live:
            self._live.update(self._table(going))
            return
        for run in going:
            self._say(run)

    def _table(self, runs: list[Run]) -> Table:
        table = Table(title=f"{self.title} · {time.monotonic() - self.begin:.0f} s", title_justify="left")
        for column in ("pipeline", "window", "state", "tasks", "seconds"):
            table.add_column(column, justify="right" if column == "seconds" else "left")
        for run in runs:
            tasks = Text("  ").join(_drawn(task) for task in run.tasks)
            table.add_row(run.dag, run.label, run.state, tasks, f"{_seconds(run):.0f}")
        return table

    def _say(self, run: Run) -> None:
        for task in run.tasks:
            key = (run.run_id, task.name)
            again = task.tries != self._known.get(run.run_id, {}).get(task.name)
            if again and task.state in _TOLD and self._said.get(key) != (task.state, task.tries):
                self._said[key] = (task.state, task.tries)
                clock = time.monotonic() - self.begin
                took = f" after {task.seconds:.0f} s" if task.state == "success" and task.seconds else ""
                print(f"  {clock:4.0f} s  {run.dag:<12}  {run.label:<16}  {task.name} {task.state}{took}", flush=True)


def _drawn(task: Task) -> Text:
    sign, style = _SIGNS.get(task.state, ("·", "dim"))
    seconds = f" {task.seconds:.0f}s" if task.seconds is not None and task.state == "success" else ""
    return Text(f"{sign} {task.name}{seconds}", style=style)


def _seconds(run: Run) -> float:
    return sum(task.seconds or 0.0 for task in run.tasks)
