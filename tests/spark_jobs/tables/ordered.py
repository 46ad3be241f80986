"""A pipeline of one load, whose tables are given orders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from spark_jobs.flow import Context
from spark_jobs.ledger import Ledger, attempt_number
from spark_jobs.load.delta import Delta
from spark_jobs.orders import Order, execute
from spark_jobs.plan import Attempt, Plan
from spark_jobs.report import LoadReceipt
from spark_jobs.window import Window
from tests.spark_jobs.plans import FINGERPRINT, attempt, day, plan

SCHEMA = "id INT, who STRING, at TIMESTAMP"


def at(number: int, hour: int = 12) -> datetime:
    return datetime(2013, 1, number, hour)  # noqa: DTZ001 - Spark's session is in UTC


class Meanwhile(list[str]):
    """Lines of progress; at the first that holds a text, something is done."""

    def __init__(self, text: str, do: Callable[[], Any]) -> None:
        super().__init__()
        self.text, self.do, self.done = text, do, list[Any]()

    def append(self, line: str) -> None:
        super().append(line)
        if self.text in line and not self.done:
            self.done.append(None)
            self.done[0] = self.do()


class Ordered:
    """One load, its table and what lies around it."""

    def __init__(self, spark: Any, folder: Path, write: Any, *, pipeline: str = "flights", **options: Any) -> None:
        self.spark, self.folder, self.pipeline = spark, folder, pipeline
        self.path = str(folder / "table")
        self.destination = Delta(path=self.path, write=write, **options)
        self.said: list[str] = []

    def plan(self, window: Window, who: Attempt | None = None) -> Plan:
        who = who or Attempt(number=attempt_number(FINGERPRINT), token="order", run="order-1")
        load = {"lake": ("result", self.destination)}
        return plan(self.folder, window, who, pipeline=self.pipeline, load=load)

    def order(self, name: str, **options: Any) -> dict[str, Any]:
        """Carry an order out, its JSON there and back."""
        made = Order(name=name, plans=(self.plan(day(1)),), options=options)
        again = Order.from_json(json.loads(json.dumps(made.to_json())))
        assert again == made
        report = execute(again, lambda *_: self.spark.newSession(), self.said.append)
        return json.loads(json.dumps(report))  # type: ignore[no-any-return]

    def done(self, name: str, **options: Any) -> dict[str, Any]:
        report = self.order(name, **options)
        assert report["error"] is None, report["error"]
        return report

    def refused(self, name: str, **options: Any) -> str:
        report = self.order(name, **options)
        assert (report["state"], report["error"]["kind"]) == ("failed", "config"), report
        return str(report["error"]["message"])

    def load(self, window: Window, rows: list[tuple[Any, ...]], who: Attempt | None = None) -> LoadReceipt:
        made = self.plan(window, who or replace(attempt(0), number=attempt_number(FINGERPRINT), since=0))
        context = Context(spark=self.spark, plan=made, where="load.lake", dataset="result")
        return self.destination.publish("lake", self.spark.createDataFrame(rows, SCHEMA), len(rows), context)

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        frame = self.spark.read.format("delta").load(self.path)
        return sorted(tuple(row) for row in frame.select(*(columns or ("id",))).collect())

    def units(self) -> set[str]:
        return {key.removeprefix(f"etl:{self.pipeline}:lake:") for key in self.ledger.units(self.pipeline, "lake")}

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.spark, self.path)

    def files(self) -> dict[str, str]:
        """Every data file of the table, live or not, with a digest of its bytes."""
        found = Path(self.path).rglob("*.parquet")
        return {
            str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in found if "_delta_log" not in file.parts
        }

    def live_bytes(self, path: str | None = None) -> bytes:
        """The bytes of the files that the newest version of a table consists of."""
        files = self.spark.read.format("delta").load(path or self.path).inputFiles()
        return b"".join(Path(file.removeprefix("file:").replace("///", "/")).read_bytes() for file in files)
