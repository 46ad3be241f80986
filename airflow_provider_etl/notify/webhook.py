"""A message as JSON to an HTTP address: an own service, or the incoming webhook of a chat."""

from __future__ import annotations

import base64
import json
import os
import socket
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, ClassVar, Final, Literal
from urllib.error import HTTPError, URLError

from airflow_provider_etl.addresses import host_of
from airflow_provider_etl.notify.message import Connection, Event, Message
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.kinds import PYDANTIC

_PATIENCE: Final = 10.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """POST the message as JSON; `text` holds all of it, as chats with incoming webhooks want it."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    type: Literal["webhook"]
    """The kind."""
    connection: str
    """Airflow connection of type http: schema (default http), host, port; login and password as basic authentication;
    in its extra `endpoint` (the path, which may be secret) and `headers`."""
    on: tuple[Event, ...] = ("failure", "late")
    """What is told."""

    def deliver(self, message: Message, connection: Connection) -> None:
        """Send it.

        Raises:
            ConfigError: the connection has no host.
            InfrastructureError: the server didn't take it; the text names no part of the address but the host.
        """
        body = json.dumps({"text": message.body, **message.to_json()} | {"text": message.body}).encode()
        address, headers = _address(connection, self.connection), _headers(connection)
        try:
            request = urllib.request.Request(address, data=body, headers=headers, method="POST")  # noqa: S310
            with urllib.request.urlopen(request, timeout=_PATIENCE):  # noqa: S310 - http(s), from a connection
                pass
        except (OSError, ValueError, HTTPException) as error:
            host = host_of(address) or "the address"
            raise InfrastructureError(f"{host} {_why(error)}", where=self.connection) from None


def _why(error: Exception) -> str:
    """What went wrong, in words that no part of the address is in: those of the error itself may quote it."""
    if isinstance(error, HTTPError):
        return f"answered: {error.code}"
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, socket.gaierror):
        return "can't be reached: no such name"
    told = os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else type(cause).__name__
    return f"can't be reached: {told}"


def _address(connection: Connection, name: str) -> str:
    host = connection.host or ""
    if not host:
        raise ConfigError("it has no host", where=f"connection {name}", expected="such as https://hooks.example.com")
    # As Airflow's HttpHook reads such a connection.
    base = host if "://" in host else f"{connection.schema or 'http'}://{host}"
    port = f":{connection.port}" if connection.port else ""
    endpoint = str(connection.extra_dejson.get("endpoint", "")).lstrip("/")
    if not base.startswith(("http://", "https://")):
        raise ConfigError("its scheme is neither http nor https", where=f"connection {name}")
    return f"{base.rstrip('/')}{port}/{endpoint}"


def _headers(connection: Connection) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if connection.login:
        known = base64.b64encode(f"{connection.login}:{connection.password or ''}".encode()).decode()
        headers["Authorization"] = f"Basic {known}"
    return headers | {str(key): str(value) for key, value in connection.extra_dejson.get("headers", {}).items()}
