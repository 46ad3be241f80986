"""Datasets by the names that OpenLineage gives them, so that tools agree on which is which.

The names are those of its specification (*Naming conventions*, https://openlineage.io/docs/spec/naming): a file is
`file` and its path, an object `s3://bucket` and its key, a table `postgres://host:port` and `database.schema.table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from airflow_provider_etl.hooks.connections import connection_of

Place = tuple[str, str]
_GLOB: Final = "*?[{"
_DEFAULT_SCHEMA: Final = {"postgres": "public"}
_DEFAULT_PORT: Final = {"postgres": 5432, "mysql": 3306}


def server_of(connection: str) -> Any:
    """The connection as Airflow has it; None where it can't be found: the other datasets are worth telling."""
    try:
        return connection_of(connection, f"connection {connection!r}")
    except Exception:  # noqa: BLE001 - who asks can't mend it
        return None


def places_of(kind: Any, server: Callable[[str], Any] = server_of) -> list[Place]:
    """The datasets, as (namespace, name), of a source or a destination; none where OpenLineage has no name for it.

    Args:
        kind: it.
        server: gives a connection by its id; secrets backends are slow, so who asks often keeps what it gave.
    """
    connection, table = getattr(kind, "connection", ""), str(getattr(kind, "table", "") or "")
    if connection and (table or getattr(kind, "query", "")):
        return _of_database(connection, server(connection), table, getattr(kind, "query", ""))
    if getattr(kind, "catalog", "") and table:
        return [(f"iceberg://{kind.catalog}", table)]
    path = getattr(kind, "path", "")
    return [place_of_path(path)] if isinstance(path, str) and path else []


def place_of_path(path: str) -> Place:
    """A file's or a folder's place; of a pattern, the folder that holds all that it may match."""
    kept: list[str] = []
    for part in path.split("/"):
        if any(sign in part for sign in _GLOB):
            break
        kept.append(part)
    scheme, found, rest = "/".join(kept).partition("://")
    if not found or scheme == "file":
        return "file", rest if found else scheme
    host, _, key = rest.partition("/")
    login, _, bare = host.rpartition("@")
    scheme = "s3" if scheme in ("s3a", "s3n") else scheme
    place = bare if ":" in login else host  # of ADLS the container stands there, of nobody a password
    return f"{scheme}://{place}", f"/{key}" if scheme in ("hdfs", "webhdfs") else key.strip("/") or "/"


def _of_database(connection: str, found: Any, table: str, query: str) -> list[Place]:
    if found is None:
        return [(connection, table)] if table else []
    kind = {"mariadb": "mysql", "postgresql": "postgres"}.get(found.conn_type, str(found.conn_type))
    tables = [table.split(".")] if table else list(_named_in(query, kind))
    if kind not in _DEFAULT_PORT:  # its host is a URL, which may hold a secret
        return [(f"{kind}://{connection}", ".".join(parts)) for parts in tables]
    namespace = f"{kind}://{found.host}:{found.port or _DEFAULT_PORT[kind]}"
    return [(namespace, ".".join(_qualified(parts, kind, str(found.schema or "")))) for parts in tables]


def _qualified(named: list[str], kind: str, database: str) -> list[str]:
    parts = [part.strip('"`') for part in named]
    if len(parts) == 1 and kind in _DEFAULT_SCHEMA:
        parts = [_DEFAULT_SCHEMA[kind], *parts]
    whole = 3 if kind in _DEFAULT_SCHEMA else 2
    return [database, *parts] if database and len(parts) < whole else parts


def _named_in(query: str, kind: str) -> Iterator[list[str]]:
    """The parts of the names of tables that a query names, each once; none where it can't be read.

    Args:
        query: in the database's own SQL.
        kind: the connection's type.
    """
    import sqlglot
    from sqlglot import exp

    try:
        parsed = sqlglot.parse_one(query, dialect=kind if kind in _DEFAULT_PORT else None)
    except (sqlglot.errors.SqlglotError, RecursionError):
        return
    own = {cte.alias_or_name for cte in parsed.find_all(exp.CTE)}
    names = {
        tuple(_folded(part, kind) for part in table.parts)
        for table in parsed.find_all(exp.Table)
        if all(isinstance(part, exp.Identifier) for part in table.parts)
    }
    yield from (list(name) for name in sorted(names) if name[0] not in own)


def _folded(part: Any, kind: str) -> str:
    """A name as the database keeps it: PostgreSQL writes one without quotes small."""
    return str(part.name) if part.quoted or kind != "postgres" else str(part.name).lower()
