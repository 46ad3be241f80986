"""What a table of a database already holds: its ledger beside it, asked by the database's own client."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from airflow_provider_etl.hooks.booked_ledger import BookedLedger
from airflow_provider_etl.hooks.connections import resolved
from spark_jobs.connections import Connection
from spark_jobs.load.databases import database_of
from spark_jobs.load.databases.books import Books, Entry
from spark_jobs.load.databases.names import TableName


class DatabaseLedger(BookedLedger):
    """The ledger of one table of a database; it is read once.

    Args:
        connection: id of the Airflow connection.
        table: the table, or schema.table.
    """

    def __init__(self, connection: str, table: str) -> None:
        self.connection, self.table = connection, table

    @property
    def silent(self) -> bool:
        """Whether it can't be asked here: the driver of a connection of type `jdbc` is Java's, so Spark alone asks."""
        return self._resolved.kind == "jdbc"

    @cached_property
    def _resolved(self) -> Connection:
        return resolved({self.connection: f"connection {self.connection!r}"})[self.connection]

    @cached_property
    def entries(self) -> Mapping[str, Entry]:
        """Unit -> its last commit; none where there is no ledger, or where it is silent: every window runs then."""
        if self.silent:
            return {}
        where = f"connection {self.connection!r}"
        database = database_of(self._resolved, where)
        books = Books(database=database, table=TableName.parse(self.table, where))
        made = database.connect()
        try:
            with made.cursor() as cursor:
                return books.entries(cursor) if books.there(cursor) else {}
        except database.errors() as error:
            raise database.explained(error, self.table) from None
        finally:
            made.close()
