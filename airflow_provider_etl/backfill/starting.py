"""From a preview to a backfill that runs: what stands in its way is told, asked, or waited for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import time
from zoneinfo import ZoneInfo

from airflow_provider_etl.backfill.backend import Backend
from airflow_provider_etl.backfill.facts import Part, Progress
from airflow_provider_etl.backfill.follow import INTERRUPTED, follow, ways
from airflow_provider_etl.backfill.look import look
from airflow_provider_etl.backfill.preview import Preview, zone_of
from airflow_provider_etl.backfill.render import name_of, render
from spark_jobs.errors import EtlError


class BlockedError(EtlError):
    """A backfill can't start now; nothing is wrong with what was asked for."""


def go(backend: Backend, preview: Preview) -> int:
    """Start a backfill that was shown.

    Returns:
        0: done or begun; 1: something wasn't loaded, or somebody said no; 130: no longer followed.

    Raises:
        EtlError: something stands in its way: what, and how to get it out of there.
    """
    code = 1 if preview.of("refused") else 0
    if preview.active is not None and preview.active.over:
        backend.close(preview.active.id)
        preview = replace(preview, active=None)
    waits = preview.active is not None and bool(preview.of("in flight"))
    if not (preview.going or waits):
        print("nothing to run")
        return code
    if not _ready(backend, preview):
        return 1
    if preview.active is not None:
        return _after(backend, preview, preview.active)
    if preview.request.batch is not None:
        from airflow_provider_etl.backfill.batch import batch

        return max(code, batch(backend, preview))
    return max(code, begin(backend, preview))


def _after(backend: Backend, preview: Preview, active: Progress) -> int:
    """Wait for another backfill to end, look anew, and start."""
    _unpause(backend, preview)
    if follow(backend, active.id, labels(active), title=f"first, backfill {active.id}") == INTERRUPTED:
        print("the new one wasn't started")
        return INTERRUPTED
    again = look(backend, replace(preview.request, yes=True))  # the question has been answered
    print("\n".join(render(again)), flush=True)
    return go(backend, again)


def begin(backend: Backend, preview: Preview) -> int:
    """Start the Airflow backfill of a preview and, where it is wanted, follow it."""
    number = backend.start(preview.order)
    if not backend.follows:
        return number
    _unpause(backend, preview)  # not before: Airflow may have refused the backfill
    print(f"backfill {number} has begun; {ways(number)}", flush=True)
    if not preview.request.wait:
        return 0
    named = {
        choice.slot.spot: name_of(choice.slot, zone_of(preview.dag, preview.sources)) for choice in preview.choices
    }
    return follow(backend, number, lambda part: named.get(part.slot) or _plain(part))


def _ready(backend: Backend, preview: Preview) -> bool:
    """Whether it may start, and the DAG be unpaused for it.

    Raises:
        BlockedError: the DAG is paused, or another backfill is active and isn't to be waited for.
    """
    request, active = preview.request, preview.active
    if active is not None and (active.paused or not request.wait):
        state = "is paused" if active.paused else "is active, and --no-wait was given"
        raise BlockedError(f"backfill {active.id} of this DAG {state}", where=preview.dag.name, remedy=ways(active.id))
    many = len(preview.going)
    if many and not request.yes and not _ask(f"Run {many} window{'s' if many > 1 else ''}?"):
        return False
    if preview.dag.paused and backend.follows and not request.unpause and not _offer(preview):
        raise BlockedError(
            "the DAG is paused: its backfill would wait for ever and block the next one",
            where=preview.dag.name,
            remedy="give --unpause, which also lets its schedule run",
        )
    return True


def _unpause(backend: Backend, preview: Preview) -> None:
    if preview.dag.paused and backend.follows:
        backend.unpause(preview.dag)
        print(f"{preview.dag.name} is unpaused", flush=True)


def _offer(preview: Preview) -> bool:
    return _terminal() and _ask(f"Unpause {preview.dag.name}?")


def _ask(question: str) -> bool:
    """Ask on a terminal; yes where nobody is there to be asked."""
    return not _terminal() or input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")


def _terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def cancelled(backend: Backend, backfill: int) -> int:
    """End a backfill and say what that left."""
    before = backend.progress(backfill)
    waiting = {part.run_id for part in before.parts if part.run_id and part.state == "queued"}
    after = backend.cancel(backfill)
    label = labels(after)
    ended = [part for part in after.parts if part.run_id in waiting and part.state == "failed"]
    print(f"backfill {backfill} of {after.dag} is ended; {len(ended)} waiting windows are marked as failed")
    for part in (part for part in ended if part.again):
        print(f"  {label(part)} had run before: its rows are as they were")
    for part in (part for part in after.parts if not part.over):
        print(f"  {label(part)} goes on to its end: mark run {part.run_id} as failed to stop it")
    return 0


def labels(progress: Progress) -> Callable[[Part], str]:
    """What the runs of a backfill are called, where only Airflow's word of it is known: their starts."""
    zone = ZoneInfo(progress.timezone)
    starts = {part.slot: part.slot[0].astimezone(zone) for part in progress.parts if part.slot[0] is not None}
    days = all(start.time() == time() for start in starts.values())

    def label(part: Part) -> str:
        start = starts.get(part.slot)
        if start is None:
            return _plain(part)
        return start.date().isoformat() if days else start.isoformat(timespec="minutes")

    return label


def _plain(part: Part) -> str:
    moment, partition = part.slot
    return partition or (moment.isoformat() if moment else part.run_id)
