"""Whether a try goes on with a job of an earlier one, or submits its own: decided by what still exists."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from airflow_provider_etl.engines.base import Detached, Handle, Job
from spark_jobs.errors import InfrastructureError

_PATIENCE: Final = 120.0  # seconds until a cancelled job has ended; whatever it still writes, the ledger refuses
_LOOK: Final = 2.0  # seconds between two looks at it


class Memory(Protocol):
    """Where a task instance keeps the handle of its job, over all its tries."""

    def recall(self) -> Handle | None:
        """The handle that was kept last; None where there is none, or nowhere to keep it."""

    def keep(self, handle: Handle) -> None:
        """Keep a handle, at once."""


class Forgetful:
    """No memory: a job is then found by its name alone."""

    def recall(self) -> Handle | None:
        """Nothing."""
        return None

    def keep(self, handle: Handle) -> None:
        """Nothing is kept."""


def begun(engine: Detached, job: Job, memory: Memory, say: Callable[[str], None]) -> Handle:
    """The job to wait for.

    One of the same token that runs, or that has ended well, is gone on with: its try died, or lost its sight of it. One
    that failed or was cancelled never is. Jobs of other tokens are of an older generation (the task was cleared) or of
    another configuration: those that still run are ended first.

    Args:
        engine: where it runs.
        job: what would be submitted.
        memory: of the task instance.
        say: takes one line of progress.

    Raises:
        EtlError: it couldn't be submitted.
    """
    known = _known(engine, job, memory)
    _end_others(engine, [handle for handle in known if handle.token != job.key], say)
    mine = [handle for handle in known if handle.token == job.key]
    if mine and _useful(engine, mine[0]):
        memory.keep(mine[0])
        say(f"[etl] goes on with job {mine[0].id}, which an earlier try has submitted")
        return mine[0]
    _end_others(engine, mine, say)
    handle = engine.submit(job)
    memory.keep(handle)
    say(f"[etl] submitted as job {handle.id}, named {handle.name}")
    return handle


def _known(engine: Detached, job: Job, memory: Memory) -> Sequence[Handle]:
    """The owner's jobs, newest first; the one that was kept is among them even where the engine lists it no more."""
    listed, kept = list(engine.jobs(job)), memory.recall()
    missing = kept is not None and kept.id not in {handle.id for handle in listed}
    found = [*listed, *([kept] if kept and missing else [])]
    return sorted(found, key=lambda handle: handle.ordinal, reverse=True)


def _useful(engine: Detached, handle: Handle) -> bool:
    outcome = engine.outcome(handle)
    return outcome == "running" or (outcome == "succeeded" and _loaded(engine, handle))


def _loaded(engine: Detached, handle: Handle) -> bool:
    """Whether a job that says it succeeded has left a report that says so too.

    Raises:
        EtlError: nobody can say; a job that may have loaded isn't run again for that.
    """
    report: Any = engine.left(handle)
    last = report[-1] if isinstance(report, list) else report
    return isinstance(last, Mapping) and last.get("state", "failed") != "failed"


def _end_others(engine: Detached, handles: Sequence[Handle], say: Callable[[str], None]) -> None:
    """End jobs that nobody waits for any more, and wait until they have ended.

    Raises:
        InfrastructureError: one still runs.
    """
    alive = [handle for handle in handles if not engine.gone(handle)]
    for handle in alive:
        say(f"[etl] ends job {handle.id}, which this run replaces")
        engine.cancel(handle)
    deadline = time.monotonic() + _PATIENCE
    while alive := [handle for handle in alive if not engine.gone(handle)]:
        if time.monotonic() > deadline:
            raise InfrastructureError(
                f"job {alive[0].id} was cancelled and still runs after {_PATIENCE:g} s",
                where="engine",
                remedy="a retry looks again; end it by hand if it hangs",
            )
        time.sleep(_LOOK)
