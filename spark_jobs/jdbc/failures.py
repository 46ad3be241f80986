"""What a database's error means: its class decides whether a retry makes sense."""

from __future__ import annotations

import re
from typing import Final

from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError, ResourceError
from spark_jobs.hiding import cut

_JDBC: Final = re.compile(r"(?:PSQLException|java\.sql\.SQL\w+|jdbc\.\w*Exception|SQLTransientConnection\w+): (.*)")
_WHERE_TO: Final = "Failed to connect: jdbc:"
_TYPE: Final = re.compile(r"\[UNRECOGNIZED_SQL_TYPE\][^\n]*?name: ([^,\n]*)")
_TWINS: Final = re.compile(r"\[COLUMN_ALREADY_EXISTS\] ([^\n]*?)(?: Choose| SQLSTATE|$)", re.MULTILINE)
_DRIVER: Final = re.compile(r"ClassNotFoundException: ([\w.$]+)")
_SLOW: Final = ("statement timeout", "max_statement_time exceeded", "maximum statement execution time")
_AWAY: Final = (
    "Connection refused",
    "refused. Check that the hostname",
    "UnknownHostException",
    "connection attempt failed",
    "Socket fail to connect",
    "Connection timed out",
    "connection to server",
    "Connection reset",
    "I/O error occurred",
    "Socket error",
    "Communications link failure",
    "terminating connection",
    "the database system is",
    "server shutdown",
    "too many clients",
    "too many connections",
    "remaining connection slots",
    "Broken pipe",
    "deadlock",
    "could not serialize access",
    "conflict with recovery",
    "Connection is closed",
    "This connection has been closed",
    "connection exception",
)


def meant(text: str, where: str) -> EtlError | None:
    """The error that an exception's text is about; None where no database speaks in it.

    Args:
        text: the exception's.
        where: place in the pipeline file.
    """
    said = list(_JDBC.finditer(text))
    if said:
        # A catalog that can't connect says only where to; why, its cause does.
        told = next((each for each in said if not each[1].startswith(_WHERE_TO)), said[0])
        return _said(cut(told[1].strip(), 500), where)
    unknown, twins, driver = _TYPE.search(text), _TWINS.search(text), _DRIVER.search(text)
    if unknown is not None:
        return ConfigError(
            f"a column has the type {unknown[1]}, which nothing here reads",
            where=where,
            remedy="cast it in `query`, such as CAST(c AS text), or name the other columns in `columns`",
        )
    if twins is not None:
        return ConfigError(
            f"two columns differ by letter case at most: {twins[1]}",
            where=where,
            expected="names that differ in more than that",
            remedy="give one of them another name in `query`",
        )
    if driver is not None:
        return ConfigError(
            f"the driver {driver[1]} isn't there",
            where=where,
            remedy="put its jar into the engine's `jars`; airflow-etl doctor --fetch-jars fetches those of the lock",
        )
    return None


def _said(told: str, where: str) -> EtlError:
    lowered = told.lower()
    if any(mark.lower() in lowered for mark in _SLOW):
        return ResourceError(
            f"the database gave up: {told}",
            where=where,
            remedy="raise statement_timeout, read in more parts, or give the window's column an index",
        )
    if any(mark.lower() in lowered for mark in _AWAY):
        return InfrastructureError(f"the database can't be reached: {told}", where=where)
    if "out of range" in lowered or "invalid input syntax" in lowered or "division by zero" in lowered:
        return DataError(f"the database says: {told}", where=where, remedy="mend the data, or cast in `query`")
    return ConfigError(f"the database says: {told}", where=where, remedy="mend the source's options, or its connection")
