"""The pipeline file: read, checked, and turned into plans. Imports neither Airflow nor Spark.

A name is imported when it is asked for: `airflow-etl schema` and `new` need a third of what `lint` does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from airflow_provider_etl.spec.clashes import Clashes
    from airflow_provider_etl.spec.diagnostics import Diagnostic
    from airflow_provider_etl.spec.engines import Engine
    from airflow_provider_etl.spec.environment import Environment
    from airflow_provider_etl.spec.files import duplicate_names, find_files
    from airflow_provider_etl.spec.loaded import Loaded
    from airflow_provider_etl.spec.loader import load_file, load_mapping
    from airflow_provider_etl.spec.pipeline import Pipeline
    from airflow_provider_etl.spec.schedule import Assets, Cron, Every, Manual, Schedule

__all__ = [
    "Assets",
    "Clashes",
    "Cron",
    "Diagnostic",
    "Engine",
    "Environment",
    "Every",
    "Loaded",
    "Manual",
    "Pipeline",
    "Schedule",
    "duplicate_names",
    "find_files",
    "load_file",
    "load_mapping",
]

_MODULES: Final = {
    "Clashes": "clashes",
    "Diagnostic": "diagnostics",
    "Engine": "environment",
    "Environment": "environment",
    "duplicate_names": "files",
    "find_files": "files",
    "Loaded": "loaded",
    "load_file": "loader",
    "load_mapping": "loader",
    "Pipeline": "pipeline",
    "Assets": "schedule",
    "Cron": "schedule",
    "Every": "schedule",
    "Manual": "schedule",
    "Schedule": "schedule",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
