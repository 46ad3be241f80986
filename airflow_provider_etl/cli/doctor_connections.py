"""What `doctor FILE…` says of the connections that pipelines name and of the modules that their kinds import."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_provider_etl.cli import doctor_jars, doctor_requires
from airflow_provider_etl.hooks.connections import connection_of
from airflow_provider_etl.spec import Environment, load_file
from airflow_provider_etl.spec.connections import of_environment, of_pipeline
from spark_jobs.connections import REMEDY
from spark_jobs.errors import ConfigError

if TYPE_CHECKING:
    from airflow_provider_etl.cli.doctor import Finding


def findings(options: argparse.Namespace, environment: Environment | str) -> Iterator[Finding]:
    """One line for each connection and module, with the place that asks for it first; one for each bad file.

    Args:
        options: has `paths` and `environment`.
        environment: the environment, or what is wrong with it.
    """
    from airflow_provider_etl.cli.doctor import Finding

    if isinstance(environment, str):
        return
    modules: dict[str, str] = {}
    places = {name: f"{environment.path}: {where}" for name, where in of_environment(environment).items()}
    for path in _files(options.paths):
        loaded = load_file(path, environment=options.environment)
        if loaded.pipeline is None:
            yield Finding("missing", f"{path}: has errors", f"airflow-etl lint {path}")
        else:
            places = {name: f"{path}: {where}" for name, where in of_pipeline(loaded.pipeline).items()} | places
            needed = doctor_requires.of_pipeline(loaded.pipeline)
            modules = {name: f"{path}: {where}" for name, where in needed.items()} | modules
            yield from doctor_jars.of_pipeline(loaded.pipeline, path)
    yield from doctor_requires.findings(modules)
    yield from _asked(places)


def _files(given: list[str]) -> list[Path]:
    from airflow_provider_etl.cli.lint import files_of
    from airflow_provider_etl.spec.files import TESTS

    paths, empty = files_of(given)
    if empty and not paths:
        raise ConfigError(empty[0].message, where=empty[0].path, remedy=empty[0].hint)
    return [path for path in paths if not path.name.endswith(TESTS)]


def _asked(places: Mapping[str, str]) -> Iterator[Finding]:
    """Airflow's answer for each id, as a task would get it here."""
    from airflow_provider_etl.cli.doctor import Finding

    for name, where in sorted(places.items()):
        try:
            found = connection_of(name, where)
        except ConfigError as error:
            yield Finding("missing", f"connection {name}, named at {where}", error.remedy or REMEDY)
        except Exception as error:  # noqa: BLE001 - a backend's or the database's own, of any class; its text may hold secrets
            told = f"connection {name}, named at {where}: Airflow can't say ({type(error).__name__})"
            yield Finding("missing", told, f"try: airflow connections get {name}")
        else:
            yield Finding("ok", f"connection {name} ({found.conn_type}), named at {where}")
