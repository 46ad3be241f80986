"""Staged files of a thin client whose server is on its own machine: both see the same folders.

So a verb may be a task of its own there: Spark writes and reads the rows, the client names, counts and removes them.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from spark_jobs.staging import Staged, Staging
from spark_jobs.statistics import Statistics
from spark_jobs.sweeping import LocalStorage

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

    from spark_jobs.plan import Plan


def seen_by_both(plan: Plan) -> bool:
    """Whether a plan's client and its server see its staging as one folder of their machine."""
    return bool((plan.spark.get("remote") or {}).get("ours")) and LocalStorage.at(plan.staging) is not None


class Folders(LocalStorage):
    """As `session.Storage`, as far as staging asks it, without Java."""

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder."""
        return Path(path).exists()

    def read(self, path: str) -> str:
        """Read a small text file."""
        return Path(path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a small text file whole: under a name of its own first, then renamed."""
        target = Path(path)
        hidden = target.with_name(f"{target.name}.{uuid4().hex}.writing")
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            hidden.write_text(text, encoding="utf-8")
            hidden.replace(target)
        except BaseException:
            with suppress(OSError):  # the first error counts
                hidden.unlink()
            raise

    def delete(self, path: str) -> None:
        """Remove a file or a folder with all that is in it; nothing happens where there is none."""
        if Path(path).is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            Path(path).unlink(missing_ok=True)


class FolderStaging(Staging):
    """Where the tasks of one staged run keep their rows."""

    def _place(self, verb: str, dataset: str) -> str:
        """A folder of this client's own: what the server still does for one that was killed goes into another."""
        return f"{super()._place(verb, dataset)}.{uuid4().hex}"

    def _count(self, folder: str, schema: StructType) -> int:
        return self.spark.read.schema(schema).parquet(folder).count()

    def statistics(
        self, staged: Staged, schema: StructType, names: set[str], *, passed: bool = False
    ) -> Statistics | None:
        """None: footers are read by Java's classes."""
        del staged, schema, names, passed
        return None

    @property
    def _storage(self) -> Any:
        return Folders()
