"""Databricks' workspace by Airflow's connection of type databricks: who we are is its own provider's work.

The calls are ours: the provider's hook sends JSON alone, and a submission must know how often it was sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from airflow_provider_etl.engines.workspace import Workspace, Workspaces
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError

_DEFAULT: Final = "databricks_default"
_SENT: Final = re.compile(r"[\x21-\x7e]+")  # what a header takes; else the client's error quotes it


class _Workspaces:
    def __init__(self, connection: str) -> None:
        self._connection = connection
        self._made: dict[bool, Workspace] = {}

    def __call__(self, *, once: bool = False) -> Workspace:
        """The workspace; `once`: one that repeats no call by itself."""
        if once not in self._made:
            self._made[once] = self._make(1 if once else 6)
        return self._made[once]

    def _make(self, tries: int) -> Workspace:
        try:
            from airflow.providers.databricks.hooks.databricks import DatabricksHook
        except ImportError as error:
            raise ConfigError(
                f"Databricks can't be asked: {error}",
                where="engine",
                remedy="pip install 'airflow-provider-etl[databricks]'",
            ) from None
        from airflow_provider_etl.compat import AirflowException, with_the_database
        from airflow_provider_etl.hooks.connections import connection_of

        where = f"connection {self._connection!r}"
        hook: Any = DatabricksHook(databricks_conn_id=self._connection, caller="airflow-provider-etl")
        with with_the_database():
            connection_of(self._connection, "engine.connection")  # the hook's own words for that are Airflow's
            if not hook.host:
                raise ConfigError("it has no host", where=where, remedy="name one")
            address = str(hook._endpoint_url(""))  # noqa: SLF001 - nobody else says host, port and scheme together
            try:
                proxies = hook.proxies
            except AirflowException as error:
                raise ConfigError(str(error), where=where, remedy="mend it in Airflow") from None
            return Workspace(address, lambda: _headers(hook), proxies=proxies, tries=tries)


def _headers(hook: Any) -> Mapping[str, str]:
    """Those that say who we are; a token that ends is renewed by the hook."""
    from airflow_provider_etl.compat import with_the_database

    where = f"connection {hook.databricks_conn_id!r}"
    try:
        with with_the_database():
            token = hook._get_token()  # noqa: SLF001 - the provider has no public word for it
            more = hook._get_aad_headers()  # noqa: SLF001
    except EtlError:
        raise
    except Exception as error:  # noqa: BLE001 - what an identity service said may quote what it was asked with
        remedy = "see the connection; it is tried again"
        raise InfrastructureError(f"no token: {type(error).__name__}", where=where, remedy=remedy) from None
    if not token:
        remedy = "give it a token as password, or a service principal (service_principal_oauth)"
        raise ConfigError("it has neither a token nor a service principal", where=where, remedy=remedy)
    if not _SENT.fullmatch(token):
        remedy = "a line break at its end is a common cause"
        raise ConfigError("its token has characters that none has", where=where, remedy=remedy)
    return {"Authorization": f"Bearer {token}", "User-Agent": "airflow-provider-etl", **more}


def workspaces_of(connection: str | None) -> Workspaces:
    """What gives the workspace; it is made when it is asked for first.

    Args:
        connection: Airflow connection id; None: `databricks_default`.
    """
    return _Workspaces(connection or _DEFAULT)
