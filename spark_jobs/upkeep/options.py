"""The block `maintenance:` of a destination. It is no part of the fingerprint: upkeep changes no row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Final

from spark_jobs.kinds import PYDANTIC

_DAY: Final = timedelta(days=1)
_YEARS: Final = timedelta(days=3650)


@dataclass(frozen=True, kw_only=True)
class Vacuum:
    """Files that no version of the last days needs go."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    retain: timedelta | None = field(default=None, metadata={"ge": _DAY, "le": _YEARS})
    """How long older versions stay whole: longer than any load, and any query that reads one, takes. It becomes the
    table's retention; default: as the table has it, Delta's 7 days."""


@dataclass(frozen=True, kw_only=True)
class FilesVacuum:
    """Files that no manifest of the last days needs go."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    retain: timedelta = field(default=timedelta(days=7), metadata={"ge": _DAY, "le": _YEARS})
    """How long files stay that count no more: longer than any load, and any query that reads them, takes."""


@dataclass(frozen=True, kw_only=True)
class FilesMaintenance:
    """Upkeep of a folder of files: what no manifest names goes."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    schedule: str | None = None
    """When the DAG `<pipeline>.maintenance` runs: a preset such as `@weekly`, or a cron expression of five fields, in
    the pipeline's zone. Default: no DAG; by the command and the operator alone."""
    vacuum: FilesVacuum = field(default_factory=FilesVacuum)
    """Which files go: those that count no more, and those of attempts that never counted."""


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """Upkeep of a Delta table: small files are put together, old ones go."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    schedule: str | None = None
    """When the DAG `<pipeline>.maintenance` runs: a preset such as `@weekly`, or a cron expression of five fields, in
    the pipeline's zone. Default: no DAG; by the command and the operator alone."""
    optimize: bool = True
    """Whether files that are smaller than `target_mb` are put together."""
    target_mb: int = field(default=512, metadata={"ge": 1, "le": 4096})
    """The size that files get, in MiB; 512 to 1024 suit tables of many gigabytes."""
    zorder: tuple[str, ...] = field(default=(), metadata={"column": True, "distinct": True})
    """Columns by which rows are put together, so that a filter on them reads few files. Every file is written anew
    where something was loaded since; not by columns of `partition_by`."""
    vacuum: Vacuum | None = field(default_factory=Vacuum)
    """Which older versions' files go; default: those that the table's own retention doesn't keep; null: none ever."""
    log: timedelta | None = field(default=None, metadata={"ge": _DAY, "le": _YEARS})
    """How long the log keeps older commits (`history` tells no more); default: as the table has it, Delta's 30 days."""
    statistics: tuple[str, ...] = field(default=(), metadata={"column": True, "distinct": True})
    """Columns of which files that are written from now on keep minima and maxima, beside those that the strategy needs;
    default: as the table has it, Delta's first 32."""


def problems(kind: Any) -> Iterator[tuple[str, str]]:
    """(option, why) of a destination's block that can't be."""
    block = kind.maintenance
    if block is None:
        return
    laid_out = {name.lower() for name in kind.partition_by}
    told = {"zorder": "the table is laid out by it already", "statistics": "folders are named by it, files keep none"}
    clashes = [
        f"{option} {name!r}: {why}"
        for option, why in told.items()
        for name in getattr(block, option, ())
        if name.lower() in laid_out
    ]
    if clashes:
        yield "maintenance", "; ".join(clashes)
