"""Reading databases as a pipeline would, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spark_jobs import kinds
from spark_jobs.connections import Connections
from spark_jobs.extract.jdbc import Jdbc
from spark_jobs.flow import Context
from spark_jobs.window import Window
from tests.spark_jobs.extract.drops import Read
from tests.spark_jobs.plans import attempt, day, plan


class Tables:
    """A server's tables and what a source makes of them."""

    def __init__(self, spark: Any, folder: Path, server: Any) -> None:
        self.spark, self.folder, self.server = spark, folder, server
        self.window: Window = day(1)
        self.connection = server.connection("db")

    def context(self) -> Context:
        made = plan(self.folder, self.window, attempt(1))
        known = Connections(self.connection)
        return Context(spark=self.spark, plan=made, where="extract.rows", dataset="rows", connections=known)

    def source(self, **options: Any) -> Jdbc:
        columns = {
            name: {"type": kind} if isinstance(kind, str) else kind for name, kind in options.pop("columns", {}).items()
        }
        return kinds.build(Jdbc, {"connection": "db", "columns": columns, "window": "all"} | options)

    def read(self, **options: Any) -> Read:
        return Read(self.source(**options).read(self.context()))

    def one(self, **options: Any) -> dict[str, Any]:
        """The only row."""
        read = self.read(**options)
        assert len(read.rows) == 1, read.refused
        return dict(zip(read.columns, read.rows[0], strict=True))
