"""Engines: where Spark runs, one file per kind. None of them imports Airflow or Spark."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Final

from airflow_provider_etl.engines.base import Engine
from airflow_provider_etl.spec.services import SERVICES
from spark_jobs.errors import ConfigError

ENGINES: Final = {
    "local": "airflow_provider_etl.engines.local:LocalEngine",
    "local_warm": "airflow_provider_etl.engines.local_warm:LocalWarmEngine",
    "local_connect": "airflow_provider_etl.engines.local_connect:LocalConnectEngine",
    "connect": "airflow_provider_etl.engines.connect:ConnectEngine",
    "spark_submit": "airflow_provider_etl.engines.spark_submit:SparkSubmitEngine",
    "emr_serverless": "airflow_provider_etl.engines.emr_serverless:EmrServerlessEngine",
    "emr": "airflow_provider_etl.engines.emr:EmrEngine",
    "kubernetes": "airflow_provider_etl.engines.kubernetes:KubernetesEngine",
    "databricks": "airflow_provider_etl.engines.databricks:DatabricksEngine",
    "dataproc": "airflow_provider_etl.engines.dataproc:DataprocEngine",
}
_EXTRAS: Final = {"emr_serverless": "amazon", "emr": "amazon"}  # of this package; others are called as their kind


def engine_of(kind: str, options: Mapping[str, Any] | None = None) -> Engine:
    """An engine of a kind.

    Args:
        kind: as in the environment file's `engines`.
        options: what the kind needs beside the plan, JSON without secrets; `spec.engines.Engine.options`.

    Raises:
        ConfigError: no such kind, or a package that it needs isn't installed.
    """
    if kind not in ENGINES:
        raise ConfigError(f"unknown engine kind {kind!r}", where="engines", expected=f"one of {', '.join(ENGINES)}")
    module, _, name = ENGINES[kind].partition(":")
    try:
        made = getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        remedy = f"pip install 'airflow-provider-etl[{_EXTRAS.get(kind, kind)}]'"
        raise ConfigError(f"engine {kind} can't be used: {error}", where="engines", remedy=remedy) from None
    engine: Engine = made.of(options or {}) if kind in SERVICES else made()
    return engine
