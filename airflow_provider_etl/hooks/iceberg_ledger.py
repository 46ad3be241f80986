"""What an Iceberg table already holds: its properties, read from its metadata without Spark.

Of a Hadoop catalog the metadata's file is found by its number, of a JDBC catalog a row of the database names it, and a
REST catalog's server gives it.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from json import JSONDecodeError
from pathlib import Path
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlencode
from urllib.request import Request, urlopen

from airflow_provider_etl.hooks.booked_ledger import BookedLedger
from airflow_provider_etl.hooks.connections import resolved
from airflow_provider_etl.hooks.stores import fsspec_options
from spark_jobs.connections import Connection
from spark_jobs.errors import InfrastructureError
from spark_jobs.iceberg.books import Booked, Books
from spark_jobs.iceberg.catalogs import Catalog, address_of_server
from spark_jobs.iceberg.refusals import refused, unanswered
from spark_jobs.load.databases import database_of
from spark_jobs.load.databases.books import Entry
from spark_jobs.tables.spans import window_of_unit

_FILE: Final = re.compile(r"v(\d+)(\.gz)?\.metadata\.json")
_PATIENCE: Final = 30  # seconds
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


class IcebergLedgerHook(BookedLedger):
    """The ledger of one Iceberg table.

    Args:
        catalog: the table's.
        table: `namespace.table`.
        store: what the plan says of the bucket of the catalog's warehouse; None leaves it to AWS's own chain.
    """

    def __init__(self, catalog: Catalog, table: str, store: Mapping[str, Any] | None = None) -> None:
        self.catalog, self.table, self._store = catalog, table, store

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Unit -> its last commit; none where there is no table."""
        found = {"hadoop": self._of_folder, "jdbc": self._of_database, "rest": self._of_server}[self.catalog.type]()
        books = Books(found.get("properties", {}) if found is not None else {})
        return {unit: _entry(unit, booked) for unit, booked in books.commits()}

    @property
    def _where(self) -> str:
        return f"{self.catalog.name}.{self.table}"

    def _connection(self) -> Connection:
        name = self.catalog.connection
        return resolved({name: f"catalog {self.catalog.name}"})[name]

    def _of_folder(self) -> Any:
        """The newest metadata: Iceberg's hint of its number may be late, the files themselves are not."""
        folder = "/".join([self.catalog.warehouse.rstrip("/"), *self.table.split("."), "metadata"])
        if not self.catalog.is_local:
            return self._of_store(folder)
        local = Path(self.catalog.folder, *self.table.split("."), "metadata")
        names = [path.name for path in local.iterdir()] if local.is_dir() else []
        newest = _newest(names)
        return _json(newest, (local / newest).read_bytes()) if newest else None

    def _of_store(self, folder: str) -> Any:
        import fsspec

        try:
            storage, inside = fsspec.core.url_to_fs(folder)
            names = [str(path).rpartition("/")[2] for path in storage.ls(inside, detail=False)]
            newest = _newest(names)
            return _json(newest, storage.cat_file(f"{inside}/{newest}")) if newest else None
        except FileNotFoundError:
            return None
        except (ImportError, ValueError, OSError) as error:
            raise self._unread(error) from None

    def _of_database(self) -> Any:
        """The file that the catalog's row names (Iceberg's JdbcCatalog keeps them in `iceberg_tables`)."""
        where = f"connection {self.catalog.connection!r}"
        database = database_of(self._connection(), where)
        space, _, name = self.table.rpartition(".")
        made = database.connect()
        try:
            with made.cursor() as cursor:
                cursor.execute(
                    "SELECT metadata_location FROM iceberg_tables "
                    "WHERE catalog_name = %s AND table_namespace = %s AND table_name = %s",
                    (self.catalog.name, space, name),
                )
                row = cursor.fetchone()
        except database.errors() as error:
            if _is_unmade(error):
                return None  # nobody has opened the catalog yet
            raise database.explained(error, "iceberg_tables") from None
        finally:
            made.close()
        return self._of_file(str(row[0])) if row is not None else None

    def _of_file(self, path: str) -> Any:
        plain = path.removeprefix("file:")
        try:
            if "://" not in plain:
                return _json(plain, Path(plain).read_bytes())
            import fsspec

            told = fsspec_options(path, self._store)
            storage, inside = fsspec.core.url_to_fs(path.replace("s3a://", "s3://", 1), **told)
            return _json(inside, storage.cat_file(inside))
        except _unreadable() as error:
            raise self._unread(error) from None

    def _of_server(self) -> Any:
        """What a REST catalog answers (Iceberg's REST specification, getConfig and loadTable)."""
        connection = self._connection()
        base = f"{address_of_server(connection)}/v1"
        headers = self._authorised(connection, base)
        asked = f"?{urlencode({'warehouse': self.catalog.warehouse})}" if self.catalog.warehouse else ""
        told = _asked(connection, f"{base}/config{asked}", headers)
        known = {**told.get("defaults", {}), **told.get("overrides", {})}
        separator = unquote(known.get("namespace-separator", "%1F"))
        *spaces, name = self.table.split(".")
        space, table = quote(separator.join(spaces), safe=""), quote(name, safe="")
        parts = [base, known.get("prefix", ""), "namespaces", space, "tables", table]
        found = _asked(connection, "/".join(filter(None, parts)), headers, maybe=True)
        return found["metadata"] if found is not None else None

    @staticmethod
    def _authorised(connection: Connection, base: str) -> dict[str, str]:
        """A token: the connection's, or what the server gives for a client's login and password, as Iceberg asks it."""
        token = str(connection.extra.get("token", ""))
        if not token and connection.password:
            client = {"client_id": connection.login, "client_secret": connection.password}
            form = {"grant_type": "client_credentials", "scope": "catalog", **{k: v for k, v in client.items() if v}}
            given = _asked(connection, f"{base}/oauth/tokens", {}, urlencode(form).encode())
            token = str(given.get("access_token", ""))
            if not token:
                raise refused(connection, 400, f"{base}/oauth/tokens gives no token")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def _unread(self, error: Exception) -> InfrastructureError:
        return InfrastructureError(
            f"the ledger can't be read: {error}",
            where=self._where,
            remedy="see that tasks reach the catalog; storage other than local disk needs its fsspec package",
        )


def _asked(
    connection: Connection, url: str, headers: Mapping[str, str], form: bytes | None = None, *, maybe: bool = False
) -> Any:
    """What a server answers, JSON.

    Args:
        connection: of the server.
        url: what is asked.
        headers: HTTP's.
        form: what is sent, if anything.
        maybe: whether it may not be there: None then.

    Raises:
        ConfigError: the server refuses us.
        InfrastructureError: it doesn't answer.
    """
    try:
        with urlopen(Request(url, form, dict(headers)), timeout=_PATIENCE) as answer:  # noqa: S310 - HTTP, by its address
            return json.load(answer)
    except HTTPError as error:
        if error.code == 404 and maybe:
            return None
        raise refused(connection, error.code, f"{error} of {url}") from None
    except JSONDecodeError:
        raise refused(connection, 400, f"{url} doesn't answer in JSON") from None
    except OSError as error:
        raise unanswered(connection, str(error)) from None


def _unreadable() -> tuple[type[Exception], ...]:
    """What reading a file may raise; s3fs lets errors of the library below it through: no credentials, no endpoint."""
    known = (ImportError, ValueError, OSError)
    try:
        from botocore.exceptions import BotoCoreError
    except ImportError:
        return known
    return (*known, BotoCoreError)


def _is_unmade(error: Exception) -> bool:
    """Whether a database says that there is no such table: PostgreSQL's undefined_table, MariaDB's ER_NO_SUCH_TABLE."""
    return getattr(error, "sqlstate", None) == "42P01" or error.args[:1] == (1146,)


def _newest(names: list[str]) -> str | None:
    """The metadata file with the largest number."""
    found = [(int(match[1]), name) for name in names if (match := _FILE.fullmatch(name))]
    return max(found)[1] if found else None


def _json(name: str, content: bytes) -> Any:
    return json.loads(gzip.decompress(content) if name.endswith(".gz.metadata.json") else content)


def _entry(unit: str, booked: Booked) -> Entry:
    _, pipeline, load, _ = unit.split(":", 3)
    window = window_of_unit(unit, "UTC")
    return Entry(
        unit=unit,
        number=booked.number,
        attempt=booked.attempt,
        token=booked.token,
        run=booked.run,
        fingerprint=booked.fingerprint,
        pipeline=pipeline,
        load=load,
        start=window.start if window is not None else _BEGINNING,
        end=window.end if window is not None else _BEGINNING,
        staged=booked.staged,
        inserted=booked.inserted,
        updated=booked.updated,
        deleted=booked.deleted,
    )
