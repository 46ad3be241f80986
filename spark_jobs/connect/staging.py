"""Staging over Spark Connect: rows stay with Spark's executors, cut off from their sources, until the session ends.

A thin client can't remove files, so it stages none: nothing is left behind, whoever is killed. Rows that are lost with
an executor fail the run; nothing is read a second time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from spark_jobs.errors import DataError
from spark_jobs.staging import Staged, Staging
from spark_jobs.statistics import Statistics

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import StructType


@dataclass(frozen=True, kw_only=True)
class ConnectStaging(Staging):
    """Where one fused run keeps its rows.

    Args:
        frames: path -> what was staged under it; no file stands there.
    """

    frames: dict[str, DataFrame] = field(default_factory=dict)

    def write(self, rows: DataFrame, verb: str, dataset: str) -> Staged:
        """Compute a dataset once and keep it; counters along its way tell what passed them."""
        path = f"connect:{verb}-{next(self.places)}/{dataset}"
        held = rows.persist()
        try:
            # A checkpoint alone tells nothing of observations, a count of kept rows does.
            count = held.count()
            self.frames[path] = held.localCheckpoint(eager=True)
        finally:
            held.unpersist()
        return Staged(path=path, rows=count)

    def drop(self, staged: Staged) -> None:
        """Forget rows: Spark drops them with the last reference."""
        self.frames.pop(staged.path, None)

    def is_apart(self, staged: Staged) -> bool:
        """Nothing is written apart."""
        del staged
        return False

    def statistics(
        self, staged: Staged, schema: StructType, names: set[str], *, passed: bool = False
    ) -> Statistics | None:
        """None: there are no files that know anything."""
        del staged, schema, names, passed
        return None

    def read(self, staged: Staged, verb: str) -> DataFrame:
        """A staged dataset.

        Raises:
            DataError: another application staged it.
        """
        if staged.path not in self.frames:
            raise DataError(
                "rows of another application aren't kept over Spark Connect",
                where=verb,
                expected="one application for the whole run",
                remedy="execution: fused",
            )
        return self.frames[staged.path]

    def begin(self, verb: str) -> None:
        """Nothing is left of older attempts."""
        del verb

    def finish(self, retention_hours: float, *, keep: bool) -> None:
        """Let go of all rows."""
        del retention_hours, keep
        self.frames.clear()
