"""Watching a backfill to its end; it goes on whether somebody watches or not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

from airflow_provider_etl.backfill.backend import Backend
from airflow_provider_etl.backfill.facts import Part, Progress
from airflow_provider_etl.backfill.view import View
from spark_jobs.errors import InfrastructureError

INTERRUPTED: Final = 130
_EVERY: Final = 2.0  # seconds between two looks
_PATIENCE: Final = 30  # looks in a row that may fail before it is given up


def follow(backend: Backend, backfill: int, label: Callable[[Part], str], *, title: str = "") -> int:
    """Show a backfill until it is over.

    Args:
        backend: the Airflow that runs it.
        backfill: its number.
        label: what a run is called.
        title: what is said first.

    Returns:
        0: every window that it ran was loaded; 1: some were not; 130: somebody pressed Ctrl-C, and it goes on.
    """
    progress = backend.progress(backfill)
    try:
        with View(title or f"backfill {backfill} of {progress.dag}", label) as view:
            while True:
                view.show(progress)
                if progress.over:
                    break
                time.sleep(_EVERY)
                progress = _look(backend, backfill)
    except KeyboardInterrupt:
        print(f"\nbackfill {backfill} goes on; {ways(backfill)}", flush=True)
        return INTERRUPTED
    if not progress.completed:
        backend.close(backfill)
    return told(progress, label)


def ways(backfill: int) -> str:
    """How to come back to a backfill."""
    return (
        f"follow it again: airflow-etl backfill --follow {backfill}; end it: airflow-etl backfill --cancel {backfill}"
    )


def _range(parts: list[Part], progress: Progress) -> str:
    moments = sorted(moment for part in parts if (moment := part.slot[0]) is not None)
    ends = [moment.astimezone(ZoneInfo(progress.timezone)).isoformat(timespec="minutes") for moment in moments]
    return f"--from {ends[0]} --to {ends[-1]}" if ends else "--from … --to …"


def _look(backend: Backend, backfill: int) -> Progress:
    """The next look; a database that is away for a moment doesn't end the watching.

    Raises:
        InfrastructureError: it stays away.
    """
    for _ in range(_PATIENCE):
        try:
            return backend.progress(backfill)
        except InfrastructureError:
            time.sleep(_EVERY)
    return backend.progress(backfill)


def told(progress: Progress, label: Callable[[Part], str]) -> int:
    """Say how a backfill ended, and what to do about windows that weren't loaded; the exit code."""
    done = [part for part in progress.parts if part.state == "success"]
    failed = [part for part in progress.parts if part.state == "failed"]
    left = [part for part in progress.parts if not part.run_id]
    print(f"backfill {progress.id} of {progress.dag}: {len(done)} succeeded, {len(failed)} failed", flush=True)
    for part in failed:
        tasks = ", ".join(sorted(task for task, state in part.tasks.items() if state == "failed"))
        print(f"  {label(part)} failed{f' in {tasks}' if tasks else ''}: run {part.run_id}")
    for part in left:
        print(f"  {label(part)} wasn't run by it: {part.reason}")
    if failed:
        print(
            f"once the cause is gone: airflow-etl backfill {progress.dag} {_range(failed, progress)} --reprocess failed"
        )
    unfinished = [part for part in progress.parts if not part.over]
    if unfinished:
        print(f"  {len(unfinished)} go on by themselves, since the backfill was ended meanwhile")
    return 1 if failed else 0
