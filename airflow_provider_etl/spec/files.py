"""The pipeline files of a folder, and the ids that they share."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec.diagnostics import Diagnostic

_ENDINGS: Final = (".yaml", ".yml")
_LEFT_OUT: Final = (".", "_")
_TESTS: Final = (".test.yaml", ".test.yml")


def find_files(folder: str | Path) -> list[Path]:
    """The pipeline files below a folder, sorted; left out are `*.test.yaml` and what begins with `.` or `_`.

    A name that begins with `_` is a base that others extend, or a folder of such.
    """
    found = []
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [name for name in folders if not name.startswith(_LEFT_OUT)]
        found += [Path(here, name) for name in names if _is_pipeline(name)]
    return sorted(found)


def _is_pipeline(name: str) -> bool:
    return name.endswith(_ENDINGS) and not name.endswith(_TESTS) and not name.startswith(_LEFT_OUT)


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
