"""Engines: where Spark runs, one file per kind. None of them imports Airflow or Spark."""

from __future__ import annotations

import importlib
from typing import Final

from airflow_provider_etl.engines.base import Engine
from spark_jobs.errors import ConfigError

ENGINES: Final = {
    "local": "airflow_provider_etl.engines.local:LocalEngine",
    "local_warm": "airflow_provider_etl.engines.local_warm:LocalWarmEngine",
}


def engine_of(kind: str) -> Engine:
    """An engine of a kind.

    Args:
        kind: as in the environment file's `engines`.

    Raises:
        ConfigError: no such kind.
    """
    if kind not in ENGINES:
        raise ConfigError(f"unknown engine kind {kind!r}", where="engines", expected=f"one of {', '.join(ENGINES)}")
    module, _, name = ENGINES[kind].partition(":")
    engine: Engine = getattr(importlib.import_module(module), name)()
    return engine
