"""`skip_if`: windows that are left out, on purpose and with a reason in words."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, ClassVar, Final, Literal

from airflow_provider_etl.spec.paths import is_uri
from spark_jobs.errors import ConfigError
from spark_jobs.kinds import PYDANTIC
from spark_jobs.window import Window

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, kw_only=True)
class SkipIf:
    """A window is left out if any of these holds; what was loaded for it before stays as it is."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    weekdays: tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...] = ()
    """The window starts on one of these days, in the pipeline's timezone."""
    dates: tuple[date, ...] = ()
    """It starts on one of these dates, in the pipeline's timezone."""
    missing: str | None = field(default=None, metadata={"substitute": "text", "path": True})
    """Nothing is at this path, or matches it, when the run begins; on storage other than local disk, by fsspec."""

    def __post_init__(self) -> None:
        """Refuse what leaves out nothing, and what leaves out everything.

        Raises:
            ConfigError: no condition, or every day of the week.
        """
        if not (self.weekdays or self.dates or self.missing is not None):
            raise ConfigError("skip_if names nothing to leave out", expected="weekdays, dates or missing")
        if set(self.weekdays) == set(_DAYS):
            raise ConfigError(
                "every day is left out: the pipeline never loads", remedy="keep a day, or remove the file"
            )

    def reason(self, window: Window) -> str | None:
        """Why a window is left out; None where it isn't.

        Args:
            window: whose variables are in the path already.

        Raises:
            ConfigError: the path's storage can't be asked from here.
        """
        found = self.by_date(window)
        if found is None and self.missing is not None and not _exists(self.missing):
            return f"nothing is at {self.missing}"
        return found

    def by_date(self, window: Window) -> str | None:
        """Why a window is left out whatever there is for it; None where it isn't."""
        day = window.local_start.date()
        if _DAYS[day.weekday()] in self.weekdays:
            return f"{day} is a {_DAYS[day.weekday()]}"
        if day in self.dates:
            return f"{day} is one of the dates that are left out"
        return None


def _exists(path: str) -> bool:
    if not is_uri(path):
        return os.path.exists(path) or bool(glob.glob(path))
    try:
        import fsspec

        storage, inside = fsspec.core.url_to_fs(path.replace("s3a://", "s3://", 1))
        return bool(storage.glob(inside))
    except (ImportError, ValueError) as error:
        raise ConfigError(
            f"{path} can't be asked for: {error}",
            where="skip_if.missing",
            expected="a local path, or storage that fsspec knows",
            remedy="install the storage's fsspec package (s3fs, gcsfs, adlfs) where tasks run",
        ) from error
