"""What a REST catalog's server means by refusing us, in the same words whoever has asked it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError
from spark_jobs.hiding import Hiding, cut, secrets_of

_LENGTH: Final = 300
_BY_NAME: Final = {
    "NotAuthorizedException": 401,
    "ForbiddenException": 403,
    "ServiceUnavailableException": 503,
    "ServiceFailureException": 500,
}
_REFUSING: Final = frozenset({"RESTException", "BadRequestException"})


def refused(connection: Connection, status: int, told: str) -> EtlError:
    """The error for an answer that isn't what was asked for.

    Args:
        connection: of the server.
        status: HTTP's.
        told: what the server says.
    """
    where = f"connection {connection.id!r}"
    if status == 401:
        return ConfigError(
            f"the catalog's server {_unknown(connection)}",
            where=where,
            expected="a `token` in its extra, or login and password of a client, that the server knows",
            remedy="mend the connection; a token may have expired",
        )
    said = _plain(connection, told)
    if status == 403:
        remedy = "give its client the right to read and write the catalog's tables"
        return ConfigError(f"the catalog's server doesn't let us: {said}", where=where, remedy=remedy)
    if status == 429 or status >= 500:
        return unanswered(connection, f"status {status}, {said}")
    return ConfigError(
        f"it is no REST catalog, or one without that warehouse: {said}",
        where=where,
        expected="the server in `host`, the path before /v1 in `schema`, and the catalog's `warehouse` as it knows it",
    )


def unanswered(connection: Connection, why: str) -> EtlError:
    """The error for a server that isn't there, or fails.

    Args:
        connection: of the server.
        why: in the words of who has tried.
    """
    return InfrastructureError(
        f"the catalog's server doesn't answer: {_plain(connection, why)}",
        where=f"connection {connection.id!r}",
        remedy="see that it runs and that tasks reach its host and port",
    )


def explained(error: Exception, connection: Connection) -> EtlError | None:
    """What Iceberg's client has raised, where it is about the server.

    Args:
        error: of the gateway.
        connection: of the server.
    """
    causes = list(_causes(getattr(error, "java_exception", None)))
    for name, told in causes:
        if name in _BY_NAME:
            return refused(connection, _BY_NAME[name], told)
    if not causes or not (causes[0][0] in _REFUSING or causes[0][0].startswith("NoSuch")):
        return None
    if causes[0][0] == "RESTException" and len(causes) > 1:
        return unanswered(connection, ": ".join(causes[-1]))
    return refused(connection, 400, causes[0][1])


def _causes(java: Any) -> Iterator[tuple[str, str]]:
    """(class, message) of an exception of Java and of what has caused it."""
    while java is not None:
        yield str(java.getClass().getSimpleName()), str(java.getMessage())
        java = java.getCause()


def _unknown(connection: Connection) -> str:
    if connection.extra.get("token"):
        return "doesn't take the token"
    return "doesn't know the client" if connection.password else "wants a token"


def _plain(connection: Connection, told: str) -> str:
    """One line without the connection's secrets, which a server might repeat."""
    hiding = Hiding([connection.password, *secrets_of(connection.extra)])
    return cut((hiding.text(told).splitlines() or [""])[0], _LENGTH)
