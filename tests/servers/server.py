"""A running database server, however it is spoken to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from spark_jobs.connections import Connection
from tests.servers.guarded import PASSWORD


@dataclass(frozen=True)
class Server:
    """A running server.

    Args:
        log: what it was told, statement by statement.
    """

    kind: ClassVar[str]
    """The type that Airflow gives its connections."""

    host: str
    port: int
    user: str
    database: str
    log: Path
    password: str = field(repr=False, default=PASSWORD)

    def connected(self) -> AbstractContextManager[Any]:
        """A connection of Python's DB-API, for transactions that stay open."""
        raise NotImplementedError

    def connection(self, name: str, **extra: Any) -> Connection:
        """As Airflow would know it."""
        return Connection(
            id=name,
            kind=self.kind,
            host=self.host,
            port=self.port,
            schema=self.database,
            login=self.user,
            password=self.password,
            extra=extra,
        )

    def run(self, *statements: str) -> None:
        """Run statements, in one transaction as far as they can be in one."""
        with self.connected() as made, made.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            made.commit()

    def rows(self, sql: str, values: Sequence[Any] | None = None) -> list[tuple[Any, ...]]:
        """What a query gives."""
        with self.connected() as made, made.cursor() as cursor:
            cursor.execute(sql, values)
            return list(cursor.fetchall())
