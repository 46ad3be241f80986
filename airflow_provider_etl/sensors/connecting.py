"""Airflow's standard hooks, where their packages are installed."""

from __future__ import annotations

import importlib
from typing import Any, Final

from airflow_provider_etl.hooks.connections import connection_of as asked
from spark_jobs.errors import ConfigError

# Connection type -> package, where the package isn't called after the type.
_PACKAGES: Final = {
    "aws": "amazon",
    "redshift": "amazon",
    "gcpbigquery": "google",
    "google_cloud_platform": "google",
    "mssql": "microsoft-mssql",
    "azure_synapse": "microsoft-azure",
    "trino": "trino",
}


def hook_class(path: str, package: str) -> Any:
    """A hook's class.

    Args:
        path: `module:Class`.
        package: what installs it.

    Raises:
        ConfigError: the package isn't installed.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as error:
        raise ConfigError(
            f"{name} can't be imported: {error}",
            where="wait_for",
            remedy=f"install {package} where tasks run and where triggers do",
        ) from error


def connection_of(name: str) -> Any:
    """An Airflow connection.

    Raises:
        ConfigError: there is none of that name.
    """
    return asked(name, "wait_for")


def sql_hook(name: str) -> Any:
    """The hook of a database's connection.

    Raises:
        ConfigError: no such connection, its provider isn't installed, or it is no database's.
    """
    from airflow_provider_etl.compat import AirflowException

    connection = connection_of(name)
    kind = str(connection.conn_type)
    package = f"apache-airflow-providers-{_PACKAGES.get(kind, kind.replace('_', '-'))}"
    try:
        hook = connection.get_hook()
    except (AirflowException, ImportError, KeyError) as error:
        raise ConfigError(
            f"nothing here knows connections of type {kind!r}: {error}",
            where=f"connection {name!r}",
            remedy=f"install {package} where tasks run and where triggers do",
        ) from error
    if not callable(getattr(hook, "get_first", None)):
        raise ConfigError(f"a connection of type {kind!r} answers no SQL", where=f"connection {name!r}")
    return hook
