"""Many windows in one Spark job: each is computed, checked and committed as if it were alone, and recorded alike.

What a window costs alone is mostly the start of its tasks and of Spark. Here one Spark runs window after window; then
the Airflow runs of those windows find in the ledger that their work is done.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.backfill.choice import Choice
from airflow_provider_etl.backfill.facts import Backend
from airflow_provider_etl.backfill.preview import Preview, length, window_of, zone_of
from airflow_provider_etl.backfill.starting import begin
from spark_jobs.errors import ConfigError, DataError, EtlError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline


@dataclass(kw_only=True)
class Outcome:
    """What a batch has done so far.

    Args:
        stops: whether a window that fails ends the batch, since those behind it depend on it.
        loaded: window -> report.
        failed: window -> why.
    """

    stops: bool = False
    loaded: dict[Window, dict[str, Any]] = field(default_factory=dict)
    failed: dict[Window, str] = field(default_factory=dict)

    def holds(self, window: Window, choice: Choice) -> bool:
        """Whether the tables hold a window now."""
        return window in self.loaded or not choice.spark


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
    """The windows in their order, cut so that each part begins within `span` of its first window."""
    parts: list[list[Window]] = []
    for window in windows:
        if not parts or window.start - parts[-1][0].start >= span:
            parts.append([])
        parts[-1].append(window)
    return parts


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


def run_windows(pipeline: Pipeline, windows: Sequence[Window], outcome: Outcome) -> None:
    """Run windows in one Spark job; one that fails for good is passed over, one that may heal is tried again.

    Args:
        pipeline: what runs.
        windows: in their order.
        outcome: is filled.
    """
    left, tries = list(windows), 0
    while left and not (outcome.stops and outcome.failed):
        loaded, error = _job(pipeline, left, outcome)
        left = left[loaded:]
        tries = 0 if loaded else tries
        if error is None or not left:
            return
        if isinstance(error, ConfigError | DataError) or tries >= pipeline.retries.attempts:
            print(f"  {left[0].key} failed: {error}", flush=True)
            outcome.failed[left.pop(0)] = str(error)
            tries = 0
        else:
            tries += 1
            print(f"  {left[0].key}: {error}; try {tries + 1} of {pipeline.retries.attempts + 1}", flush=True)
            time.sleep(pause(pipeline, tries))


def pause(pipeline: Pipeline, tries: int) -> float:
    """Seconds before the next try, as the file's `retries` says."""
    retries = pipeline.retries
    seconds: float = retries.delay.total_seconds()
    if retries.backoff == "exponential":
        seconds *= 2 ** (tries - 1)
    longest = retries.max_delay
    return min(seconds, longest.total_seconds()) if longest else seconds


def _job(pipeline: Pipeline, windows: Sequence[Window], outcome: Outcome) -> tuple[int, EtlError | None]:
    """One Spark job: how many windows it loaded, and the error that ended it, None where none did."""
    from airflow_provider_etl.engines import engine_of
    from airflow_provider_etl.engines.application import Application, failure
    from airflow_provider_etl.engines.base import Job

    plans = _plans(pipeline, windows)
    job = Job(token=plans[0].attempt.token, plan=[plan.to_json() for plan in plans])
    error: EtlError | None = None
    try:
        reports = Application(engine_of(pipeline.engine.kind), job).run(_say)
        error = failure(reports[-1])
    except EtlError as ended:
        reports, error = _recovered(pipeline, plans), ended
    except KeyboardInterrupt:
        outcome.loaded.update(zip(windows, _recovered(pipeline, plans), strict=False))
        raise
    done = [report for report in reports if report["state"] != "failed"]
    outcome.loaded.update(zip(windows, done, strict=False))
    return len(done), error


def _plans(pipeline: Pipeline, windows: Sequence[Window]) -> list[Any]:
    from uuid import uuid4

    from airflow_provider_etl.hooks.ledger import last_attempt
    from spark_jobs.ledger import attempt_number
    from spark_jobs.plan import Attempt

    token = uuid4().hex
    plans = []
    for window in windows:
        number = attempt_number(pipeline.fingerprint, last_attempt(pipeline, window))
        attempt = Attempt(number=number, token=f"{token}-{window.key}", run=f"batch-{token[:12]}-{window.key}")
        plans.append(pipeline.plan(window, attempt))
    return plans


def _recovered(pipeline: Pipeline, plans: Sequence[Any]) -> list[dict[str, Any]]:
    """What a Spark that left no report had loaded, from its first window on: the ledger knows."""
    from airflow_provider_etl.hooks.ledger import already_done, last_attempt

    found = []
    for plan in plans:
        number = last_attempt(pipeline, plan.window)
        done = already_done(pipeline, plan.window, plan.attempt)
        if done is None or number is None or number < plan.attempt.number:
            break
        found.append(replace(done, state="loaded").to_json())
    return found


def _say(line: str) -> None:
    """Pass on what matters of a job of many windows: its errors, and each window that is loaded."""
    if line.startswith(("[etl] error", "[etl] load ")):
        print(f"  {line.removeprefix('[etl] ')}", flush=True)


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
        asset = asset_of(pipeline.name, load).name
        extra = extra_of(asset, reports)
        if extra and backend.happened(asset, extra):
            print(f"  asset {asset} has changed: {len(reports)} windows", flush=True)
