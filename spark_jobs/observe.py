"""Counting rows in the pass that moves them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from uuid import uuid4

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

_PATIENCE: Final = 20.0  # seconds; Spark reports an observation from its listener thread, a moment after the action


class Counter:
    """Aggregates of the rows that pass one point, observed while an action runs.

    Args:
        rows: the rows at that point.
        metrics: name -> aggregate; each must give a number.
    """

    def __init__(self, rows: DataFrame, **metrics: Column) -> None:
        from pyspark.sql import Observation

        self._source, self._metrics = rows, metrics
        self._observation = Observation(f"etl-{uuid4().hex}")
        self.rows: DataFrame = rows.observe(self._observation, *self._columns())
        self._values: dict[str, int] | None = None

    def _columns(self) -> list[Column]:
        return [metric.alias(name) for name, metric in self._metrics.items()]

    def values(self) -> dict[str, int]:
        """The aggregates; call it after an action over `rows` has finished.

        Where Spark optimised the point away (an inner join with an empty side is never computed), the rows are counted
        by an aggregate of their own.
        """
        if self._values is None:
            seen = self._observed()
            self._values = seen or self.recount()  # a thin client hears nothing where nothing ran
        return self._values

    def recount(self) -> dict[str, int]:
        """The aggregates by a pass of their own: exact also where a lost executor made Spark repeat a stage."""
        row = self._source.agg(*self._columns()).first()
        return {name: int(row[name] or 0) for name in self._metrics} if row is not None else {}

    def _observed(self) -> dict[str, int] | None:
        found: list[dict[str, int]] = []

        def ask() -> None:
            # Spark fails an assertion here for a point that never ran; values() then counts it by itself.
            try:
                found.append({name: int(value or 0) for name, value in self._observation.get.items()})
            except Exception as absent:  # noqa: BLE001 - any failure to observe means: count
                self.absent: Exception | None = absent

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(_PATIENCE)
        return found[0] if found else None
