"""From an Airflow connection to what a JDBC driver wants: a URL built from checked parts, and allowed properties.

Drivers have properties that load classes, write files or send them to the server; so a connection's `extra` passes by
name, not by default. The password is a property, never part of the URL, which Spark and drivers show in errors.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError

_HOST: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_])?|\[?[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]?")
_NAME: Final = re.compile(r"[^/?&#;=%'\"`\\\s]+")
_DRIVER: Final = re.compile(r"[A-Za-z_][\w]*(?:\.[A-Za-z_][\w$]*)+")
_FILE: Final = re.compile(r"[A-Za-z0-9_./~\-]+")
_SUBPROTOCOL: Final = re.compile(r"[a-z][a-z0-9]*(?::[a-z][a-z0-9]*)*")

# Subprotocol -> how host and database stand behind it, where that isn't //host:port/database.
_SHAPES: Final[Mapping[str, str]] = {
    "oracle:thin": "@//{place}/{name}",  # the name is a service's
    "sqlserver": "//{place};databaseName={name}",
}
# Key of `extra` -> the driver's property. Those with the name None mean something to other clients only.
_POSTGRES: Final[Mapping[str, str | None]] = {
    "sslmode": "sslmode",
    "sslrootcert": "sslrootcert",
    "sslcert": "sslcert",
    "sslkey": "sslkey",
    "connect_timeout": "connectTimeout",
    "options": "options",
    "target_session_attrs": None,
    "application_name": None,
    "keepalives": None,
    "keepalives_idle": None,
    "keepalives_interval": None,
    "keepalives_count": None,
    "client_encoding": None,
    "cursor": None,
    "cursor_factory": None,
    "sqlalchemy_scheme": None,
    "sqlalchemy_query": None,
    "enable_log_db_messages": None,
}
_MYSQL: Final[Mapping[str, str | None]] = {
    "sslMode": "sslMode",
    "serverSslCert": "serverSslCert",
    "ssl_ca": "serverSslCert",
    "connect_timeout": None,
    "charset": None,
    "cursor": None,
    "client": None,
    "unix_socket": None,
    "local_infile": None,
    "init_command": None,
    "sqlalchemy_scheme": None,
    "sqlalchemy_query": None,
}
_OTHER: Final[Mapping[str, str | None]] = {
    "driver": None,
    "subprotocol": None,
    "embedded": None,
    "driver_class": None,
    "driver_path": None,
    "sqlalchemy_scheme": None,
}


@dataclass(frozen=True, kw_only=True)
class Address:
    """A database as a JDBC driver finds it.

    Args:
        database: postgres, mysql (MariaDB too) or other.
        driver: the driver's class.
        url: without user and password.
        properties: the driver's, user and password among them.
    """

    database: str
    driver: str
    url: str
    properties: Mapping[str, str] = field(repr=False)


def address_of(connection: Connection) -> Address:
    """Where a connection leads.

    Raises:
        ConfigError: its type is no database's, a part of it can't stand in a URL, or a key of its extra isn't allowed.
    """
    found = _KINDS.get(connection.kind)
    if found is None:
        raise ConfigError(
            f"connections of type {connection.kind!r} are no database's",
            where=f"connection {connection.id!r}",
            expected=f"one of {', '.join(sorted(_KINDS))}",
            remedy="Airflow says generic where the type's provider isn't installed; for other databases: type jdbc,"
            " with driver and subprotocol in its extra",
        )
    return found(connection)


def _postgres(connection: Connection) -> Address:
    place, name = _place(connection, 5432), quote(connection.schema or connection.login, safe="")
    own = {"ApplicationName": "airflow-provider-etl", "readOnlyMode": "transaction", "loginTimeout": "30"}
    return Address(
        database="postgres",
        driver="org.postgresql.Driver",
        url=f"jdbc:postgresql://{place}/{name}",
        properties=_properties(connection, _POSTGRES) | own,
    )


def _mysql(connection: Connection) -> Address:
    # Spark knows how to quote names for jdbc:mysql alone; for jdbc:mariadb it would write "name", a text to MariaDB.
    url = f"jdbc:mysql://{_place(connection, 3306)}/{_plain(connection, 'schema', _NAME)}?permitMysqlScheme=true"
    own = {
        "allowLocalInfile": "false",  # or the server could ask for files of ours
        "connectTimeout": "30000",
        "tinyInt1isBit": "false",
        "yearIsDateType": "false",
    }
    return Address(
        database="mysql",
        driver="org.mariadb.jdbc.Driver",
        url=url,
        properties=_properties(connection, _MYSQL) | own,
    )


def _other(connection: Connection) -> Address:
    """A database of another kind: its driver's class and the words behind `jdbc:` are in the connection's extra."""
    told = {key: str(connection.extra.get(key) or "") for key in ("driver", "subprotocol")}
    for key, shape in (("driver", _DRIVER), ("subprotocol", _SUBPROTOCOL)):
        if not shape.fullmatch(told[key]):
            raise ConfigError(
                f"its extra says no {key}" if not told[key] else f"{told[key]!r} is no {key}",
                where=f"connection {connection.id!r}",
                expected='such as {"driver": "org.h2.Driver", "subprotocol": "h2:tcp"}, which makes'
                " jdbc:h2:tcp://host:port/schema",
            )
    if is_embedded(connection):
        _refuse_host(connection)
        place = _plain(connection, "schema", _FILE)
    else:
        written = _SHAPES.get(told["subprotocol"], "//{place}/{name}")
        place = written.format(place=_place(connection, None), name=_plain(connection, "schema", _NAME))
    url = f"jdbc:{told['subprotocol']}:{place}"
    return Address(database="other", driver=told["driver"], url=url, properties=_properties(connection, _OTHER))


def is_embedded(connection: Connection) -> bool:
    """Whether a database runs in the JVM itself: its name is then a file's or its own, and its SQL may read files.

    Raises:
        ConfigError: the connection's extra says neither yes nor no.
    """
    said = connection.extra.get("embedded", False)
    if connection.kind != "jdbc" or said is False or said == "false":
        return False
    if said is True or said == "true":
        return True
    raise ConfigError(
        "`embedded` in its extra is no yes and no no", where=f"connection {connection.id!r}", expected="true or false"
    )


def _refuse_host(connection: Connection) -> None:
    if connection.host or connection.port:
        raise ConfigError(
            "it has a host or a port, and its extra says `embedded`: such a database runs in Spark's own Java",
            where=f"connection {connection.id!r}",
            remedy="take one of them away",
        )


def _place(connection: Connection, port: int | None) -> str:
    host = _plain(connection, "host", _HOST) or "localhost"
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    number = connection.port or port
    return f"{host}:{number}" if number else host


def _plain(connection: Connection, part: str, shape: re.Pattern[str]) -> str:
    text = str(getattr(connection, part))
    if text and not shape.fullmatch(text):
        raise ConfigError(
            f"its {part} can't be part of a URL",  # not shown: somebody may have pasted a URL with a password
            where=f"connection {connection.id!r}",
            expected="a host's name or address" if part == "host" else "a database's name without / ? & # ; = %",
        )
    return text


def _properties(connection: Connection, allowed: Mapping[str, str | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in connection.extra.items():
        if key not in allowed:
            known = sorted(name for name, meant in allowed.items() if meant or allowed is _OTHER)
            raise ConfigError(
                f"{key!r} in its extra isn't allowed: some properties of drivers load classes or write files",
                where=f"connection {connection.id!r}",
                expected=f"one of {', '.join(known)}",
            )
        name = allowed[key]
        if name is not None:
            found[name] = _text(value)
    user = {"user": connection.login} if connection.login else {}
    return found | user | ({"password": connection.password} if connection.password else {})


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


_KINDS: Final = {"postgres": _postgres, "mysql": _mysql, "mariadb": _mysql, "jdbc": _other}
