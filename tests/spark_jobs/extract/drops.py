"""Reading files as a pipeline would, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spark_jobs import kinds
from spark_jobs.extract.files import Files
from spark_jobs.flow import Context, Flow
from spark_jobs.report import DatasetCounts
from spark_jobs.window import Window
from tests.spark_jobs.plans import attempt, day, plan

REFUSED = ["raw", "dataset", "stage", "rules", "message", "source_file", "source_line"]


class Drops:
    """A folder of files and what a source makes of it."""

    def __init__(self, spark: Any, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        self.window: Window = day(1)

    def put(self, name: str, content: str | bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def context(self) -> Context:
        made = plan(self.folder, self.window, attempt(1))
        return Context(spark=self.spark, plan=made, where="extract.rows", dataset="rows")

    def flow(self, name: str = "", **options: Any) -> Flow:
        columns = {
            column: {"type": kind} if isinstance(kind, str) else kind
            for column, kind in options.pop("columns", {}).items()
        }
        given = {"path": str(self.folder / name), "format": "csv", "columns": columns} | options
        return kinds.build(Files, given).read(self.context())

    def read(self, name: str = "", **options: Any) -> Read:
        return Read(self.flow(name, **options))


class Read:
    """Everything that one pass over a source gives; the books must balance."""

    def __init__(self, flow: Flow) -> None:
        self.rows = [tuple(row) for row in flow.rows.collect()]
        self.columns = flow.rows.columns
        self.counts: DatasetCounts = flow.counts()
        assert self.counts.missing == 0
        assert self.counts.rows == len(self.rows)
        refused = flow.refused()
        assert (refused is None) == (self.counts.quarantined == 0)
        self.refused: list[dict[str, Any]] = []
        if refused is not None:
            assert refused.columns == REFUSED
            self.refused = [row.asDict() for row in refused.orderBy("source_file", "source_line", "raw").collect()]
            assert len(self.refused) == self.counts.quarantined
            assert all(row["rules"] and row["message"] for row in self.refused)

    @property
    def raw(self) -> list[str]:
        return [row["raw"] for row in self.refused]

    @property
    def rules(self) -> list[str]:
        return [rule for row in self.refused for rule in row["rules"]]
