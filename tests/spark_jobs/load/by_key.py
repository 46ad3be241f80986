"""A Delta table that is loaded by key, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spark_jobs.flow import Context
from spark_jobs.ledger import Ledger
from spark_jobs.load.delta import Delta
from spark_jobs.report import LoadReceipt
from spark_jobs.window import Window
from tests.spark_jobs.frames import frame
from tests.spark_jobs.plans import attempt, plan


class KeyedTable:
    """One Delta table, loaded window by window; each load takes a number larger than those before."""

    def __init__(self, spark: Any, folder: Path, write: Any, schema: str, **options: Any) -> None:
        self.spark, self.folder, self.schema = spark, folder, schema
        self.path = str(folder / "table")
        self.destination = Delta(path=self.path, write=write, **options)
        self.second = 0.0

    def load(
        self,
        window: Window,
        *rows: tuple[Any, ...],
        second: float | None = None,
        schema: str | None = None,
        **rest: Any,
    ) -> LoadReceipt:
        self.second += 1
        made = plan(
            self.folder, window, attempt(self.second if second is None else second, rest.pop("token", None)), **rest
        )
        context = Context(spark=self.spark.newSession(), plan=made, where="load.lake", dataset="result")
        made_of = frame(context.spark, rows, schema or self.schema)
        return self.destination.publish("lake", made_of, len(rows), context)

    def found_again(self, window: Window, token: str) -> LoadReceipt | None:
        made = plan(self.folder, window, attempt(self.second + 1, token))
        context = Context(spark=self.spark.newSession(), plan=made, where="load.lake", dataset="result")
        return self.destination.done("lake", context)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        held = self.spark.read.format("delta").load(self.path)
        found = [tuple(row) for row in held.select(*(columns or held.columns)).collect()]
        return sorted(found, key=repr)

    @property
    def version(self) -> int | None:
        return Ledger(self.spark, self.path).version()
