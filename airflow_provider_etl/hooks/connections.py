"""Airflow's connections as Spark's side takes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spark_jobs.connections import REMEDY, Connection, Connections, named_by
from spark_jobs.errors import ConfigError
from spark_jobs.plan import Plan


def connections_of(plans: Iterable[Plan]) -> Connections:
    """The connections that plans name, as Airflow has them now: its secrets backends, variables and database.

    Raises:
        ConfigError: there is none of an id.
    """
    places: dict[str, str] = {}
    for plan in plans:
        places = named_by(plan) | places
    return resolved(places)


def resolved(places: Mapping[str, str]) -> Connections:
    """Connections by id.

    Args:
        places: id -> the place in the pipeline file that names it.

    Raises:
        ConfigError: there is none of an id.
    """
    return Connections(*(_taken(name, connection_of(name, where)) for name, where in places.items()))


def connection_of(name: str, where: str) -> Any:
    """An Airflow connection.

    Args:
        name: its id.
        where: place that names it, for the error's text.

    Raises:
        ConfigError: there is none of that id.
    """
    from airflow_provider_etl import compat

    try:
        return compat.connection_of(name)
    except compat.AirflowNotFoundException as error:
        raise ConfigError(f"there is no connection {name!r}", where=where, remedy=REMEDY) from error


def _taken(name: str, found: Any) -> Connection:
    try:
        extra = dict(found.extra_dejson or {})
    except ValueError as error:  # its text may quote the secret
        raise ConfigError("its extra is no JSON", where=f"connection {name!r}", remedy="mend it in Airflow") from error
    return Connection(
        id=name,
        kind=str(found.conn_type or ""),
        host=str(found.host or ""),
        port=int(found.port) if found.port else None,
        schema=str(found.schema or ""),
        login=str(found.login or ""),
        password=str(found.password or ""),
        extra=extra,
    )
