"""`spark_jobs` as a cluster takes it: one zip of its sources and the script that starts it, named by what is in them.

Equal sources give equal bytes on every machine, so a parcel that is there already is never sent again, and a job that
runs keeps the code that it was started with. The sources are stored, not packed: packed bytes differ by zlib's version.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal
from uuid import uuid4

import spark_jobs

_SOURCES: Final = Path(spark_jobs.__file__).resolve().parent
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # a zip knows no earlier time
_MODE: Final = 0o644 << 16  # where a zip keeps a file's mode
_HEX: Final = 16  # digits of the hash in a name
# Spark takes no module as its application. Packages that travel beside it are on the path before it starts.
_ENTRY: Final = "import sys\n\nfrom spark_jobs.{} import main\n\nsys.exit(main())\n"
# For a Spark that takes none: their zip follows `--packages`. Databricks takes an exit for a failure, one with 0 too.
_ALONE: Final = """import sys

sys.path.insert(0, sys.argv[sys.argv.index("--packages") + 1])

from spark_jobs.{} import main

if code := main():
    sys.exit(code)
"""


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """What Spark gets: `--py-files` and the application.

    Args:
        packages: the zip with the package `spark_jobs`.
        entry: the script, which takes what its module takes.
    """

    packages: Path
    entry: Path


def parcel(folder: Path, entry: Literal["run", "remote"] = "run") -> Parcel:
    """The parcel of this installation's `spark_jobs`, in a folder; made if it isn't there.

    Any number of processes may ask at once: each file comes whole, under its own name, and stays.

    Args:
        folder: made where it doesn't exist; nobody but who may run code as this user should write there.
        entry: the module of `spark_jobs` that the script starts.

    Raises:
        OSError: it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    packages, code = packed(), script(entry)
    return Parcel(
        packages=_kept(folder / f"spark_jobs-{short_hash(packages)}.zip", packages),
        entry=_kept(folder / f"etl-{short_hash(code)}.py", code),
    )


def packed() -> bytes:
    """The zip of the sources: always the same bytes for the same sources."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(_SOURCES.rglob("*.py")):
            info = zipfile.ZipInfo(path.relative_to(_SOURCES.parent).as_posix(), _EPOCH)
            info.create_system, info.external_attr = 3, _MODE  # as on Unix, wherever it is made
            archive.writestr(info, path.read_bytes())
    return whole.getvalue()


def script(entry: str, *, alone: bool = False) -> bytes:
    """The script that starts a module of `spark_jobs`; `alone`: it is told where the packages are."""
    return (_ALONE if alone else _ENTRY).format(entry).encode()


def short_hash(content: bytes) -> str:
    """What content is named by."""
    return hashlib.sha256(content).hexdigest()[:_HEX]


def _kept(path: Path, content: bytes) -> Path:
    """A file with this content: written whole under another name first, since others may take it at any moment."""
    if path.is_file() and path.stat().st_size == len(content):
        return path
    hidden = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        hidden.write_bytes(content)
        hidden.replace(path)
    finally:
        hidden.unlink(missing_ok=True)
    return path
