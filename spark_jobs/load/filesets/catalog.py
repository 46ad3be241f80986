"""The manifests of one folder of files: the newest of them, and the step that makes the next one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from spark_jobs.atomic import Atomic
from spark_jobs.errors import ConfigError
from spark_jobs.load.filesets.manifest import CURRENT, DATA, FOLDER, KEPT, UNIT, Manifest, name_of, numbers

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class Catalog:
    """The manifests of a folder.

    Args:
        spark: a classic session.
        path: the table's folder or URI.
    """

    def __init__(self, spark: SparkSession, path: str) -> None:
        self.path = path.rstrip("/")
        self.storage = Atomic(spark, self.path)

    def newest(self) -> Manifest | None:
        """What the folder holds; None where nothing was ever loaded."""
        found = self._numbers()
        return self._read(found[-1]) if found else None

    def numbered(self, number: int) -> Manifest | None:
        """A manifest; None where it is gone."""
        return self._read(number) if self.storage.exists(self._file(number)) else None

    def history(self) -> Iterator[Manifest]:
        """The manifests that are still there, the newest first."""
        return map(self._read, reversed(self._numbers()))

    def refuse_strangers(self) -> None:
        """See that a folder without manifests is empty.

        Raises:
            ConfigError: it holds something that isn't ours.
        """
        strange = [name for name, _ in self.storage.names(self.path) if name not in {FOLDER, DATA}]
        inside = [name for name, _ in self.storage.names(f"{self.path}/{DATA}")]
        strange += [f"{DATA}/{name}" for name in inside if not name.startswith(f"{UNIT}=")]
        if self.storage.exists(self.path) and not self.storage.is_folder(self.path):
            strange = [self.path.rpartition("/")[2]]
        if strange:
            raise ConfigError(
                f"the folder holds something that no manifest tells of: {strange[0]!r}",
                where=self.path,
                expected="a folder of type: files, or nothing",
                remedy="move it away, or give another path",
            )

    def commit(self, made: Manifest) -> bool:
        """Make the next manifest; with that the folder holds what it says.

        Returns:
            Whether it was made; not where somebody else was faster.
        """
        if not self.storage.create(self._file(made.number), made.to_text()):
            return False
        # Whoever slept until its number was there and went has made an old one: nobody sees what that says. Where the
        # one before isn't there it has gone too, as manifests do, one after the other.
        there = self._numbers()
        if there[-1] - made.number >= KEPT or (made.number > 1 and made.number - 1 not in there):
            self.storage.delete(self._file(made.number))
            return False
        return True

    def tidy(self, made: Manifest) -> None:
        """Tell plain readers what the newest manifest holds, and remove the oldest manifests.

        Args:
            made: the manifest that was just made.
        """
        told = made
        self._tell(told)
        while (found := self._numbers()) and found[-1] != told.number:
            told = self._read(found[-1])  # somebody has committed meanwhile, and may have told it before us
            self._tell(told)
        for number in found[1:-KEPT]:
            self.storage.delete(self._file(number))

    def sweep(self, before: datetime) -> None:
        """Remove what processes have left that died in the middle of making a manifest.

        Args:
            before: only what was written before that.
        """
        for name, modified in self.storage.names(f"{self.path}/{FOLDER}"):
            if name.startswith(".") and modified < before.timestamp() * 1000:
                self.storage.delete(f"{self.path}/{FOLDER}/{name}")

    def _tell(self, manifest: Manifest) -> None:
        self.storage.replace(f"{self.path}/{CURRENT}", "".join(f"{path}\n" for path in manifest.paths))

    def _numbers(self) -> list[int]:
        return numbers(name for name, _ in self.storage.names(f"{self.path}/{FOLDER}"))

    def _read(self, number: int) -> Manifest:
        file = self._file(number)
        return Manifest.from_text(self.storage.read(file), file)

    def _file(self, number: int) -> str:
        return f"{self.path}/{name_of(number)}"
