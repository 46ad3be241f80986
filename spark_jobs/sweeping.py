"""Staged files that nobody needs any more are removed, by Spark after a load and by Airflow at the end of a run."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol, Self

DONE: Final = "_done"  # in the folder of a run that has succeeded
_HOUR: Final = 3_600_000
_DEAD: Final = 7 * 24 * _HOUR  # a run that never succeeded and that nobody tried again for a week


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
        if quiet_since < (before if DONE in inside else before - _DEAD):
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
