"""Condition `file`: a file, a folder or a pattern is there, and whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from airflow_provider_etl.sensors.condition import Answer, Asking, Condition, span
from airflow_provider_etl.sensors.manifest import LIMIT, listed, missing
from airflow_provider_etl.sensors.storage import Seen, Storage, beside, storage_of
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC

# The clocks of a store and of ours may differ, by much less than this: what is older needn't be watched.
_SKEW: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class File(Condition):
    """Files that somebody delivers."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC
    example: ClassVar[str] = 'file: {path: "${env.raw}/orders/${window.key}", success: _SUCCESS}'
    shorthand: ClassVar[str] = "path"

    path: str = field(metadata={"substitute": "text", "path": True})
    """A file, a folder (all files below it), or a pattern with * ? [..]; a path or a URI."""
    stable: timedelta | None = field(default=None, metadata={"ge": timedelta(seconds=1)})
    """How long size and time of change must have stayed as they are: for producers that write in place."""
    success: str | None = field(default=None, metadata={"min_length": 1})
    """A marker that the producer writes last into the folder, such as _SUCCESS."""
    manifest: str | None = field(default=None, metadata={"min_length": 1, "substitute": "text"})
    """A file of the folder that lists what makes the delivery whole: a name a line, a tab and the bytes behind it, or
    JSON."""
    connection: str | None = None
    """Airflow connection id of a URI's store; by default the machine's own credentials."""

    @property
    def told(self) -> str:
        """What is waited for, in words."""
        more = [f"unchanged for {span(self.stable)}"] if self.stable else []
        more += [f"with its {name}" for name in (self.success, self.manifest) if name]
        return f"file {self.path}" + (f", {', '.join(more)}" if more else "")

    def refused(self) -> dict[str, tuple[str, str, str]]:
        """Option -> (code, message, hint) of what is wrong with its text, for the file's reader."""
        if "{" in self.path.replace("${", ""):
            return {"path": ("invalid-value", "the path holds {, which no pattern knows here", "use * ? [..]")}
        return {}

    def ready(self, asking: Asking) -> Answer:
        """Whether the files are there, and whole.

        Raises:
            ConfigError: a pattern in {…}, or a store that nothing here can read.
        """
        if "{" in self.path:
            raise ConfigError(f"{self.path!r} holds {{", where="wait_for file", expected="patterns of * ? [..] alone")
        storage = storage_of(self.path, self.connection)
        files = storage.files(self.path)
        if not files:
            return Answer(found=False, seen="nothing is there")
        lacking = self._lacking(storage)
        if lacking:
            return Answer(found=False, seen=lacking)
        return self._settled(files, asking) if self.stable else Answer(found=True, seen=_counted(files))

    def _lacking(self, storage: Storage) -> str:
        """What the marker or the manifest says is missing; empty where nothing is."""
        if self.success and not storage.files(beside(self.path, self.success, storage)):
            return f"{self.success} is missing"
        if not self.manifest:
            return ""
        place = beside(self.path, self.manifest, storage)
        text = storage.text(place, LIMIT)
        if text is None:
            return f"{self.manifest} is missing"
        try:
            lacking = missing(place, listed(text), storage)
        except ValueError as error:
            return f"{self.manifest} is no manifest, or not written to its end: {error}"
        more = f" and {len(lacking) - 3} more" if len(lacking) > 3 else ""
        return "; ".join(lacking[:3]) + more

    def _settled(self, files: list[Seen], asking: Asking) -> Answer:
        """Whether nothing has changed for long enough, by what was seen before and by the files' own times."""
        stable = self.stable or timedelta()
        print_ = _fingerprint(files)
        before = asking.memory or {}
        since = datetime.fromisoformat(before["since"]) if before.get("print") == print_ else asking.now
        newest = max((item.modified for item in files if item.modified), default=None)
        age = asking.now - newest if newest and all(item.modified for item in files) else timedelta()
        watched = asking.now - since
        # A clock that isn't ours can make a file look older than it is, so that a young one is watched; a rescheduled
        # task remembers nothing and has to believe it.
        old = age >= stable + (_SKEW if asking.remembers else timedelta())
        seen = f"{_counted(files)}, unchanged for {span(max(watched, age) if old else watched)} of {span(stable)}"
        return Answer(found=old or watched >= stable, seen=seen, memory={"print": print_, "since": since.isoformat()})


def _counted(files: list[Seen]) -> str:
    number = f"{len(files)} file{'' if len(files) == 1 else 's'}"
    return f"{number}, {sum(item.size for item in files)} bytes"


def _fingerprint(files: list[Seen]) -> str:
    text = "\n".join(f"{item.path}\t{item.size}\t{item.modified}" for item in files)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
