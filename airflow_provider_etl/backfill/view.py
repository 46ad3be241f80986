"""The live picture of a backfill: a table that redraws itself on a terminal, a line per change elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.backfill.facts import Part, Progress
from airflow_provider_etl.backfill.preview import length
from airflow_provider_etl.backfill.screen import Screen

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

_SIGNS: Final = {
    "success": ("✔", "green"),
    "running": ("▶", "cyan"),
    "failed": ("✘", "red"),
    "upstream_failed": ("✘", "red"),
    "up_for_retry": ("↻", "yellow"),
    "deferred": ("▷", "cyan"),
}
_ORDER: Final = ("extract", "transform", "check", "load")
_DONE, _WAITING, _GOING = 5, 5, 20  # lines on a terminal


class View(Screen):
    """Shows a backfill while it goes on.

    Args:
        title: what goes on.
        label: what a run is called.
    """

    def __init__(self, title: str, label: Callable[[Part], str]) -> None:
        super().__init__(title)
        self._label = label
        self._said: dict[str, tuple[str, str]] = {}

    def show(self, progress: Progress) -> None:
        """Show it as it is now."""
        if self._live:
            self._live.update(self._table(progress))
            return
        for part in progress.parts:
            self._say(part, progress)

    def _say(self, part: Part, progress: Progress) -> None:
        busy = ", ".join(sorted(task for task, state in part.tasks.items() if state in ("running", "up_for_retry")))
        now = (part.state, busy) if part.state == "running" else (part.state, "")
        if not part.run_id or part.state == "queued" or self._said.get(part.run_id) == now:
            return
        self._said[part.run_id] = now
        took = f" after {length(part.seconds)}" if part.over and part.seconds else ""
        doing = f": {busy}" if busy and part.state == "running" else ""
        print(f"  {_age(progress):5.0f} s  {self._label(part)}  {part.state}{doing}{took}", flush=True)

    def _table(self, progress: Progress) -> Table:
        from rich.table import Table

        table = Table(title=f"{self.title} · {summed(progress)}", title_justify="left")
        for column in ("window", "state", "tasks", "time"):
            table.add_column(column, justify="right" if column == "time" else "left")
        for part in _shown(progress):
            table.add_row(
                self._label(part), part.state, _drawn(part.tasks), length(part.seconds) if part.seconds else ""
            )
        return table


def summed(progress: Progress) -> str:
    """How far it is, in a line."""
    runs = [part for part in progress.parts if part.run_id]
    done, failed = (sum(part.state == state for part in runs) for state in ("success", "failed"))
    words = [f"{done} of {len(runs)} windows", f"{failed} failed", length(_age(progress))]
    if progress.dag_paused:
        words.append("the DAG is paused: nothing starts")
    elif progress.paused:
        words.append("the backfill is paused: nothing starts")
    elif left := _left(runs, _age(progress)):
        words.append(f"about {length(left)} left")
    return " · ".join(words)


def _left(runs: list[Part], age: float) -> float:
    """Rough seconds that are left, by the pace until now."""
    over = sum(part.over for part in runs)
    return age / over * (len(runs) - over) if over else 0.0


def _age(progress: Progress) -> float:
    return (datetime.now(UTC) - progress.begun).total_seconds()


def _shown(progress: Progress) -> list[Part]:
    """What matters: failed and running ones, the last that are done, the next that wait."""
    runs = [part for part in progress.parts if part.run_id]
    done = [part for part in runs if part.state == "success"][-_DONE:]
    waiting = [part for part in runs if part.state == "queued"][:_WAITING]
    going = [part for part in runs if part.state not in ("success", "queued")][-_GOING:]
    chosen = {part.run_id for part in (*done, *waiting, *going)}
    return [part for part in runs if part.run_id in chosen]


def _drawn(tasks: Mapping[str, str]) -> Text:
    from rich.text import Text

    drawn = []
    for task in sorted(tasks, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)):
        sign, style = _SIGNS.get(tasks[task], ("·", "dim"))
        drawn.append(Text(f"{sign} {task}", style=style))
    return Text("  ").join(drawn)
