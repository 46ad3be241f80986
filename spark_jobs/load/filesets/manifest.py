"""The manifest of a folder of files: what readers see, and the ledger, in one small document.

Manifests are numbered. Each holds the whole state, and is made where none of its number is: so commits have an order,
and the one with the highest number is what the folder holds. Nothing here reads or writes: tasks and the command line,
which have no Spark, take it as Spark does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from spark_jobs.errors import ConfigError, DataError
from spark_jobs.window import Window, iso

MANIFEST_VERSION: Final = 1
FOLDER: Final = "_etl"
CURRENT: Final = f"{FOLDER}/current.txt"
DATA: Final = "data"
UNIT: Final = "etl_window"
ATTEMPT: Final = "etl_attempt"
KEPT: Final = 100
"""So many manifests stay, the first one always: a process that slept so long that others are gone sees it by that."""
_NAME: Final = re.compile(r"manifest-(\d{20})\.json")


def name_of(number: int) -> str:
    """The file of a manifest, below the table's folder."""
    return f"{FOLDER}/manifest-{number:020d}.json"


def numbers(names: Iterable[str]) -> list[int]:
    """The numbers of the manifests among the names of a folder's files, in order."""
    return sorted(int(match[1]) for name in names if (match := _NAME.fullmatch(name)))


@dataclass(frozen=True, kw_only=True)
class Slice:
    """The files of one attempt that count.

    Args:
        unit: the ledger's key of the load that wrote them.
        folder: where they are, below the table's folder.
        start, end: the span of the column that says to which window a row belongs; dates as midnights in UTC.
        rows: in all of them.
        files: (path below the folder, bytes).
        columns: so many of the layout's, from the first on, were known when the files were written; None for all.
    """

    unit: str
    folder: str
    start: datetime
    end: datetime
    rows: int
    files: tuple[tuple[str, int], ...]
    columns: int | None = None

    def overlaps(self, span: Window) -> bool:
        """Whether rows of a span may be here."""
        return self.start < span.end and span.start < self.end

    def lies_in(self, span: Window) -> bool:
        """Whether no row can lie outside of a span."""
        return span.start <= self.start and self.end <= span.end

    @property
    def paths(self) -> list[str]:
        """The files, below the table's folder."""
        return [f"{self.folder}/{name}" for name, _ in self.files]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(size for _, size in self.files)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        span = {"start": iso(self.start), "end": iso(self.end)}
        known = {"columns": self.columns} if self.columns is not None else {}
        files = [*map(list, self.files)]
        return {"unit": self.unit, "folder": self.folder, **span, "rows": self.rows, **known, "files": files}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Slice:
        """The inverse of `to_json`."""
        start, end = datetime.fromisoformat(value["start"]), datetime.fromisoformat(value["end"])
        files = tuple((str(name), int(size)) for name, size in value["files"])
        return cls(
            unit=value["unit"],
            folder=value["folder"],
            start=start,
            end=end,
            rows=int(value["rows"]),
            files=files,
            columns=value.get("columns"),
        )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a folder of files holds.

    Args:
        number: of the manifest; one more than that of the manifest it follows.
        at: when it was made, ISO 8601.
        pipeline: the id of the one that loads the folder.
        layout: what all files have in common: `format`, `options` (Spark's, to read them), `partition_by`, `schema`,
            and `column`: the one that says to which window a row belongs, None in a snapshot.
        slices: the files that count.
        units: the ledger: unit -> the entry of its last commit.
        dropped: folders of files that count no more, each with the time at which that began.
        commit: what this manifest changed: `operation`, and for a load `unit`, `inserted`, `deleted`.
    """

    number: int
    at: str
    pipeline: str
    layout: Mapping[str, Any]
    slices: tuple[Slice, ...] = ()
    units: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dropped: Mapping[str, str] = field(default_factory=dict)
    commit: Mapping[str, Any] = field(default_factory=dict)

    @property
    def paths(self) -> list[str]:
        """All files that count, below the table's folder."""
        return [path for part in self.slices for path in part.paths]

    @property
    def rows(self) -> int:
        """Rows that count."""
        return sum(part.rows for part in self.slices)

    def follow(self, at: str, **changes: Any) -> Manifest:
        """The manifest that comes next: what isn't changed stays."""
        return replace(self, number=self.number + 1, at=at, **changes)

    def to_text(self) -> str:
        """As the text of its file."""
        value = {
            "manifest_version": MANIFEST_VERSION,
            "number": self.number,
            "at": self.at,
            "pipeline": self.pipeline,
            "layout": dict(self.layout),
            "commit": dict(self.commit),
            "slices": [part.to_json() for part in self.slices],
            "units": {key: dict(entry) for key, entry in self.units.items()},
            "dropped": dict(self.dropped),
        }
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str, where: str) -> Manifest:
        """The inverse of `to_text`.

        Args:
            text: of the file.
            where: the file, for the error's text.

        Raises:
            ConfigError: it was written by another version.
            DataError: it is no manifest.
        """
        try:
            value = json.loads(text)
            version = value["manifest_version"]
        except (ValueError, KeyError, TypeError) as error:
            remedy = "nothing but airflow-etl may write there; restore the file from a backup"
            raise DataError(f"no manifest: {error}", where=where, remedy=remedy) from error
        if version != MANIFEST_VERSION:
            remedy = "install the release of airflow-provider-etl that wrote it, or a later one"
            raise ConfigError(
                f"manifest version {version!r}", where=where, expected=f"version {MANIFEST_VERSION}", remedy=remedy
            )
        same = {key: value[key] for key in ("number", "at", "pipeline", "layout", "units", "dropped", "commit")}
        return cls(**same, slices=tuple(Slice.from_json(item) for item in value["slices"]))
