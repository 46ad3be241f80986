"""The files of this project that take part in what a process does."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
PACKAGES: Final = ("spark_jobs", "airflow_provider_etl", "tests")


def loaded() -> list[Path]:
    """The Python files that this process has loaded so far, and all that they can import: Spark's workers may have."""
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    return reached(path for path in map(Path, files) if _ours(path, ROOT))


def reached(starts: Iterable[Path], root: Path = ROOT) -> list[Path]:
    """What some files can import, themselves among it, sorted; what is imported by a name in a text is not.

    Args:
        starts: the files.
        root: the folder of the packages.

    Raises:
        SyntaxError: one of them is no Python.
    """
    found, left = set[Path](), list(starts)
    while left:
        if (path := left.pop()) not in found:
            found.add(path)
            left += [file for name in _imports(path, root) for file in _files(name, root)]
    return sorted(found)


def _ours(path: Path, root: Path) -> bool:
    return path.suffix == ".py" and path.is_relative_to(root) and path.relative_to(root).parts[0] in PACKAGES


def _imports(path: Path, root: Path) -> Iterator[str]:
    """The modules that a file imports, within functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (item.name for item in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{_absolute(node, path, root)}.{item.name}" for item in node.names)


def _absolute(node: ast.ImportFrom, path: Path, root: Path) -> str:
    if not node.level:
        return node.module or ""
    package = path.relative_to(root).parts[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _files(name: str, root: Path) -> Iterator[Path]:
    """The files that an import of `a.b.c` runs: those of a, of a.b, and of a.b.c if that is a module."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1) if parts[0] in PACKAGES else ():
        place = root.joinpath(*parts[:end])
        yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())
