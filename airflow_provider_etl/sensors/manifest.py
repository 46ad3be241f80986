"""A manifest: the producer's list of the files that make a delivery whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from airflow_provider_etl.sensors.storage import Storage, beside

LIMIT: Final = 4_000_000  # bytes of a manifest
_NAMES: Final = ("name", "path", "file", "url")
_SIZES: Final = ("size", "bytes", "content_length")


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One file of a manifest; size in bytes, None where it isn't said."""

    name: str
    size: int | None = None


def listed(text: str) -> list[Listed]:
    """The files that a manifest names.

    Args:
        text: a name a line, perhaps with a tab and the size in bytes behind it; empty lines and those that begin with #
            don't count. Or JSON: a list (or `{"files": […]}`, `{"entries": […]}`) of names, or of mappings with a name
            and a size.

    Raises:
        ValueError: it is neither; perhaps it isn't written to its end yet.
    """
    if text.lstrip()[:1] in ("[", "{"):
        return list(_of_json(json.loads(text)))
    return list(_of_lines(text))


def _of_lines(text: str) -> Iterator[Listed]:
    for line in text.splitlines():
        name, tab, size = line.partition("\t")
        if name.strip() and not name.startswith("#"):
            yield Listed(name=name.strip(), size=int(size) if tab else None)


def _of_json(value: Any) -> Iterator[Listed]:
    if isinstance(value, dict):
        value = value.get("files", value.get("entries"))
    if not isinstance(value, list):
        raise ValueError("no list of files")  # noqa: TRY004 - told as a manifest that isn't whole
    for item in value:
        about = item if isinstance(item, dict) else {"name": item}
        name = next((about[key] for key in _NAMES if key in about), None)
        size = next((about[key] for key in _SIZES if key in about), None)
        if not isinstance(name, str):
            raise ValueError(f"an entry without a name: {str(item)[:80]}")  # noqa: TRY004
        yield Listed(name=name, size=size if size is None else int(size))


def missing(path: str, files: list[Listed], storage: Storage) -> list[str]:
    """What a manifest's files lack, in words; empty where all are there in full.

    Args:
        path: the manifest, in whose folder the files are.
        files: what it names.
        storage: where they are.
    """
    found = []
    for item in files:
        seen = storage.files(beside(path, item.name, storage))
        size = sum(part.size for part in seen)
        if not seen:
            found.append(f"{item.name} is missing")
        elif item.size is not None and size != item.size:
            found.append(f"{item.name} has {size} of {item.size} bytes")
    return found
