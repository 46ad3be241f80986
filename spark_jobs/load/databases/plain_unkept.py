"""What a database by plain JDBC isn't asked for, and says so where it is."""

# ruff: noqa: ARG002

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NoReturn

from spark_jobs.connections import Connection
from spark_jobs.errors import ConfigError
from spark_jobs.load.databases.base import Column, Cursor
from spark_jobs.load.databases.names import TableName

if TYPE_CHECKING:
    from pyarrow import RecordBatch  # type: ignore[import-untyped]


def unkept(connection: Connection) -> ConfigError:
    """Why something can't be done."""
    return ConfigError(
        "merge, adopt, refresh and purge take SQL that databases don't share",
        where=f"connection {connection.id!r}",
        expected="a connection of type postgres or mysql",
    )


class Unkept:
    """Methods of a database that `merge`, `adopt`, `refresh` and `purge` alone need."""

    connection: Connection

    def send(
        self,
        cursor: Cursor,
        table: TableName,
        columns: Sequence[Column],
        batches: Iterator[RecordBatch],
        task: int | None = None,
    ) -> int:
        """Nobody does: executors of Python know no JDBC."""
        self._unkept()

    def plan_for(self, cursor: Cursor, stage: TableName, keys: Sequence[str]) -> None:
        """For `merge` alone."""
        self._unkept()

    def ordered(self, expression: str, column: Column) -> list[str]:
        """For `merge` alone."""
        self._unkept()

    def equal(self, left: str, right: str) -> str:
        """For `merge` alone."""
        self._unkept()

    def update_from(self, target: str, source: str, on: str, sets: Mapping[str, str]) -> str:
        """For `merge` alone."""
        self._unkept()

    def delete_using(self, target: str, source: str, on: str) -> str:
        """For `merge` alone."""
        self._unkept()

    def buckets(self, expression: str, column: Column, step: int) -> str:
        """For `adopt` alone."""
        self._unkept()

    def means(self, expression: str, column: Column) -> str | None:
        """For `purge` alone."""
        self._unkept()

    def spark_kind(self, column: Column) -> str:
        """For `adopt` and `purge` alone."""
        self._unkept()

    def like(self, cursor: Cursor, table: TableName, model: TableName) -> None:
        """For `refresh` alone."""
        self._unkept()

    def _unkept(self) -> NoReturn:
        raise unkept(self.connection)
