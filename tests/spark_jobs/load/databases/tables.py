"""A table of a real database that is loaded by the destination `jdbc`, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spark_jobs.connections import Connections
from spark_jobs.flow import Context
from spark_jobs.load.jdbc import Jdbc
from spark_jobs.report import LoadReceipt
from spark_jobs.window import Window
from tests.spark_jobs.plans import attempt, plan


class DatabaseTable:
    """One table, loaded window by window; each load takes a number larger than those before.

    Args:
        spark: the session.
        server: a running server of tests/servers.
        folder: for plans.
        name: the table's.
        write: the strategy.
        schema: of the rows that `load` takes.
        options: of the destination.
    """

    def __init__(  # noqa: PLR0917 - what a test varies
        self, spark: Any, server: Any, folder: Path, name: str, write: Any, schema: str, **options: Any
    ) -> None:
        self.spark, self.server, self.folder, self.name, self.schema = spark, server, folder, name, schema
        self.connection = server.connection("db")
        self.destination = Jdbc(connection="db", table=name, write=write, **options)
        self.second = 0.0

    def context(self, window: Window, second: float | None = None, token: str | None = None, **rest: Any) -> Context:
        """Of the next attempt, or of the one that is said."""
        self.second += 1
        made = plan(self.folder, window, attempt(self.second if second is None else second, token), **rest)
        return Context(
            spark=self.spark,
            plan=made,
            where="load.mart",
            dataset="result",
            connections=Connections(self.connection),
        )

    def load(
        self,
        window: Window,
        *rows: tuple[Any, ...],
        schema: str | None = None,
        context: Context | None = None,
        **who: Any,
    ) -> LoadReceipt:
        """Publish rows."""
        frame = self.spark.createDataFrame(list(rows), schema or self.schema)
        return self.destination.publish("mart", frame, len(rows), context or self.context(window, **who))

    def rows(self, what: str = "id", order: str | None = None) -> list[tuple[Any, ...]]:
        """What the table holds."""
        return self.server.rows(f"SELECT {what} FROM {self.quoted(self.name)} ORDER BY {order or what}")  # noqa: S608

    def quoted(self, name: str) -> str:
        """An identifier of this server; this names no schema."""
        if self.server.kind == "jdbc":
            plain = name.islower() and not name.startswith("_")
            return name if plain else f'"{name.upper() if name.islower() else name}"'
        return f'"{name}"' if self.server.kind == "postgres" else f"`{name}`"

    def stages(self) -> list[str]:
        """Staging tables that are there."""
        if self.server.kind == "jdbc":
            return list(self.server.tables("_etl_stage"))
        found = self.server.rows(
            "SELECT table_name FROM information_schema.tables WHERE left(table_name, 10) = '_etl_stage'"
        )
        return [name for (name,) in found]
