"""Catalogs of Iceberg tables: what an environment says of one, and how a session gets to know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from spark_jobs.connections import Connection, Connections
from spark_jobs.errors import ConfigError
from spark_jobs.jdbc.address import address_of

_CLASS: Final = "org.apache.iceberg.spark.SparkCatalog"
LOCAL: Final = ("", "file")
RENAMING: Final = (*LOCAL, "hdfs", "viewfs")
"""Schemes of storage that renames a file whole and never over another one, which is how a Hadoop catalog commits; a
local disk's rename takes what is there away, so commits of ours take turns there (locks.py)."""


@dataclass(frozen=True, kw_only=True)
class Catalog:
    """One catalog.

    Args:
        name: as the environment and SQL call it.
        type: hadoop, jdbc or rest.
        warehouse: absolute folder or URI under which tables lie; of a REST catalog the name of one, or nothing.
        connection: id of the Airflow connection of a database, or of a REST server; nothing for hadoop.
    """

    name: str
    type: str
    warehouse: str = ""
    connection: str = ""

    @property
    def is_local(self) -> bool:
        """Whether its commits are renames on a local disk."""
        return self.type == "hadoop" and urlsplit(self.warehouse).scheme in LOCAL

    @property
    def folder(self) -> str:
        """Its warehouse as a path of this machine, where it is one."""
        return urlsplit(self.warehouse).path if "://" in self.warehouse else self.warehouse.removeprefix("file:")

    def to_json(self) -> dict[str, str]:
        """As JSON."""
        return asdict(self)


def catalog_of(known: Mapping[str, Mapping[str, Any]], name: str, where: str) -> Catalog:
    """A catalog of a plan.

    Args:
        known: name -> catalog, JSON.
        name: which one.
        where: place in the pipeline file.

    Raises:
        ConfigError: the environment has none of that name.
    """
    if name not in known:
        raise ConfigError(
            f"there is no catalog {name!r}",
            where=where,
            expected=f"one of {', '.join(sorted(known))}" if known else "a catalog of the environment, which has none",
            remedy=f"declare it in the environment: catalogs: {{{name}: {{type: hadoop, warehouse: data/{name}}}}}",
        )
    return Catalog(**known[name])


def settings(catalog: Catalog, connections: Connections) -> dict[str, str]:
    """What Spark is told of a catalog, below `spark.sql.catalog.NAME`; the password among it.

    Metadata is read anew each time: what somebody else commits must be seen at once.

    Raises:
        ConfigError: its connection isn't there, or can't be used.
    """
    found = {"": _CLASS, ".type": catalog.type, ".cache-enabled": "false"}
    if catalog.warehouse:
        found[".warehouse"] = catalog.warehouse
    if catalog.type == "jdbc":
        found |= _database(connections[catalog.connection])
    if catalog.type == "rest":
        found |= _server(connections[catalog.connection])
    return found


def _database(connection: Connection) -> dict[str, str]:
    """Of a JDBC catalog; its table lies in the connection's database."""
    address = address_of(connection)
    # The catalog writes; what the sources' connections say of reading only isn't meant.
    passed = {f".jdbc.{key}": value for key, value in address.properties.items() if key != "readOnlyMode"}
    return {".uri": address.url, ".jdbc.schema-version": "V1"} | passed


def _server(connection: Connection) -> dict[str, str]:
    """Of a REST catalog: the host with its scheme; a token, or the login and password of a client."""
    found = {".uri": address_of_server(connection)}
    if token := str(connection.extra.get("token", "")):
        found[".token"] = token
    elif connection.password:
        found[".credential"] = ":".join(filter(None, [connection.login, connection.password]))
    return found


def address_of_server(connection: Connection) -> str:
    """The URL of a REST catalog's server.

    Raises:
        ConfigError: the connection has no host, or it isn't reached by HTTP.
    """
    if not connection.host:
        raise ConfigError(
            "it has no host", where=f"connection {connection.id!r}", expected="such as https://catalog.example.org"
        )
    scheme, _, rest = connection.host.rpartition("://")
    if scheme not in {"", "http", "https"}:
        raise ConfigError(
            f"its host begins with {scheme}://", where=f"connection {connection.id!r}", expected="http:// or https://"
        )
    port = f":{connection.port}" if connection.port else ""
    path = f"/{connection.schema.strip('/')}" if connection.schema else ""
    return f"{scheme or 'https'}://{rest.rstrip('/')}{port}{path}"
