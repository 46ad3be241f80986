"""A YAML file becomes an idempotent, backfillable Spark ETL pipeline on Apache Airflow.

The names below are the public interface. They are imported when they are first asked for: importing the package alone
imports neither Airflow nor Spark.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from airflow_provider_etl.version import __version__

if TYPE_CHECKING:
    from airflow_provider_etl.factory.loader import load_pipelines
    from airflow_provider_etl.operators.approve import ApproveOperator
    from airflow_provider_etl.operators.check import CheckOperator
    from airflow_provider_etl.operators.extract import ExtractOperator
    from airflow_provider_etl.operators.finish import FinishOperator
    from airflow_provider_etl.operators.load import LoadOperator
    from airflow_provider_etl.operators.maintain import MaintainOperator
    from airflow_provider_etl.operators.pipeline import PipelineOperator
    from airflow_provider_etl.operators.quarantine import QuarantineReplayOperator
    from airflow_provider_etl.operators.transform import TransformOperator
    from airflow_provider_etl.operators.verdict import QuarantineVerdictOperator
    from airflow_provider_etl.sensors.wait import WaitSensor
    from airflow_provider_etl.sensors.wait_for import (
        WaitForFileSensor,
        WaitForHttpSensor,
        WaitForPipelineSensor,
        WaitForS3Sensor,
        WaitForSqlSensor,
        WaitForTableSensor,
    )

_HOMES: Final = {
    "ApproveOperator": "airflow_provider_etl.operators.approve",
    "CheckOperator": "airflow_provider_etl.operators.check",
    "ExtractOperator": "airflow_provider_etl.operators.extract",
    "FinishOperator": "airflow_provider_etl.operators.finish",
    "LoadOperator": "airflow_provider_etl.operators.load",
    "MaintainOperator": "airflow_provider_etl.operators.maintain",
    "PipelineOperator": "airflow_provider_etl.operators.pipeline",
    "QuarantineReplayOperator": "airflow_provider_etl.operators.quarantine",
    "QuarantineVerdictOperator": "airflow_provider_etl.operators.verdict",
    "TransformOperator": "airflow_provider_etl.operators.transform",
    "WaitForFileSensor": "airflow_provider_etl.sensors.wait_for",
    "WaitForHttpSensor": "airflow_provider_etl.sensors.wait_for",
    "WaitForPipelineSensor": "airflow_provider_etl.sensors.wait_for",
    "WaitForS3Sensor": "airflow_provider_etl.sensors.wait_for",
    "WaitForSqlSensor": "airflow_provider_etl.sensors.wait_for",
    "WaitForTableSensor": "airflow_provider_etl.sensors.wait_for",
    "WaitSensor": "airflow_provider_etl.sensors.wait",
    "load_pipelines": "airflow_provider_etl.factory.loader",
}

__all__ = [
    "ApproveOperator",
    "CheckOperator",
    "ExtractOperator",
    "FinishOperator",
    "LoadOperator",
    "MaintainOperator",
    "PipelineOperator",
    "QuarantineReplayOperator",
    "QuarantineVerdictOperator",
    "TransformOperator",
    "WaitForFileSensor",
    "WaitForHttpSensor",
    "WaitForPipelineSensor",
    "WaitForS3Sensor",
    "WaitForSqlSensor",
    "WaitForTableSensor",
    "WaitSensor",
    "__version__",
    "load_pipelines",
]


def __getattr__(name: str) -> Any:
    """Import a public name the first time it is asked for (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """The public names."""
    return sorted(__all__)
