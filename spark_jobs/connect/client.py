"""A session over Spark Connect, which a job that died and came back finds again by its token."""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError, InfrastructureError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_USER: Final = "airflow-etl"
_TRIES: Final = 100  # sessions of one token that were closed before
_BEGUN: Final = "etl.begun"  # a setting of the session: a client has worked in it
_GONE: Final = ("SESSION_CLOSED", "SESSION_NOT_FOUND", "SESSION_CHANGED")
_URL: Final = re.compile(r"sc://[^\s/;]+(/;?.*)?")
_OURS: Final = ("session_id", "user_id", "token")


def start(remote: Mapping[str, Any]) -> SparkSession:
    """A session of the job that nobody used before; that of another client of the same job is closed first.

    The other one was killed, and leaves what it ran running: five minutes, by Spark's own patience. Nor could its
    session be gone on with: Spark keeps a session's plans by the number that a client gave them, with the files that
    they found, and a new client counts from the beginning again.

    Args:
        remote: `url` (sc://host:port), `token` (the job's), `secret_file` (with the endpoint's token; may be missing),
            `ours` (it was started with the engine's settings).

    Raises:
        ConfigError: the URL is none of Spark Connect.
        InfrastructureError: nobody answers there, or the other client's session can't be closed.
    """
    os.environ["SPARK_CONNECT_MODE_ENABLED"] = (
        "1"  # PySpark's functions ask it: of this process, all is a thin client's
    )
    # It would print every error with the values in it, before anybody has looked what may be told.
    logging.getLogger("SQLQueryContextLogger").disabled = True
    session = joined(remote)
    for _ in range(_TRIES):
        if session.conf.get(_BEGUN, None) is None:
            break
        session.interruptAll()
        session.stop()
        session = joined(remote)
    else:
        raise InfrastructureError(
            "the session of a client that died can't be closed", where=str(remote["url"]), remedy="clear the task"
        )
    session.conf.set(_BEGUN, "true")
    session.addTag(tag(str(remote["token"])))
    return session


def tag(token: str) -> str:
    """What the operations of a job are tagged with: Spark allows no comma there."""
    return f"etl-{uuid.uuid5(uuid.NAMESPACE_OID, token).hex}"


def joined(remote: Mapping[str, Any]) -> SparkSession:
    """A client of the session of a job, the newest that wasn't closed."""
    from pyspark.errors import PySparkException
    from pyspark.sql.connect.session import SparkSession as Connect

    url, token = str(remote["url"]), str(remote["token"])
    refuse_bad_url(url, "engine connect")
    kept = _secret(remote)
    for place in range(_TRIES):
        own = uuid.uuid5(uuid.NAMESPACE_OID, f"{token}.{place}")
        session = Connect.builder.remote(f"{_with(url)};session_id={own};user_id={_USER}{kept}").create()
        try:
            session.conf.get("spark.app.name", None)
        except PySparkException as error:
            if any(mark in str(error) for mark in _GONE):
                session.stop()  # or PySpark takes it for the active one
                continue
            raise InfrastructureError(
                f"Spark Connect doesn't answer: {type(error).__name__}",
                where=url,
                expected="a server of Spark 4.1 with Delta",
                remedy="start it, or see that the task may reach it and that the token is its own",
            ) from error
        found: SparkSession = session  # type: ignore[assignment] # PySpark calls both SparkSession
        return found
    raise InfrastructureError(
        "every session of this job was closed", where=url, remedy="clear the task: a new one begins"
    )


def cancel(remote: Mapping[str, Any]) -> list[str]:
    """Interrupt what a job runs, from any client; the ids of the operations."""
    session = joined(remote)
    return list(session.interruptTag(tag(str(remote["token"]))))


def refuse_bad_url(url: str, where: str) -> None:
    """See that a URL is Spark Connect's, and says nothing that is ours to say.

    Raises:
        ConfigError: it isn't, or does.
    """
    own = [name for name in _OURS if f"{name}=" in url]
    if not _URL.fullmatch(url) or own:
        raise ConfigError(
            f"{'the URL says ' + ', '.join(own) if own else 'it is no URL of Spark Connect'}",
            where=where,
            expected="sc://host:15002, or sc://host:443/;use_ssl=true",
            remedy="the token goes into a file of its own: `token_file`" if own else "",
        )


def _with(url: str) -> str:
    return url.rstrip(";") if "/;" in url else f"{url.rstrip('/')}/"


def _secret(remote: Mapping[str, Any]) -> str:
    path = remote.get("secret_file")
    if not path:
        return ""
    try:
        with open(path, encoding="utf-8") as file:
            # By the environment of this process alone: a URL would be in error texts.
            os.environ["SPARK_CONNECT_AUTHENTICATE_TOKEN"] = file.read().strip()
    except OSError as error:
        raise ConfigError(f"the token's file can't be read: {error.strerror}", where=str(path)) from error
    return ""


def main() -> None:
    """Interrupt the operations of a job, whose `remote` comes as JSON by standard input."""
    cancel(json.load(sys.stdin))


if __name__ == "__main__":
    main()
