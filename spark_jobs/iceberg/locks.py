"""Turns: a Hadoop catalog on a local disk commits by a rename, which there takes what another process has committed.

Iceberg holds a lock for that in the process alone; tasks are processes of their own.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from spark_jobs.iceberg.catalogs import Catalog


@contextmanager
def turn(catalog: Catalog, table: str) -> Iterator[None]:
    """Nobody else's turn at a table; at once where its catalog keeps commits apart itself.

    Args:
        catalog: the table's.
        table: `namespace.table`.
    """
    if not catalog.is_local:
        yield
        return
    *spaces, name = table.split(".")
    folder = Path(catalog.folder, *spaces)
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f".{name}.lock", "a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
