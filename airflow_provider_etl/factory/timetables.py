"""A pipeline's schedule as Airflow's: always an explicit one that cuts intervals, since a bare cron text cuts none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_provider_etl.compat import (
    AIRFLOW_VERSION,
    Asset,
    CronDataIntervalTimetable,
    CronPartitionTimetable,
    DeltaDataIntervalTimetable,
    Param,
)
from airflow_provider_etl.operators.windows import END, START
from airflow_provider_etl.spec.schedule import Assets, Cron, Every, Manual, Partition
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.spec import Pipeline
    from airflow_provider_etl.spec.params import Param as PipelineParam


def schedule_of(pipeline: Pipeline) -> Any:
    """What a DAG's `schedule` takes; None where the pipeline is started by hand."""
    schedule = pipeline.schedule
    if isinstance(schedule, Partition):
        return _partitions(schedule, pipeline.timezone)
    if isinstance(schedule, Cron):
        return CronDataIntervalTimetable(schedule.expression, timezone=pipeline.timezone)
    if isinstance(schedule, Every):
        return DeltaDataIntervalTimetable(schedule.length)
    return assets_of(pipeline) or None


def _partitions(schedule: Partition, timezone: str) -> Any:
    """Runs at the end of each window, for the partition that is named after its start.

    Raises:
        ConfigError: this Airflow has no partitioned runs.
    """
    if CronPartitionTimetable is None:
        raise ConfigError(
            "schedule {partition: …} needs Airflow 3.2 or later",
            where="schedule",
            expected=f"an Airflow that has partitioned runs; this is {'.'.join(map(str, AIRFLOW_VERSION))}",
            remedy=f'schedule: "{schedule.text}" cuts the same windows',
        )
    key_format = schedule.key_format(timezone)
    return CronPartitionTimetable(schedule.expression, timezone=timezone, run_offset=-1, key_format=key_format)


def assets_of(pipeline: Pipeline) -> list[Asset]:
    """The assets whose events start a pipeline; empty where time or people do."""
    return [Asset(name=name) for name in pipeline.schedule.names] if isinstance(pipeline.schedule, Assets) else []


def params_of(pipeline: Pipeline) -> dict[str, Param]:
    """The form of a run started by hand: the window, a must where the schedule gives none, and its own parameters."""
    return _window(pipeline) | {name: _param(param) for name, param in pipeline.params.items()}


def _param(param: PipelineParam) -> Param:
    told = {"title": param.name, "description": param.option.description or None}
    return Param(*([] if param.default is None else [param.default]), **told, **param.schema)


def _window(pipeline: Pipeline) -> dict[str, Param]:
    scheduled = not isinstance(pipeline.schedule, Manual)
    zone = pipeline.timezone
    told = {
        START: f"First instant of the window, such as 2013-01-01 or 2013-01-01T05:00; {zone} where it has no offset.",
        END: "First instant after the window.",
    }
    if scheduled:
        empty = " Empty: the window of the schedule."
        return {
            name: Param(None, type=["null", "string"], title=name, description=text + empty)
            for name, text in told.items()
        }
    return {name: Param(type="string", minLength=1, title=name, description=text) for name, text in told.items()}
