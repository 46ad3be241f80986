"""Files and folders, local or behind a URI, as a condition looks at them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from airflow_provider_etl.spec.paths import is_uri
from spark_jobs.errors import ConfigError, InfrastructureError

_MOST: Final = 10_000  # files of one condition
_MAGIC: Final = frozenset("*?[")
# Where the providers of the usual stores come from.
_PACKAGES: Final = {
    "s3": "apache-airflow-providers-amazon[s3fs]",
    "s3a": "apache-airflow-providers-amazon[s3fs]",
    "gs": "apache-airflow-providers-google",
    "abfs": "apache-airflow-providers-microsoft-azure",
    "abfss": "apache-airflow-providers-microsoft-azure",
}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A file as it is now.

    Args:
        path: absolute, or a URI's part that the store knows.
        size: bytes.
        modified: when it was written last; None where the store doesn't say.
    """

    path: str
    size: int
    modified: datetime | None


class Storage(Protocol):
    """What a condition asks of a store."""

    def files(self, path: str) -> list[Seen]:
        """The file, the files that a pattern finds, or all files below a folder; none where nothing is there."""

    def is_folder(self, path: str) -> bool:
        """Whether a folder is there."""

    def text(self, path: str, limit: int) -> str | None:
        """The beginning of a text file, up to `limit` bytes; None where it isn't there."""


def storage_of(path: str, connection: str | None) -> Storage:
    """The store that a path is in.

    Args:
        path: absolute, or a URI.
        connection: Airflow connection id of a URI's store; None for the machine's own credentials.
    """
    return Remote(path, connection) if is_uri(path) else Local()


def is_pattern(path: str) -> bool:
    """Whether a path stands for every file that fits it."""
    return not _MAGIC.isdisjoint(path)


class Local:
    """The machine's own files: those that the triggerer (or, rescheduled, the worker) sees."""

    def files(self, path: str) -> list[Seen]:
        """See `Storage`."""
        found = sorted(glob.glob(path, recursive=True)) if is_pattern(path) else [path]
        return list(_limited((item for place in found for item in self._below(place)), path))

    def _below(self, place: str) -> Iterator[Seen]:
        if Path(place).is_dir():
            for folder, folders, names in os.walk(place):
                folders.sort()
                yield from (seen for name in sorted(names) if (seen := self._seen(os.path.join(folder, name))))
        elif seen := self._seen(place):
            yield seen

    def _seen(self, path: str) -> Seen | None:
        try:
            status = Path(path).stat()
        except (FileNotFoundError, NotADirectoryError):
            return None
        return Seen(path=path, size=status.st_size, modified=datetime.fromtimestamp(status.st_mtime, UTC))

    def is_folder(self, path: str) -> bool:
        """See `Storage`."""
        return Path(path).is_dir()

    def text(self, path: str, limit: int) -> str | None:
        """See `Storage`."""
        try:
            with open(path, "rb") as file:
                return file.read(limit).decode("utf-8", "replace")
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None


class Remote:
    """A store behind a URI, by Airflow's object storage (fsspec).

    Args:
        uri: any path in it.
        connection: Airflow connection id, or None.

    Raises:
        ConfigError: nothing that knows the scheme is installed.
    """

    def __init__(self, uri: str, connection: str | None) -> None:
        from airflow_provider_etl.compat import object_store

        scheme = uri.partition(":")[0]
        try:
            self._fs: Any = object_store(uri, connection)
        except (ImportError, ValueError, NotImplementedError) as error:
            package = _PACKAGES.get(scheme, f"the provider of {scheme}://")
            raise ConfigError(f"{scheme}:// can't be read: {error}", where=uri, remedy=f"install {package}") from error
        # Listings are remembered by fsspec for the life of a process: a waiter would never see a new file.
        self._fs.invalidate_cache()

    def files(self, path: str) -> list[Seen]:
        """See `Storage`."""
        places = sorted(self._fs.glob(path)) if is_pattern(path) else [path]
        return list(_limited((item for place in places for item in self._below(place)), path))

    def _below(self, place: str) -> Iterator[Seen]:
        for name, about in sorted(self._fs.find(place, detail=True).items()):
            yield Seen(path=str(name), size=int(about.get("size") or 0), modified=_modified(about))

    def is_folder(self, path: str) -> bool:
        """See `Storage`."""
        return bool(self._fs.isdir(path))

    def text(self, path: str, limit: int) -> str | None:
        """See `Storage`."""
        try:
            return bytes(self._fs.cat_file(path, start=0, end=limit)).decode("utf-8", "replace")
        except FileNotFoundError:
            return None


def _modified(about: dict[str, Any]) -> datetime | None:
    """When a file was written, by whichever name its store has for it."""
    for name in ("mtime", "LastModified", "last_modified", "updated", "created"):
        value = about.get(name)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return None


def _limited(files: Iterator[Seen], path: str) -> Iterator[Seen]:
    for count, item in enumerate(files):
        if count == _MOST:
            remedy = "wait for a marker: success: _SUCCESS"
            raise ConfigError(f"more than {_MOST} files", where=path, expected="fewer", remedy=remedy)
        yield item


def beside(path: str, name: str, storage: Storage) -> str:
    """A file of a folder: of the path itself where it is one, else of the folder that the path is in.

    Raises:
        InfrastructureError: the name leads out of the folder.
    """
    if name.startswith("/") or is_uri(name) or ".." in name.split("/"):
        raise InfrastructureError(f"{name!r} leads out of the folder", where=path, expected="a name below it")
    folder = path if storage.is_folder(path) else path.rpartition("/")[0]
    return f"{folder.rstrip('/')}/{name}"
