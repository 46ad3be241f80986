"""Orders backfills as a user would, and watches until every window is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console

from demo.airflow_home import AirflowHome, AirflowHomeError
from demo.progress import Progress
from demo.runs import FINISHED, DemoError, Run, Runs

PIPELINES: Final = ("flights", "weather", "planes_daily")
# With their offset, since Airflow takes a bare date for UTC: the last day would be missing.
DAY: Final = "2013-01-{:02}T00:00:00-05:00"
HOURS: Final = ("2013-01-01T06:00:00-05:00", "2013-01-01T09:00:00-05:00")
WEATHER: Final = 4  # hours
PATIENCE: Final = 1200.0  # seconds for one phase, on a machine far slower than the two cores this is made for

Found = dict[str, list[Run]]


class Backfills:
    """The demo's two backfills.

    Args:
        home: a running Airflow.
        console: where the commands are shown.
        days: of flights, 1 to 7.
    """

    def __init__(self, home: AirflowHome, console: Console, days: int = 7) -> None:
        self.home, self.console, self.runs = home, console, Runs(home)
        self.days = days
        self._dates, self._windows = (DAY.format(1), DAY.format(days)), {"flights": days, "weather": WEATHER}

    def switch_on(self) -> None:
        """Wait until the pipelines are DAGs, and unpause them; the one that assets start first, so it misses none."""
        self.home.wait(self._parsed, PATIENCE, "the pipelines are DAGs")
        for dag in reversed(PIPELINES):
            self.home.api("PATCH", f"/api/v2/dags/{dag}", {"is_paused": False})

    def _parsed(self) -> bool:
        errors = self.home.api("GET", "/api/v2/importErrors")["import_errors"]
        if errors:
            raise DemoError("\n".join(f"{error['filename']}: {error['stack_trace']}" for error in errors))
        return set(PIPELINES) <= {dag["dag_id"] for dag in self.home.api("GET", "/api/v2/dags?limit=100")["dags"]}

    def first(self) -> Found:
        """Load the days of flights, and beside them four hours of weather; the flights set off planes_daily."""
        self._create("flights", *self._dates)
        self._create("weather", *HOURS)
        return self._follow("First backfill", {})

    def again(self, first: Found) -> Found:
        """Load the same days of flights once more, although they are there."""
        self.home.wait(lambda: not under_way(self.home, "flights"), PATIENCE, "the first backfill is closed")
        self._create("flights", *self._dates, "--reprocess-behavior", "completed")
        return self._follow("Second backfill, the same days", first)

    def _create(self, dag: str, first: str, last: str, *more: str) -> None:
        arguments = ("--dag-id", dag, "--from-date", first, "--to-date", last, "--max-active-runs", "2", *more)
        self.console.print("$ airflow backfill create " + " ".join(arguments), highlight=False, soft_wrap=True)
        create(self.home, dag, *arguments)

    def _follow(self, title: str, before: Found) -> Found:
        """Watch until every window is loaded and nothing waits any more.

        Args:
            title: what goes on.
            before: the runs as they were; every task of the flights among them must be started once more.
        """
        tries = {(run.run_id, task.name): task.tries for run in before.get("flights", []) for task in run.tasks}
        with Progress(title, [run for runs in before.values() for run in runs]) as progress:

            def done() -> Found | None:
                found = {dag: self.runs.of(dag) for dag in PIPELINES}
                every = [run for runs in found.values() for run in runs]
                progress.show(every)
                self.runs.complain(every)
                return found if self._settled(found, tries) else None

            answer: Found = self.home.wait(done, PATIENCE, "every window is loaded", every=2.0)
        return answer

    def _settled(self, found: Found, tries: Mapping[tuple[str, str], int]) -> bool:
        now = {(run.run_id, task.name): task.tries for run in found["flights"] for task in run.tasks}
        again = all(now.get(key, 0) > count for key, count in tries.items())
        there = all(len(found[dag]) == count for dag, count in self._windows.items()) and bool(found["planes_daily"])
        over = all(run.state in FINISHED for runs in found.values() for run in runs)
        return again and there and over and not self._events_wait()

    def _events_wait(self) -> bool:
        """Whether loads of flights still wait to set off planes_daily."""
        try:
            waiting = self.home.api("GET", "/api/v2/dags/planes_daily/assets/queuedEvents")
        except AirflowHomeError as error:
            if ": 404 " in str(error):
                return False
            raise
        return bool(waiting["total_entries"])


def create(home: AirflowHome, dag: str, *arguments: str) -> None:
    """Run `airflow backfill create`, again where SQLite's only lock was taken meanwhile.

    What such a try has begun is cancelled first; runs of it that run already go on, and the next try leaves them alone.
    The DAG is paused meanwhile: on SQLite the scheduler sees runs that the command may still take back, and dies of one
    that is gone (3.3.2, `ObjectDeletedError` in `_schedule_all_dag_runs`).
    """
    home.wait(lambda: _paused(home, dag, paused=True), PATIENCE, f"{dag} is paused", every=1.0)
    home.wait(lambda: _created(home, dag, arguments), PATIENCE, f"the backfill of {dag} is there", every=2.0)
    home.wait(lambda: _paused(home, dag, paused=False), PATIENCE, f"{dag} goes on", every=1.0)


def _paused(home: AirflowHome, dag: str, *, paused: bool) -> bool:
    """Pause a DAG or let it go on; whether SQLite had room for it."""
    try:
        home.api("PATCH", f"/api/v2/dags/{dag}", {"is_paused": paused})
    except AirflowHomeError as error:
        if ": 500 " in str(error):
            return False
        raise
    return True


def _created(home: AirflowHome, dag: str, arguments: tuple[str, ...]) -> bool:
    try:
        for backfill in under_way(home, dag):
            home.api("PUT", f"/api/v2/backfills/{backfill['id']}/cancel")
        home.run("backfill", "create", *arguments)
    except AirflowHomeError as error:
        if "database is locked" in str(error) or ": 500 " in str(error):
            return False
        raise
    return True


def under_way(home: AirflowHome, dag: str) -> list[dict[str, Any]]:
    """The backfills of a pipeline that haven't ended: Airflow refuses another one beside them."""
    found = home.api("GET", f"/api/v2/backfills?dag_id={dag}")["backfills"]
    return [backfill for backfill in found if not backfill["completed_at"]]
