"""The pipeline files of a folder, and the ids that they share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec.diagnostics import Diagnostic

ENDINGS: Final = (".yaml", ".yml")
_TESTS: Final = (".test.yaml", ".test.yml")


def find_files(folder: str | Path, *, name: str | None = None) -> list[Path]:
    """The pipeline files below a folder, sorted: hidden ones, hidden folders and `*.test.yaml` are left out.

    Args:
        folder: where to look.
        name: only those of the pipeline of this name; None for all.
    """
    asked = None if name is None else {name + ending for ending in ENDINGS}
    found = []
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [inner for inner in folders if not inner.startswith(".")]
        found += [Path(here, file) for file in names if (asked is None or file in asked) and is_pipeline(file)]
    return sorted(found)


def is_pipeline(name: str) -> bool:
    """Whether a file is a pipeline file by its name: YAML, not hidden, no `*.test.yaml`."""
    return name.endswith(ENDINGS) and not name.endswith(_TESTS) and not name.startswith(".")


def duplicate_names(paths: Iterable[str | Path]) -> list[Diagnostic]:
    """An error at 1:1 of every file whose DAG id an earlier file has.

    Args:
        paths: the files, in the order in which they are read; the same file twice is no clash.
    """
    first: dict[str, Path] = {}
    found = []
    for path in map(Path, paths):
        other = first.setdefault(path.stem, path)
        if os.path.realpath(other) != os.path.realpath(path):
            message, hint = f"DAG id {path.stem!r} is taken by {other}", "rename one of the files"
            found.append(Diagnostic(path=str(path), line=1, column=1, code="duplicate-dag", message=message, hint=hint))
    return found
