"""What a folder of files already holds: its newest manifest, read without Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from airflow_provider_etl.hooks.tables import Span
from airflow_provider_etl.spec.paths import is_uri
from spark_jobs.errors import ConfigError, InfrastructureError
from spark_jobs.ledger import LoadUnit
from spark_jobs.load.filesets.manifest import FOLDER, Manifest, name_of, numbers
from spark_jobs.window import Window

_Listing = tuple[list[str], Callable[[str], str]]


class FilesLedger:
    """The ledger of one folder of files; it is read once.

    Args:
        path: the folder, or a URI that fsspec knows.
    """

    def __init__(self, path: str) -> None:
        self.path = path.rstrip("/")

    @property
    def silent(self) -> bool:
        """Whether Spark alone can ask it: never."""
        return False

    @cached_property
    def manifest(self) -> Manifest | None:
        """The newest manifest; None where nothing was ever loaded.

        Raises:
            ConfigError: nothing that knows the storage is installed.
            DataError: it is no manifest.
            InfrastructureError: it can't be read.
        """
        try:
            names, text = _remote(self.path) if is_uri(self.path) else _local(self.path)
            found = numbers(names)
            return Manifest.from_text(text(name_of(found[-1])), self.path) if found else None
        except OSError as error:
            raise InfrastructureError(f"the ledger can't be read: {error}", where=self.path) from error

    def number(self, unit: LoadUnit) -> int | None:
        """The number of the last commit of a unit, None where the folder or the unit isn't there."""
        entry = self._units.get(unit.key)
        return None if entry is None else int(entry["number"])

    def last_attempt(self, unit: LoadUnit) -> int | None:
        """The attempt's number that the next attempt of a unit must exceed, None where nothing was loaded."""
        number = self.number(unit)
        return None if number is None else unit.last_attempt(number)

    def newest_attempt(self, pipeline: str, destination: str) -> int | None:
        """The largest attempt's number among the last commits of a load, whichever window; None where there is none."""
        return max((int(entry["attempt"]) for _, entry in self._of(pipeline, destination)), default=None)

    def holds(self, unit: LoadUnit, fingerprint: str) -> bool:
        """Whether the unit was loaded last with this configuration, and for a snapshot by this window."""
        entry = self._units.get(unit.key, {})
        return entry.get("fingerprint") == fingerprint and bool(unit.last_attempt(int(entry["number"])))

    def snapshot_end(self, unit: LoadUnit) -> datetime | None:
        """The end, to the minute, of the window that a snapshot holds; None where nothing was loaded."""
        number = self.number(unit)
        return None if number is None else unit.snapshot_end(number)

    def windows(self, pipeline: str, destination: str) -> list[Span]:
        """The windows that a destination has loaded; none of a snapshot."""
        mine = [entry for key, entry in self._of(pipeline, destination) if not key.endswith(":snapshot")]
        found = [Window.from_json(entry["window"]) for entry in mine]
        return [(window.start, window.end) for window in found]

    def appended(self, _pipeline: str) -> set[Span]:
        """None: folders of files don't keep `append`."""
        return set()

    @property
    def _units(self) -> Mapping[str, Mapping[str, Any]]:
        return self.manifest.units if self.manifest is not None else {}

    def _of(self, pipeline: str, destination: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        prefix = f"etl:{pipeline}:{destination}:"
        return ((key, entry) for key, entry in self._units.items() if key.startswith(prefix))


def _local(path: str) -> _Listing:
    """The names of the manifests, and what reads one; none where there is no folder."""
    folder = Path(path, FOLDER)
    names = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    return names, lambda name: Path(path, name).read_text(encoding="utf-8")


def _remote(path: str) -> _Listing:
    try:
        import fsspec

        storage, inside = fsspec.core.url_to_fs(path.replace("s3a://", "s3://", 1))
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"{path} can't be asked what it holds: {error}",
            where=path,
            expected="a local path, or storage that fsspec knows",
            remedy="install the storage's fsspec package (s3fs, gcsfs, adlfs) where tasks run",
        ) from error
    storage.invalidate_cache()
    there = storage.exists(f"{inside}/{FOLDER}")
    names = [str(name).rpartition("/")[2] for name in storage.ls(f"{inside}/{FOLDER}", detail=False)] if there else []
    return names, lambda name: str(storage.cat_file(f"{inside}/{name}").decode("utf-8"))
