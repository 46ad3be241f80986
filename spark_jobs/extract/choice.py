"""Which files a source reads: those at its path that its glob, its manifests and its folders allow."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from spark_jobs.errors import DataError
from spark_jobs.extract import folders, sidecar
from spark_jobs.filesystem import Found, find, named
from spark_jobs.flow import Context
from spark_jobs.session import FileStat

if TYPE_CHECKING:
    from spark_jobs.extract.files import Files

log: Final = logging.getLogger(__name__)
_SHOWN: Final = 10


def choose(source: Files, context: Context) -> tuple[FileStat, ...]:
    """The files to read, sorted by path.

    Raises:
        DataError: there are none where some are wanted, or one isn't where `partitions` or `manifest` say.
    """
    found = find(context.spark, source.path)
    if found.ignored:
        log.warning("%s: left out, names start with _ or .: %s", context.where, ", ".join(found.ignored[:_SHOWN]))
    files = sidecar.without(found.files) if source.manifest is not None else found.files
    files = named(files, source.glob) if source.glob is not None else files
    if not files and source.empty == "fail":
        raise _nothing(source, found, context)
    folders.refuse_without(files, source.partitions)
    unnamed = folders.unnamed(files, source.partitions)
    if unnamed:
        log.warning("%s: folders hold columns that partitions doesn't name: %s", context.where, ", ".join(unnamed))
    return files


def _nothing(source: Files, found: Found, context: Context) -> DataError:
    hidden = f"; {len(found.ignored)} start with _ or ." if found.ignored else ""
    others = f"; {len(found.files)} are called otherwise than {source.glob}" if source.glob and found.files else ""
    return DataError(
        f"no file for the window {context.plan.window}",
        where=source.path,
        expected=f"at least one{hidden}{others}",
        remedy="wait for the file, or set empty: allow",
    )
