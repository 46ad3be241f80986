"""The pipeline files of a folder, and the ids that they share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from airflow_provider_etl.spec.diagnostics import Diagnostic, Severity

RULE: Final = (
    "Below a folder every *.yaml and *.yml is a pipeline, in folders within it too. Left out are hidden files and "
    "folders (their names begin with a dot), bases that others extend (with an underscore), test files "
    "(*.test.yaml), environments (config/environments) and linked folders; lint names the linked folders, and files "
    "whose ending isn't written in small letters."
)
ENDINGS: Final = (".yaml", ".yml")
_LEFT_OUT: Final = (".", "_")
TESTS: Final = (".test.yaml", ".test.yml")
_ENVIRONMENTS: Final = ("config", "environments")


def find_files(folder: str | Path, *, name: str | None = None) -> list[Path]:
    """The pipeline files below a folder, sorted, as RULE says.

    Args:
        folder: where to look.
        name: only those of the pipeline of this name; None for all.
    """
    asked = None if name is None else {name + ending for ending in ENDINGS}
    found = ((here, file) for here, file, linked in _walk(folder) if not linked and (asked is None or file in asked))
    # A start of a task looks for one among thousands: only what is found becomes a path.
    return sorted(Path(here, file) for here, file in found if is_pipeline(file))


def left_out(folder: str | Path) -> list[Diagnostic]:
    """What find_files leaves out though somebody may have meant it: shouted endings, linked folders."""
    found = []
    told = ((Path(here, name), linked) for here, name, linked in _walk(folder) if linked or _is_shouted(name))
    for path, linked in sorted(told):
        if linked:
            message, hint = "a linked folder isn't entered", "name it by itself, or put the files here"
            found.append(_told(path, "linked-folder", message, hint, severity="warning"))
        else:
            message = f"the ending {path.suffix} isn't read: {path.stem} is no pipeline yet"
            found.append(_told(path, "file-ending", message, f"rename it to {path.stem}{path.suffix.lower()}"))
    return found


def _is_shouted(name: str) -> bool:
    return name.lower().endswith(ENDINGS) and not name.endswith(ENDINGS)


def _walk(folder: str | Path) -> Iterator[tuple[str, str, bool]]:
    """The files that aren't hidden, and linked folders, which aren't entered: (folder, name, whether it is linked)."""
    for here, folders, names in os.walk(folder, followlinks=False):
        folders[:] = [
            name for name in folders if not name.startswith(_LEFT_OUT) and not is_environments(Path(here, name))
        ]
        if not is_environments(Path(here)):
            yield from ((str(here), name, False) for name in names if not name.startswith(_LEFT_OUT))
            yield from ((str(here), name, True) for name in folders if Path(here, name).is_symlink())


def is_environments(path: Path) -> bool:
    """Whether a folder is where environments are, none of whose files is a pipeline."""
    return path.absolute().parts[-2:] == _ENVIRONMENTS


def is_pipeline(name: str) -> bool:
    """Whether a file is a pipeline file by its name: YAML, not hidden, no base, no `*.test.yaml`."""
    return name.endswith(ENDINGS) and not name.endswith(TESTS) and not name.startswith(_LEFT_OUT)


def _told(path: Path, code: str, message: str, hint: str, severity: Severity = "error") -> Diagnostic:
    return Diagnostic(path=str(path), line=1, column=1, code=code, severity=severity, message=message, hint=hint)


def duplicate_names(paths: Iterable[str | Path]) -> list[Diagnostic]:
    """An error at 1:1 of every file whose DAG id an earlier file has.

    Args:
        paths: the files, in the order in which they are read; the same file twice is no clash.
    """
    first: dict[str, Path] = {}
    found = []
    for path in map(Path, paths):
        other = first.setdefault(path.stem, path)
        if other is not path and os.path.realpath(other) != os.path.realpath(path):
            message, hint = f"DAG id {path.stem!r} is taken by {other}", "rename one of the files"
            found.append(Diagnostic(path=str(path), line=1, column=1, code="duplicate-dag", message=message, hint=hint))
    return found
