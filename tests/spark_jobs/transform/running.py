"""Runs steps over rows as a window does: one action, then the counts, then what was refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spark_jobs import kinds
from spark_jobs.connections import Connections
from spark_jobs.flow import Context, Flow
from spark_jobs.plan import Dataset
from spark_jobs.report import DatasetCounts
from spark_jobs.transform import STEPS
from spark_jobs.transform.flow import transform
from tests.spark_jobs import plans

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Ran:
    columns: list[str]
    rows: list[tuple[Any, ...]]
    counts: DatasetCounts
    refused: list[Any]

    @property
    def raw(self) -> list[Any]:
        return [json.loads(row["raw"]) for row in self.refused]

    @property
    def messages(self) -> list[str]:
        return [row["message"] for row in self.refused]


def built(steps: tuple[Mapping[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
    """The steps as the plan's JSON brings them."""
    found = []
    for step in steps:
        for name, value in step.items():
            kind = kinds.find(STEPS, name, "transform")
            found.append((name, kinds.build(kind, kinds.normalise(kind, value))))
    return tuple(found)


@dataclass(frozen=True)
class Beside:
    """What a run has beside its rows.

    Args:
        plan: what the plan says.
        connections: what was handed over.
    """

    plan: Mapping[str, Any] = field(default_factory=dict)
    connections: Connections = field(default_factory=Connections)


def context(rows: DataFrame, zone: str = "UTC", beside: Beside | None = None, **datasets: DataFrame) -> Context:
    given = beside or Beside()
    plan = plans.plan(Path("unused"), plans.day(1, zone=zone), plans.attempt(0), **given.plan)
    session, connections = rows.sparkSession, given.connections
    where = "transform.result"
    return Context(spark=session, plan=plan, where=where, dataset="result", datasets=datasets, connections=connections)


def lazily(
    rows: DataFrame,
    *steps: Mapping[str, Any],
    zone: str = "UTC",
    beside: Beside | None = None,
    **datasets: DataFrame,
) -> Flow:
    @cache
    def counts() -> DatasetCounts:
        total = rows.count()
        return DatasetCounts(read=total, rows=total)

    source = Flow(rows=rows, counts=counts, refused=lambda: None)
    within = context(rows, zone, beside, **datasets)
    return transform(Dataset(source="given", steps=built(steps)), source, within)


def run(
    rows: DataFrame,
    *steps: Mapping[str, Any],
    zone: str = "UTC",
    beside: Beside | None = None,
    **datasets: DataFrame,
) -> Ran:
    flow = lazily(rows, *steps, zone=zone, beside=beside, **datasets)
    found = [tuple(row) for row in flow.rows.collect()]
    counts, refused = flow.counts(), flow.refused()
    aside = [] if refused is None else refused.collect()
    assert (counts.missing, counts.quarantined, counts.rows) == (0, len(aside), len(found))
    return Ran(flow.rows.columns, found, counts, aside)
