"""Windows that `skip_if` leaves out: no run of theirs loads anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from airflow_provider_etl.backfill.choice import Choice
from airflow_provider_etl.backfill.preview import window_of
from airflow_provider_etl.backfill.request import Request
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

_LEFT: Final = "skip_if leaves it out"


def skips(request: Request, choices: Sequence[Choice], pipelines: Sequence[Pipeline], zone: str) -> list[Choice]:
    """The choices, where those that would load nothing say so; where the tables decide, none of them runs.

    Args:
        request: what was asked for. By the ledger or as a batch, the storage is asked as well (`missing`).
        choices: what would become of the windows without `skip_if`.
        pipelines: those that a run loads: a window is left out where all of them leave it out.
        zone: IANA name of the zone in which the windows are cut.

    Raises:
        ConfigError: the storage that is asked can't be, or a parameter in its path has no value.
    """
    if not pipelines or any(pipeline.skip_if is None for pipeline in pipelines):
        return list(choices)
    going = [window_of(choice.slot, zone) for choice in choices if choice.goes and choice.slot.cuts]
    loads = {window for pipeline in pipelines for window in _loads(request, pipeline, going)}
    out = {window.start for window in going} - {window.start for window in loads}
    return [_idle(request, choice) if choice.goes and choice.slot.start in out else choice for choice in choices]


def _loads(request: Request, pipeline: Pipeline, windows: Sequence[Window]) -> list[Window]:
    ask = request.by_ledger or request.batch is not None
    if ask and pipeline.skip_if is not None and pipeline.skip_if.missing is not None:
        pipeline = pipeline.with_params(request.conf or {})
    return pipeline.loaded_of(windows, ask=ask)


def _idle(request: Request, choice: Choice) -> Choice:
    """A first run of it finds that it has nothing to do; one that is there would only be cleared for nothing."""
    if request.by_ledger or (request.batch is not None and choice.action == "again"):
        return replace(choice, action="leave", why=_LEFT, spark=False)
    return replace(choice, why=_LEFT, spark=False)
