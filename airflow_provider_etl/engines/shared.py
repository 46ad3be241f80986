"""The folder of a job whose driver runs elsewhere: what both sides see of it (`spark_jobs.remote`)."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from airflow_provider_etl.engines.base import Job
from spark_jobs import remote
from spark_jobs.connections import hand_over
from spark_jobs.errors import InfrastructureError

_SUBMITTED: Final = "submitted"
_CANCELLED: Final = "cancelled"
_PLAIN: Final = re.compile(r"[\w\-]{1,100}")
_YOUNG: Final = 60.0  # seconds in which a job without a driver is being submitted by somebody else
_OLD: Final = 7 * 86_400.0  # seconds after which nobody asks for a job any more
_WHERE: Final = "engine spark_submit"


def root(jobs: str) -> Path:
    """The folder of all jobs: ours alone, for connections pass through it, and code.

    Raises:
        InfrastructureError: it can't be made, somebody else made it, or others may write to it.
    """
    folder = Path(jobs)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(
            f"the folder {folder} can't be made: {error.strerror}", where=_WHERE, remedy="name another: jobs"
        ) from None
    made = folder.lstat()
    if made.st_uid != os.getuid() or made.st_mode & 0o022 or folder.is_symlink():
        raise InfrastructureError(f"the folder {folder} isn't ours alone", where=_WHERE, remedy="name another: jobs")
    return folder


def place(jobs: str, token: str) -> Path:
    """A job's folder."""
    return Path(jobs) / (token if _PLAIN.fullmatch(token) else hashlib.sha256(token.encode()).hexdigest())


def laid_out(folder: Path, job: Job) -> None:
    """Make a job's folder; what an earlier submission of it has left there goes.

    Raises:
        InfrastructureError: another process submits it at this moment.
    """
    _clear(folder)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise InfrastructureError("another process submits this job at this moment", where=_WHERE) from None
    try:
        with os.fdopen(os.open(folder / remote.PLAN, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            json.dump(job.plan, file)
        if job.connections:
            hand_over(job.connections, folder / remote.CONNECTIONS)
    except BaseException:  # no half of it stays, which would be taken for a job that somebody submits
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _clear(folder: Path) -> None:
    """Put what is left of a job out of the way at once; whoever is about to submit it is left in peace."""
    with suppress(FileNotFoundError):
        if driver_of(folder) is None and time.time() - folder.stat().st_mtime < _YOUNG:
            raise InfrastructureError("another process submits this job at this moment", where=_WHERE)
        aside = folder.rename(folder.with_name(f".gone-{uuid4().hex}"))
        shutil.rmtree(aside, ignore_errors=True)


def note(folder: Path, driver: str) -> None:
    """Note the driver that was sent for a job."""
    hidden = folder / f".{_SUBMITTED}"
    hidden.write_text(driver, encoding="utf-8")
    hidden.replace(folder / _SUBMITTED)


def driver_of(folder: Path) -> str | None:
    """The driver that has claimed a job, else the one that was sent for it; None where there is none."""
    for name in (remote.CLAIM, _SUBMITTED):
        with suppress(FileNotFoundError, NotADirectoryError):
            if driver := (folder / name).read_text(encoding="utf-8").strip():
                return driver
    return None


def withhold(folder: Path, driver: str) -> bool:
    """Let no driver begin a job any more; False where one has begun."""
    with suppress(FileNotFoundError):
        return remote.claim(folder, driver)
    return True


def disarm(folder: Path, driver: str) -> None:
    """Let no driver begin a job any more, and take its connections away."""
    withhold(folder, driver)
    with suppress(FileNotFoundError):
        (folder / remote.CONNECTIONS).unlink()


def note_cancelled(folder: Path) -> None:
    """Note that a job's driver was told to end."""
    with suppress(FileNotFoundError):
        (folder / _CANCELLED).touch()


def is_cancelled(folder: Path) -> bool:
    """Whether a job's driver was told to end: it isn't taken up again, even where it still does something."""
    return (folder / _CANCELLED).exists()


def report_in(folder: Path) -> Any:
    """The report, or the reports, that a job has left; None where there is none."""
    with suppress(FileNotFoundError, ValueError):
        return json.loads((folder / remote.REPORT).read_text(encoding="utf-8"))
    return None


def sweep(jobs: str) -> None:
    """Remove the jobs that nobody has asked for in a week."""
    for folder in Path(jobs).iterdir():
        with suppress(FileNotFoundError):
            if not folder.name.startswith("_") and time.time() - _changed(folder) > _OLD:
                shutil.rmtree(folder, ignore_errors=True)


def _changed(folder: Path) -> float:
    """When something came into a job's folder, or its driver said something."""
    said = folder / remote.OUTPUT
    return max(path.stat().st_mtime for path in (folder, said) if path.exists() or path == folder)
