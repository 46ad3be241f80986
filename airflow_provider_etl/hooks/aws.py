"""boto3's clients by Airflow's connection of type aws: roles, profiles and endpoints are the amazon provider's work."""

from __future__ import annotations

import logging
from typing import Any, Final

from airflow_provider_etl.engines.aws import Clients
from spark_jobs.errors import ConfigError

_TRIES: Final = 6  # of a call, with backoff and jitter
_CONNECT: Final = 10.0  # seconds
_READ: Final = 60.0  # seconds


class _Clients:
    def __init__(self, connection: str | None, region: str | None) -> None:
        self._connection, self._region = connection, region
        self._made: dict[tuple[str, bool], Any] = {}

    def __call__(self, service: str, *, once: bool = False) -> Any:
        """A client; `once`: one that repeats no call by itself."""
        if (service, once) not in self._made:
            self._made[service, once] = self._make(service, 1 if once else _TRIES)
        return self._made[service, once]

    def _make(self, service: str, tries: int) -> Any:
        try:
            from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
            from botocore.config import Config
        except ImportError as error:
            raise ConfigError(
                f"AWS can't be asked: {error}",
                where="engine",
                remedy="pip install apache-airflow-providers-amazon",
            ) from None
        from airflow_provider_etl.compat import with_the_database
        from airflow_provider_etl.hooks.connections import connection_of

        if self._connection:
            connection_of(self._connection, "engine.connection")  # the provider would go on without one
        # At its level DEBUG the client writes requests to the log, those with secrets too.
        logging.getLogger("botocore.endpoint").setLevel(logging.INFO)
        retries = {"mode": "standard", "total_max_attempts": tries}
        config = Config(retries=retries, connect_timeout=_CONNECT, read_timeout=_READ)
        hook: Any = AwsGenericHook(
            aws_conn_id=self._connection, region_name=self._region, client_type=service, config=config
        )
        with with_the_database():
            return hook.get_conn()


def clients_of(connection: str | None, region: str | None) -> Clients:
    """What gives clients; each is made when it is asked for first.

    Args:
        connection: Airflow connection id; None: AWS's own chain of variables, profiles and roles.
        region: None: the connection's, or what the chain finds.
    """
    return _Clients(connection, region)
