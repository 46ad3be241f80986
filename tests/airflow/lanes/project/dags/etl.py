"""Airflow: every file in pipelines/ is one DAG."""

from airflow_provider_etl import load_pipelines

load_pipelines(globals())
