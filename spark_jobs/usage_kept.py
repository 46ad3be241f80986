"""What the last windows of a pipeline needed: a small file per kind of application, beside its quarantine.

Two windows that end at one instant may lose one of their entries: it is a hint, and no run waits for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import uuid4

from spark_jobs.usage import Usage

_FOLDER: Final = "-usage"  # no pipeline's id begins so: it can't be one's quarantine
_MOST: Final = 50  # entries of a file


class Texts(Protocol):
    """The storage that holds the files."""

    def exists(self, path: str) -> bool:
        """Whether there is a file."""

    def read(self, path: str) -> str:
        """Read a small text file."""

    def write(self, path: str, text: str) -> None:
        """Write a small text file whole."""


class Local:
    """Files of this machine, without Spark."""

    def exists(self, path: str) -> bool:
        """Whether there is a file."""
        return Path(path).is_file()

    def read(self, path: str) -> str:
        """Read a small text file."""
        return Path(path).read_text(encoding="utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a small text file whole: under a name of its own first, then renamed."""
        hidden = f"{path}.{uuid4().hex}.writing"
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(hidden).write_text(text, encoding="utf-8")
        Path(hidden).replace(path)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The usages of one pipeline.

    Args:
        folder: the environment's quarantine folder or URI.
        pipeline: the pipeline's id.
        storage: what holds them.
    """

    folder: str
    pipeline: str
    storage: Texts

    def path(self, name: str) -> str:
        """The file of a kind of application: `run`, or a verb."""
        return f"{self.folder.rstrip('/')}/{_FOLDER}/{self.pipeline}/{name}.json"

    def entries(self, name: str) -> list[dict[str, Any]]:
        """What was kept, the oldest first; nothing where the file isn't one of ours.

        Raises:
            Exception: the storage can't be asked, in its own words.
        """
        path = self.path(name)
        if not self.storage.exists(path):
            return []
        try:
            found = json.loads(self.storage.read(path))
        except ValueError:
            return []
        return [entry for entry in found if _is_ours(entry)] if isinstance(found, list) else []

    def add(self, name: str, entry: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Keep one more; all that are kept now."""
        now = [*self.entries(name), dict(entry)][-_MOST:]
        self.storage.write(self.path(name), json.dumps(now))
        return now


def _is_ours(entry: Any) -> bool:
    """Whether an entry has all that is asked of one: it may be of another release, or of somebody's editor."""
    window = entry.get("window") if isinstance(entry, dict) else None
    if not isinstance(window, dict) or not {"start", "end"} <= set(window):
        return False
    return all(item.name in entry and _fits(entry[item.name], item) for item in fields(Usage))


def _fits(value: Any, item: Field[Any]) -> bool:
    return isinstance(value, (int, float)) or (value is None and item.default is None)


def name_of(verbs: Sequence[str]) -> str:
    """Which applications are alike: those of one verb, and whole runs."""
    return verbs[0] if len(verbs) == 1 else "run"
