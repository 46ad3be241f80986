"""Kubernetes' client by Airflow's connection of type kubernetes: kube configs and clusters are its hook's work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

from spark_jobs.errors import ConfigError


def api_of(connection: str | None) -> Callable[[], Any]:
    """What gives the client; it is made when it is asked for first.

    Args:
        connection: Airflow connection id; None: the cluster that this process runs in, else its kube config.
    """

    @cache
    def made() -> Any:
        return _made(connection)

    return made


def _made(connection: str | None) -> Any:
    try:
        from airflow.providers.cncf.kubernetes.hooks.kubernetes import KubernetesHook
    except ImportError as error:
        remedy = "pip install 'airflow-provider-etl[kubernetes]'"
        raise ConfigError(f"Kubernetes can't be asked: {error}", where="engine", remedy=remedy) from None
    import yaml

    from airflow_provider_etl.compat import AirflowException, with_the_database
    from airflow_provider_etl.hooks.connections import connection_of

    if connection:
        connection_of(connection, "engine.connection")  # the provider would go on without one
    # At its level DEBUG the client writes answers to the log, those to secrets too.
    logging.getLogger("kubernetes.client.rest").setLevel(logging.INFO)
    hook: Any = KubernetesHook(conn_id=connection, kubernetes_conn_id=None)
    where = f"connection {connection!r}" if connection else "engine"
    try:
        with with_the_database():
            return hook.get_conn()
    except AirflowException as error:
        raise ConfigError(str(error), where=where, remedy="mend it in Airflow") from None
    except (yaml.YAMLError, ValueError):  # its text may quote the secret
        raise ConfigError("its kube_config is no YAML", where=where, remedy="mend it in Airflow") from None
