"""Running windows again that have rows set aside: which, and what became of the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from airflow_provider_etl.hooks.quarantine import QuarantineHook, Wanted
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.unrun import unrun
from spark_jobs.errors import EtlError
from spark_jobs.window import Window

T = TypeVar("T")


def waiting(pipeline: Pipeline, wanted: Wanted, *, hopeful: bool = False) -> dict[Window, int]:
    """Window -> how many rows of it wait, as far as they are wanted; in the order of windows.

    Args:
        pipeline: whose quarantine is looked at.
        wanted: which rows count.
        hopeful: only windows with rows that may be accepted now, though their source is as it was: they broke rules
            about other data, or the pipeline's configuration has changed since.
    """
    hook = QuarantineHook(pipeline)
    found, hoped = dict[Window, int](), set[Window]()
    for group in hook.groups(wanted):
        found[group.window] = found.get(group.window, 0) + group.rows
        hoped |= {group.window} if hook.hopeful(group) else set()
    return {window: rows for window, rows in found.items() if window in hoped or not hopeful}


def attempted(pipeline: Pipeline, window: Window, do: Callable[[Pipeline, Window], T]) -> T | dict[str, Any]:
    """What a function makes of a window; where it can't, the report of a run that failed, so that others go on.

    A window that today's schedule doesn't cut never comes to it where a source names the window: that has the rows of
    another window, and they would take the place of all of this one's.

    Args:
        pipeline: the pipeline.
        window: which is to be run.
        do: runs it, or plans the run.
    """
    try:
        pipeline.demand_cut(window)
        return do(pipeline, window)
    except EtlError as error:
        return unrun(pipeline, window, error)


def outcome(
    pipeline: Pipeline, window: Window, before: int, report: Mapping[str, Any], wanted: Wanted | None = None
) -> dict[str, Any]:
    """What a replay of a window has done: `{window, state, before, waiting, again, error}`.

    Args:
        pipeline: the pipeline.
        window: which was run.
        before: how many of its rows waited.
        report: of the run.
        wanted: which rows were counted before, and are now; None for all that wait.
    """
    asked = replace(wanted or Wanted(), first=window.start, last=window.start, until=window.end)
    hook, waits, again = QuarantineHook(pipeline), 0, 0
    for row in hook.rows(asked, ("retries",)):
        mine = hook.window(row) == window  # and not a shorter one that starts with it
        waits, again = waits + mine, again + (mine and row["retries"] > 0)
    return {
        "window": window.to_json() | {"key": window.key},
        "state": report["state"],
        "before": before,
        "waiting": waits,
        "again": again,
        "error": report.get("error"),
    }


def told(outcomes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What became of the rows, a line a window."""
    for item in outcomes:
        key, error, waits = item["window"]["key"], item["error"], item["waiting"]
        if error:  # one of several loads may have committed before it: what waits was counted anew
            yield f"  {key}: failed, {waits:,} rows wait: error[{error['kind']}]: {error['message']}"
        elif item["state"] == "skipped":
            yield f"  {key}: left out (skip_if), {waits:,} rows wait"
        else:
            new = waits - item["again"]
            more = f", {new:,} others were set aside" if new else ""
            yield f"  {key}: {item['before']:,} rows waited, {item['again']:,} were refused again{more}"
