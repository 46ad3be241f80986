"""Which files a source reads: those at its path that its glob, its manifests and its folders allow."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError
from spark_jobs.extract import folders, repeats, sidecar
from spark_jobs.filesystem import Found, find, named
from spark_jobs.flow import Context
from spark_jobs.session import FileStat

if TYPE_CHECKING:
    from spark_jobs.extract.files import Files

log: Final = logging.getLogger(__name__)
_SHOWN: Final = 10


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The files to read.

    Args:
        files: they, sorted by path.
        taken: they, and those left out because another one has the same content.
        told: what the report says of them.
    """

    files: tuple[FileStat, ...]
    taken: tuple[FileStat, ...]
    told: Mapping[str, Any] = field(default_factory=dict)


def choose(source: Files, context: Context) -> Chosen:
    """The files to read.

    Raises:
        ConfigError: a load can't keep which files a window has read, where that is needed.
        DataError: there are none where some are wanted, or one isn't where `partitions` or `manifest` say, or two have
            the same content where that isn't allowed; with `window: modified` a file of a repeated window has changed,
            or one came late.
        InfrastructureError: with `window: modified`, the window isn't over.
    """
    found = find(context.spark, source.path)
    if found.ignored:
        log.warning("%s: left out, names start with _ or .: %s", context.where, ", ".join(found.ignored[:_SHOWN]))
    files = sidecar.without(found.files) if source.manifest is not None else found.files
    files = named(files, source.glob) if source.glob is not None else files
    told: Mapping[str, Any] = {}
    if source.consumes:
        from spark_jobs.extract import modified

        files, told = modified.of_window(source, files, context)
    if not files and source.empty == "fail":
        raise _nothing(source, found, context)
    folders.refuse_without(files, source.partitions)
    unnamed = folders.unnamed(files, source.partitions)
    if unnamed:
        log.warning("%s: folders hold columns that partitions doesn't name: %s", context.where, ", ".join(unnamed))
    read = files if source.repeated_files == "read" else _different(source, files, context)
    return Chosen(files=read, taken=files, told=told)


def _different(source: Files, files: tuple[FileStat, ...], context: Context) -> tuple[FileStat, ...]:
    """The files without those that repeat another one.

    Raises:
        DataError: one does, and the source says `fail`.
    """
    again = repeats.found(context.spark, files)
    for file, first in again.items():
        if source.repeated_files == "fail":
            raise DataError(
                f"the file has the same content as {first}",
                where=file,
                expected="each file once (repeated_files: fail)",
                remedy="take one of them away, or set repeated_files: skip",
            )
        log.warning("%s: %s left out: it has the same content as %s", context.where, file, first)
    return tuple(file for file in files if file.path not in again)


def _nothing(source: Files, found: Found, context: Context) -> DataError:
    hidden = f"; {len(found.ignored)} start with _ or ." if found.ignored else ""
    others = f"; {len(found.files)} are called otherwise than {source.glob}" if source.glob and found.files else ""
    return DataError(
        f"no file for the window {context.plan.window}",
        where=source.path,
        expected=f"at least one{hidden}{others}",
        remedy="wait for the file, or set empty: allow",
    )
