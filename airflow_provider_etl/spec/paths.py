"""Paths of a pipeline file: relative ones start from the project, and each lies under a root of the environment."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote

_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_PARTS: Final = re.compile(r"[/{},]")


def is_uri(path: str) -> bool:
    """Whether a path names a store by its scheme (`s3a://…`): a colon before the first slash, as Hadoop reads it."""
    return _SCHEME.match(path) is not None


def absolute(path: str, project: Path) -> str:
    """A path as Spark gets it: a URI normalised, anything else absolute and normalised.

    Args:
        path: a URI, or a path, relative to the project where it isn't absolute.
        project: the folder that relative paths start from.
    """
    match = _SCHEME.match(path)
    if match and match[1].lower() == "file":
        return _local("/" + path[match.end() :].lstrip("/"))
    if match:
        authority, slash, rest = path[match.end() :].removeprefix("//").partition("/")
        normal = os.path.normpath("/" + rest.lstrip("/")) if slash else ""
        return f"{match[1].lower()}://{authority}{normal}"
    return _local(os.path.join(project, path))


def _local(path: str) -> str:
    return "/" + os.path.normpath(path).lstrip("/")


def under(path: str, roots: Sequence[str]) -> bool:
    """Whether an absolute path lies under one of the roots, symbolic links followed.

    Args:
        path: as `absolute` gives it.
        roots: likewise.
    """
    if "\0" in path:
        return False
    return any(_inside(path, root) for root in roots) and _decoded_inside(path, roots)


def nested(one: str, other: str) -> bool:
    """Whether two absolute paths are one, or one lies below the other."""
    return _below(one, other) or _below(other, one)


def _below(path: str, root: str) -> bool:
    """Whether a path is another, or begins with it."""
    return f"{path.rstrip('/')}/".startswith(f"{root.rstrip('/')}/")


def expands_upwards(path: str) -> bool:
    """Whether a path has `..` beside alternatives: Hadoop expands `{a,..}` after we have looked."""
    return "{" in path and ".." in _PARTS.split(path)


def _decoded_inside(path: str, roots: Sequence[str]) -> bool:
    """A URI's client may decode %2e%2e: that form mustn't lead elsewhere either."""
    if "%" not in path or not is_uri(path):
        return True
    decoded = unquote(path)
    return ".." not in _PARTS.split(decoded) and any(_inside(decoded, root) for root in roots)


def _inside(path: str, root: str) -> bool:
    if is_uri(path) or is_uri(root):
        return _below(path, root)
    if _plainly_inside(path, root):
        return True
    real, base = os.path.realpath(path), os.path.realpath(root)
    return _below(real, base)


def _plainly_inside(path: str, root: str) -> bool:
    """Whether a path begins with the root and no link follows; most do, and what is above needn't be looked at then."""
    start = root.rstrip("/") + "/"
    if not path.startswith(start) or "/../" in path + "/":
        return path == root
    here = start[:-1]
    for name in path[len(start) :].split("/"):
        here += "/" + name
        try:
            if stat.S_ISLNK(os.lstat(here).st_mode):
                return False
        except OSError:
            return True  # nothing is there, so nothing leads elsewhere
    return True
