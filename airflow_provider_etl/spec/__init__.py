"""The pipeline file: read, checked, and turned into plans. Imports neither Airflow nor Spark."""

from airflow_provider_etl.spec.clashes import Clashes
from airflow_provider_etl.spec.diagnostics import Diagnostic
from airflow_provider_etl.spec.environment import Engine, Environment
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
