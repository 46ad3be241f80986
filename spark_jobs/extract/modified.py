"""`window: modified`: the files of a window are those that were changed in it, and stay those.

The first run of a window takes the files whose modification time lies in it, start <= time < end in UTC; its loads keep
which they were (load/kept_files.py), and a repeat reads the same ones. So a file is in one window, a changed one is in
the window of its change too, and one that comes late with an old time is told.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import DataError, InfrastructureError
from spark_jobs.flow import Context
from spark_jobs.load.keeping import refuse_forgetful
from spark_jobs.load.kept_files import KeptFiles, kept_of, modified
from spark_jobs.load.side import UNIT
from spark_jobs.session import FileStat
from spark_jobs.window import Window, iso

if TYPE_CHECKING:
    from spark_jobs.extract.files import Files

log: Final = logging.getLogger(__name__)
_SHOWN: Final = 3


def of_window(
    source: Files, files: Sequence[FileStat], context: Context
) -> tuple[tuple[FileStat, ...], Mapping[str, Any]]:
    """The files of a window, and what the report says of them.

    Args:
        source: the source.
        files: all that there are now.
        context: session and plan.

    Raises:
        ConfigError: a load can't keep which files a window has read.
        DataError: a file that the window has read, or one that it covers, has changed or is gone; one came late.
        InfrastructureError: the window isn't over.
    """
    plan, name = context.plan, context.dataset
    refuse_forgetful(plan, name, context.where)
    _refuse_unfinished(plan.window, context)
    keepers = kept_of(context.spark, plan)
    kept, by = _kept(keepers, name)
    if kept is None or by is None:
        _refuse_lost(keepers, name, files)
        found = tuple(file for file in files if plan.window.start <= modified(file) < plan.window.end)
    else:
        found = _as_they_were(kept, files, "the window", _anew(by, by.unit.key))
    repeated = {"repeated": True} if kept is not None else {}
    return found, {"files": len(found), **repeated, **_late(source, keepers, files, context)}


def _refuse_unfinished(window: Window, context: Context) -> None:
    now = datetime.now(UTC)
    if now < window.end:
        raise InfrastructureError(
            f"the window {window} isn't over: files may still come into it",
            where=context.where,
            expected="a window that has ended",
            remedy=f"run it again in {int((window.end - now).total_seconds()) + 1} seconds",
        )


def _kept(keepers: Sequence[KeptFiles], source: str) -> tuple[list[FileStat] | None, KeptFiles | None]:
    """What the window has read, as the load with the newest attempt says; None where no load says anything."""
    found: tuple[list[FileStat] | None, KeptFiles | None] = None, None
    newest = -1
    for keeper in keepers:
        number = keeper.committed.get(keeper.unit.key, -1)
        files = keeper.of_window(source) if number > newest else None
        if files is not None:
            found, newest = (files, keeper), number
    return found


def _refuse_lost(keepers: Sequence[KeptFiles], source: str, files: Sequence[FileStat]) -> None:
    """See that what the windows have read that this one covers is still there: their rows go."""
    for keeper in keepers:
        for unit, kept in keeper.of_covered(source).items():
            again = f"run windows as they were cut; or {_anew(keeper, unit)}"
            _as_they_were(kept, files, f"window {unit.split(':', 3)[3]}, which this one covers,", again)


def _as_they_were(kept: Sequence[FileStat], files: Sequence[FileStat], who: str, anew: str) -> tuple[FileStat, ...]:
    """The files that a window has read, which must be as they were.

    Args:
        kept: the files, as it has read them.
        files: all that there are now.
        who: the window, in words.
        anew: what to do where they can't be brought back.

    Raises:
        DataError: one has changed or is gone.
    """
    there = {file.path: file for file in files}
    for was in kept:
        if told := _changed(was, there.get(was.path)):
            raise DataError(
                f"{told}, and {who} has read it with {was.size} bytes of {iso(modified(was))}",
                where=was.path,
                expected="the files that the window has read, as they were",
                remedy=f"bring it back as it was; or {anew}",
            )
    return tuple(there[was.path] for was in kept)


def _changed(was: FileStat, now: FileStat | None) -> str:
    """In words what has become of a file; empty where it is as it was."""
    if now is None:
        return "the file is gone"
    if (now.size, now.mtime) != (was.size, was.mtime):
        return f"the file has {now.size} bytes of {iso(modified(now))}"
    if was.etag and now.etag and was.etag != now.etag:
        return f"the file's content is another (etag {now.etag})"
    return ""


def _anew(by: KeptFiles, unit: str) -> str:
    """How a window gets its files anew."""
    return (
        f"let the window choose its files anew: in each load's `{by.side.kind}`, such as {by.side.path}, delete the "
        f"rows with {UNIT} = '{unit}', and run it"
    )


def _late(source: Files, keepers: Sequence[KeptFiles], files: Sequence[FileStat], context: Context) -> dict[str, Any]:
    """What the report says of files that came late; empty where none did.

    Raises:
        DataError: some did, and the file doesn't say `late_files: warn`.
    """
    found = {file.path: (file, window) for keeper in keepers for file, window in keeper.late(context.dataset, files)}
    if not found:
        return {}
    named = [f"{path} (of {iso(modified(file))}, window {window})" for path, (file, window) in found.items()]
    told = f"{len(named)} files came late, into windows that were loaded without them: {'; '.join(named[:_SHOWN])}"
    take = "touch them (copy them onto themselves in an object store): then they are files of the window that runs next"
    if source.late_files == "fail":
        raise DataError(
            told,
            where=context.where,
            expected="no new file with a modification time of long ago",
            remedy=f"{take}; or say late_files: warn",
        )
    log.warning("%s: %s; %s", context.where, told, take)
    return {"late": sorted(found)}
