"""Windows in one Spark job: what fails for good is passed over, what may heal is tried again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from airflow_provider_etl.backfill.choice import Choice
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
    from airflow_provider_etl.hooks.connections import connections_of

    plans = _plans(pipeline, windows)
    error: EtlError | None = None
    try:
        known, asked = connections_of(plans), [plan.to_json() for plan in plans]
        job = Job(token=plans[0].attempt.token, plan=asked, connections=known)
        reports = Application(engine_of(pipeline.engine.kind, pipeline.engine.options()), job).run(_say)
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

    from airflow_provider_etl.hooks.ledger import newest_attempt
    from spark_jobs.ledger import attempt_number
    from spark_jobs.plan import Attempt

    token = uuid4().hex
    plans = []
    for window in windows:
        number = attempt_number(pipeline.fingerprint, newest_attempt(pipeline, window))
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
