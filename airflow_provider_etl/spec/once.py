"""Files that many others name: found without a fall, and read once for all of them."""

from __future__ import annotations

import functools
import os
import stat
from pathlib import Path

from airflow_provider_etl.spec.diagnostics import Diagnostic, shown
from airflow_provider_etl.spec.nodes import Node
from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reader import read_file


def real_path(path: str | os.PathLike[str]) -> tuple[str, str]:
    """(Where a path leads, why it can't lead anywhere): authors of files may write what no system takes."""
    try:
        return os.path.realpath(path), ""
    except (OSError, ValueError) as error:
        return "", _reason(error)


def absent(text: str, real: str) -> tuple[str, str] | None:
    """Message and hint where there is no regular file; None where there is one.

    Args:
        text: the path as it is written.
        real: where it leads.
    """
    try:
        found = stat.S_ISREG(Path(real).stat().st_mode)
        return None if found else (f"{shown(text, 120)} is no regular file", f"looked at {shown(real, 400)}")
    except (FileNotFoundError, NotADirectoryError):
        return f"there is no file {shown(text, 120)}", f"looked for {real}"
    except (OSError, ValueError) as error:
        return f"there is no file {shown(text, 120)} to be read: {_reason(error)}", f"looked for {shown(real, 400)}"


def read_once(path: str) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    """A file and what is wrong with it, as YAML; read again where it has changed."""
    try:
        status = Path(path).stat()
    except OSError:  # it has gone since it was found: the reader says so
        return _read.__wrapped__(path, 0, 0)
    return _read(path, status.st_mtime_ns, status.st_size)


@functools.lru_cache(maxsize=128)
def _read(path: str, _changed: int, _size: int) -> tuple[Node | None, tuple[Diagnostic, ...]]:
    problems = Problems()
    return read_file(path, problems), problems.sorted()


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
