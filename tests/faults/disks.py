"""A small disk that can be filled and emptied: a tmpfs of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.guarded import missing


@dataclass(frozen=True)
class Disk:
    """A mounted one.

    Args:
        folder: where it is mounted.
    """

    folder: Path

    def fill(self, left: int = 0) -> None:
        """Leave so many bytes free, in whole pages."""
        free = shutil.disk_usage(self.folder).free
        with self._filler.open("ab") as file:
            file.write(bytes(max(0, free - left)))

    def empty(self) -> None:
        """Make room again."""
        self._filler.unlink()

    @property
    def _filler(self) -> Path:
        return self.folder / "_filler"


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[Disk]:
    """Mount one on a folder, which is made; until the end of the block."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "etl-faults", str(folder)]
    if os.getuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        missing("tests of full disks need root and mount")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
