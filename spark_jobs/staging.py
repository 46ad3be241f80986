"""Staging: results between verbs as Parquet with a manifest; the manifest is written last, so half a result is none.

`<staging>/<pipeline>/<window key>/<run>/<verb>-<attempt number>/<dataset>/`; the run's folder gets a `_done` marker
when its load succeeded.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self

from spark_jobs.errors import DataError
from spark_jobs.plan import Plan
from spark_jobs.session import Storage

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

_MANIFEST: Final = "manifest.json"
_DONE: Final = "_done"
_FEW: Final = 32  # files whose footers are read one after the other faster than a Spark job starts
_HOUR: Final = 3_600_000
_DEAD: Final = 7 * 24 * _HOUR  # a run that never succeeded and that nobody tried again for a week


@dataclass(frozen=True, kw_only=True)
class Staged:
    """A reference to a staged dataset.

    Args:
        path: folder of the Parquet files and the manifest.
        rows: exact number of rows, read from the files' footers after they were written.
    """

    path: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Staging:
    """Where the attempts of one window's run stage their files."""

    spark: SparkSession
    plan: Plan

    @property
    def pipeline_folder(self) -> str:
        """The folder of all windows of the pipeline."""
        return f"{self.plan.staging.rstrip('/')}/{self.plan.pipeline}"

    @property
    def run_folder(self) -> str:
        """The folder of this run of this window."""
        return f"{self.pipeline_folder}/{self.plan.window.key}/{self.plan.attempt.run}"

    def write(self, rows: DataFrame, verb: str, dataset: str) -> Staged:
        """Compute a dataset, write it, count what was written, and only then say that it is there."""
        path = f"{self.run_folder}/{verb}-{self.plan.attempt.number}/{dataset}"
        rows.write.mode("overwrite").parquet(f"{path}/data")
        written = self._count(f"{path}/data", rows.schema)
        staged = Staged(path=path, rows=written)
        manifest = {"rows": written, "schema": rows.schema.jsonValue(), "attempt": self.plan.attempt.number}
        self._storage.write(f"{path}/{_MANIFEST}", json.dumps(manifest))
        return staged

    def _count(self, folder: str, schema: StructType) -> int:
        """The rows that are in the files: few files are asked here, many by Spark."""
        if len(self._storage.names(folder)) <= _FEW:
            return self._storage.parquet_rows(folder)
        return self.spark.read.schema(schema).parquet(folder).count()

    def read(self, staged: Staged, verb: str) -> DataFrame:
        """A staged dataset.

        Args:
            staged: the reference that an earlier verb returned.
            verb: that verb, for the error's text.

        Raises:
            DataError: it is gone (swept after its retention) or was never finished.
        """
        from pyspark.sql.types import StructType

        if not self._storage.exists(f"{staged.path}/{_MANIFEST}"):
            raise DataError(
                f"the staged files of {staged.path.rsplit('/', 1)[-1]} are gone",
                where=staged.path,
                expected="a manifest",
                remedy=f"clear the {verb} task too: it stages them again",
            )
        manifest = json.loads(self._storage.read(f"{staged.path}/{_MANIFEST}"))
        schema = StructType.fromJson(manifest["schema"])
        return self.spark.read.schema(schema).parquet(f"{staged.path}/data")

    def _drop_dead(self, verb: str) -> None:
        for name, _ in self._storage.names(self.run_folder):
            number = name.removeprefix(f"{verb}-")
            if name.startswith(f"{verb}-") and number.isdigit() and int(number) < self.plan.attempt.number:
                self._storage.delete(f"{self.run_folder}/{name}")

    def begin(self, verb: str) -> None:
        """Take the run's folder: it isn't done any more, and what older attempts of the verb left there goes."""
        self._storage.delete(f"{self.run_folder}/{_DONE}")
        self._drop_dead(verb)

    def finish(self, retention_hours: float, *, keep: bool) -> None:
        """Mark the run as succeeded and sweep the pipeline's staging.

        Runs that succeeded longer ago than the retention go, and those that failed and were left alone for a week.

        Args:
            retention_hours: how long a succeeded run's files stay, so that a cleared load finds them.
            keep: whether this run's files stay that long; a fused run needs them no more.
        """
        if not keep:
            self._storage.delete(self.run_folder)
        else:
            self._storage.write(f"{self.run_folder}/{_DONE}", self.plan.attempt.token)
        sweep(self._storage, self.pipeline_folder, retention_hours)

    @property
    def _storage(self) -> Storage:
        return Storage(self.spark, self.plan.staging)


class Folders(Protocol):
    """The storage that is swept."""

    def names(self, folder: str) -> list[tuple[str, int]]:
        """(name, modification time in milliseconds) of what is in a folder; empty where there is none."""

    def delete(self, path: str) -> None:
        """Remove a file or folder with all that is in it."""

    def delete_empty(self, folder: str) -> None:
        """Remove a folder if nothing is in it."""


def sweep(storage: Folders, pipeline_folder: str, retention_hours: float) -> int:
    """Remove runs that succeeded longer ago than the retention, and those that were left alone for a week.

    Args:
        storage: where staging is.
        pipeline_folder: the folder of all windows of a pipeline.
        retention_hours: how long a succeeded run's files stay.

    Returns:
        How many runs were removed.
    """
    before = int(time.time() * 1000) - int(retention_hours * _HOUR)
    windows = [f"{pipeline_folder}/{name}" for name, _ in storage.names(pipeline_folder)]
    return sum(_sweep(storage, window, before) for window in windows)


def _sweep(storage: Folders, window_folder: str, before: int) -> int:
    removed = 0
    for run, changed in storage.names(window_folder):
        inside = dict(storage.names(f"{window_folder}/{run}"))
        quiet_since = max(inside.values(), default=changed)
        if quiet_since < (before if _DONE in inside else before - _DEAD):
            storage.delete(f"{window_folder}/{run}")
            removed += 1
    storage.delete_empty(window_folder)
    return removed


class LocalStorage:
    """Folders of this machine, without Spark."""

    @classmethod
    def at(cls, path: str) -> Self | None:
        """The storage of a path; None where it is a URI of another one."""
        return None if "://" in path else cls()

    def names(self, folder: str) -> list[tuple[str, int]]:
        """(name, modification time in milliseconds) of what is in a folder, sorted; empty where there is none."""
        try:
            with os.scandir(folder) as found:
                return sorted((item.name, int(item.stat(follow_symlinks=False).st_mtime * 1000)) for item in found)
        except (FileNotFoundError, NotADirectoryError):
            return []  # or somebody else sweeps at this moment

    def delete(self, path: str) -> None:
        """Remove a folder with all that is in it."""
        shutil.rmtree(path, ignore_errors=True)

    def delete_empty(self, folder: str) -> None:
        """Remove a folder if nothing is in it."""
        with suppress(OSError):  # somebody has put something there at this moment, or removed it
            Path(folder).rmdir()
