"""Which windows a run loads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.backfill import REPROCESS
from airflow_provider_etl.compat import Context, partition_start, triggering_extras
from airflow_provider_etl.spec.schedule import Every
from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
START: Final = "window_start"
END: Final = "window_end"


def windows_of(context: Context, pipeline: Pipeline) -> list[Window]:
    """The windows of a run: what its form says, else what its asset events say, else its data interval.

    Args:
        context: the task's context.
        pipeline: whose timezone and schedule count.

    Returns:
        At least one; each once; in the order of their starts.

    Raises:
        ConfigError: there is none, or one isn't a window; or the schedule doesn't cut it, where a source names it: the
            run is of an older schedule, or of a DAG with another one.
    """
    if asked := _asked_for(context):
        return [pipeline.window_of(asked)]
    extras = triggering_extras(context)
    named = {window for name, extra in extras for window in windows_of_event(name, extra)}
    windows = sorted(named) or [_interval(context, pipeline)]
    for window in windows:
        pipeline.demand_cut(window)
    return windows


def reprocessing(context: Context) -> bool:
    """Whether the run's configuration asks to load its window again."""
    conf = getattr(context.get("dag_run"), "conf", None) or {}
    return bool(conf.get(REPROCESS))


def _asked_for(context: Context) -> str:
    """`A/B` or `A` from the run's form or configuration; empty where nothing was asked for."""
    params = context.get("params") or {}
    start, end = params.get(START), params.get(END)
    if end and not start:
        raise ConfigError(f"{END} is given, {START} isn't", where="the run's configuration", expected="both")
    return "/".join(str(moment) for moment in (start, end) if moment)


def windows_of_event(asset: str, extra: dict[str, Any]) -> list[Window]:
    """The windows that an asset event names: one as `window`, or several as `windows`.

    Args:
        asset: name of the asset.
        extra: the event's.

    Raises:
        ConfigError: it names none.
    """
    found = extra.get("windows") or [extra.get("window")]
    try:
        return [Window.from_json(window) for window in found]
    except (TypeError, KeyError, ValueError, AttributeError):
        raise ConfigError(
            f"an event of asset {asset!r} names no window",
            where="asset events",
            expected='extra={"window": {"start": …, "end": …, "timezone": …}}',
            remedy=f"emit it with one, or start this DAG by hand with {START} and {END}",
        ) from None


def _interval(context: Context, pipeline: Pipeline) -> Window:
    partition = partition_start(context)
    if partition is not None:
        return pipeline.window_of(partition.isoformat())
    start, end = context.get("data_interval_start"), context.get("data_interval_end")
    if start is None or end is None or start == end:
        raise ConfigError(
            "the run has no window: no data interval, no asset events",
            where=str(context["run_id"]),
            expected=f"{START} and {END} in the run's configuration",
            remedy='for a schedule of your own, take one that cuts intervals: CronDataIntervalTimetable("@daily", …)',
        )
    if isinstance(pipeline.schedule, Every):
        # A run started by hand gets an interval that ends at the moment of the click: take the window before it.
        anchor, length = pipeline.start or _EPOCH, pipeline.schedule.length
        end = anchor + (end - anchor) // length * length
        start = end - length
    return Window(start=start, end=end, timezone=pipeline.timezone)
