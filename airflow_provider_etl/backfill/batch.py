"""Many windows in one Spark job: each is computed, checked and committed as if it were alone, and recorded alike.

What a window costs alone is mostly the start of its tasks and of Spark. Here one Spark runs window after window; then
the Airflow runs of those windows find in the ledger that their work is done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.backfill.backend import Backend
from airflow_provider_etl.backfill.choice import Choice
from airflow_provider_etl.backfill.jobs import Outcome, run_windows
from airflow_provider_etl.backfill.preview import Preview, length, window_of, zone_of
from airflow_provider_etl.backfill.starting import begin
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


def batch(backend: Backend, preview: Preview) -> int:
    """Compute the windows of a preview here, then have Airflow run those that have no run yet.

    Returns:
        0: all were loaded; 1: some were not; 130: somebody pressed Ctrl-C.

    Raises:
        ConfigError: the DAG isn't one pipeline of ours.
    """
    pipeline, span = _pipeline(preview), preview.request.batch or timedelta.max
    zone = zone_of(preview.dag, preview.sources)
    windows = {window_of(choice.slot, zone): choice for choice in preview.going}
    parts = chunks([window for window, choice in windows.items() if choice.spark], span)
    outcome = Outcome(stops=preview.dag.depends_on_past)
    try:
        _run_all(backend, pipeline, parts, outcome)
    except KeyboardInterrupt:
        print(
            f"\nended; {len(outcome.loaded)} windows are loaded. To go on: the same command with --missing", flush=True
        )
        return 130
    code = begin_runs(backend, preview, [choice for window, choice in windows.items() if outcome.holds(window, choice)])
    for window, why in outcome.failed.items():
        print(f"  {window.key} wasn't loaded: {why}")
    return max(code, 1 if outcome.failed else 0)


def _pipeline(preview: Preview) -> Pipeline:
    if len(preview.sources.pipelines) != 1 or preview.sources.problem:
        raise ConfigError(
            f"--batch needs a DAG of one pipeline: {preview.sources.problem or 'this one has several'}",
            where=preview.dag.name,
            remedy="name the pipeline file instead of the DAG, or leave --batch out",
        )
    return preview.sources.pipelines[0]


def chunks(windows: Sequence[Window], span: timedelta) -> list[list[Window]]:
    """The windows in their order, cut so that those of a part begin within `span` of its first one.

    Counted on the wall clock: thirty days are thirty daily windows, whatever daylight saving does meanwhile.
    """
    parts: list[list[Window]] = []
    for window in windows:
        if not parts or _wall(window) - _wall(parts[-1][0]) >= span:
            parts.append([])
        parts[-1].append(window)
    return parts


def _wall(window: Window) -> datetime:
    return window.local_start.replace(tzinfo=None)


def _run_all(backend: Backend, pipeline: Pipeline, parts: Sequence[Sequence[Window]], outcome: Outcome) -> None:
    begun, total = time.monotonic(), sum(map(len, parts))
    for number, part in enumerate(parts, 1):
        print(f"Spark job {number} of {len(parts)}: {len(part)} windows, {part[0].key} .. {part[-1].key}", flush=True)
        try:
            run_windows(pipeline, part, outcome)
        finally:  # what is loaded is told, however the rest ends
            _tell(backend, pipeline, [outcome.loaded[window] for window in part if window in outcome.loaded])
        if outcome.stops and outcome.failed:
            return
        done, spent = len(outcome.loaded) + len(outcome.failed), time.monotonic() - begun
        left = f", about {length(spent / done * (total - done))} left" if done < total else ""
        print(f"  {done} of {total} windows after {length(spent)}{left}", flush=True)


def begin_runs(backend: Backend, preview: Preview, choices: Sequence[Choice]) -> int:
    """Have Airflow run the windows that have no run yet: their first task finds the window loaded.

    Those that have a run keep it, with a note, since a cleared one would really run again.
    """
    kept = [choice.run.run_id for choice in choices if choice.action == "again" and choice.run is not None]
    if kept:
        print(f"{len(kept)} windows keep the runs that they have, with a note that says so", flush=True)
        note = f"loaded again {datetime.now(UTC):%Y-%m-%d %H:%M} UTC by `airflow-etl backfill --batch`"
        backend.loaded(preview.dag, kept, note)
    fresh = [choice for choice in choices if choice.action == "start"]
    if not fresh:
        return 0
    # Not to be loaded again, whatever was asked of the batch: it has done so.
    request = replace(preview.request, batch=None, reprocess="none", missing=False, outdated=False)
    return begin(backend, replace(preview, request=request, choices=fresh))


def _tell(backend: Backend, pipeline: Pipeline, reports: Sequence[dict[str, Any]]) -> None:
    """Tell the pipelines that these loads' assets start: one event for each asset, with all windows."""
    from airflow_provider_etl.operators.events import asset_of, extra_of

    for load in pipeline.load:
        asset = asset_of(pipeline.id, load).name
        extra = extra_of(asset, reports)
        if extra and backend.happened(asset, extra):
            print(f"  asset {asset} has changed: {len(reports)} windows", flush=True)
