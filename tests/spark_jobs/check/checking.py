"""Runs checks over rows as a run does: the number of rows is known, one pass answers the rest."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_jobs import kinds
from spark_jobs.check import CHECKS
from spark_jobs.check.flow import check
from spark_jobs.report import CheckResult
from tests.spark_jobs.transform.running import context

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


@dataclass(frozen=True)
class Ran:
    results: list[CheckResult]
    kept: list[tuple[Any, ...]] | None
    refused: list[Any]

    @property
    def numbers(self) -> list[tuple[int, int, bool]]:
        """(rows that count, rows that fail, success) for each result."""
        return [(result.observed, result.unexpected_count, result.success) for result in self.results]

    @property
    def raw(self) -> list[Any]:
        return [json.loads(row["raw"]) for row in self.refused]


def built(items: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, Any], ...]:
    """Checks as the plan's JSON brings them."""
    found = []
    for item in items:
        for name, value in item.items():
            kind = kinds.find(CHECKS, name, "check")
            found.append((name, kinds.build(kind, kinds.normalise(kind, value))))
    return tuple(found)


def checks(rows: DataFrame, *items: Mapping[str, Any], zone: str = "UTC", **datasets: DataFrame) -> Ran:
    done = check(built(items), rows, rows.count(), context(rows, zone, **datasets))
    kept = None if done.kept is None else [tuple(row) for row in done.kept.collect()]
    assert done.kept is None or done.kept.schema == rows.schema
    return Ran(done.results, kept, [] if done.refused is None else done.refused.collect())
