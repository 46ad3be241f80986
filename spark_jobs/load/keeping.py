"""What a load keeps beside its table of what its window has read, before it commits."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.errors import ConfigError
from spark_jobs.load.kept_feeds import KeptFeeds, Taken, unit_of
from spark_jobs.load.kept_files import KeptFiles
from spark_jobs.load.side import FEEDS, FILES, UNIT, Side
from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from spark_jobs.load.attempts import Attempting

_KEPT: Final = "keeps_what_was_read"


def refuse_forgetful(plan: Plan, source: str, where: str) -> None:
    """See that every load of a plan keeps what its windows have read.

    Args:
        plan: the plan.
        source: the source's name, for which that is needed.
        where: place in the pipeline file.

    Raises:
        ConfigError: one doesn't.
    """
    for name, (_, destination) in plan.load.items():
        why = forgets(destination)
        if why:
            raise ConfigError(
                f"load {name!r} doesn't keep what a window has read of source {source!r}: {why}",
                where=where,
                expected="loads of type delta, by any strategy but snapshot",
            )


def forgets(destination: Any) -> str:
    """Why a destination doesn't keep what its windows have read, in words; empty where it does."""
    if not getattr(destination, _KEPT, False):
        return f"type {destination.type} has no place for it"
    if getattr(destination.write, "numbered_by_window", False):
        return f"strategy {destination.write.strategy} keeps the newest window alone"
    return ""


def keep(attempt: Attempting) -> bool:
    """Keep what the attempt's window has read, where it must be kept.

    Returns:
        Whether the attempt may go on; not where a later one has kept its own.

    Raises:
        ConfigError: another pipeline loads the table, and no scope parts their rows.
        InfrastructureError: another window has taken versions of a change feed that this one has read.
    """
    if not attempt.context.files and not consumed(attempt):
        return True
    attempt.refuse_others()
    return _keep_files(attempt) and _keep_feeds(attempt)


def consumed(attempt: Attempting) -> dict[str, Any]:
    """What the commit's entry says of it: source -> how many files, or which versions."""
    sources = attempt.context.sources
    files = {name: {"files": sources.get(name, {}).get("files")} for name in attempt.context.files}
    feeds = {name: [told["feed"]["first"], told["feed"]["last"]] for name, told in sources.items() if "feed" in told}
    return {"consumed": files | feeds} if files or feeds else {}


def _keep_files(attempt: Attempting) -> bool:
    frames = list(attempt.context.files.values())
    if not frames:
        return True
    together = reduce(lambda one, other: one.unionByName(other), frames)
    kept = KeptFiles(side=_side(attempt, FILES), unit=attempt.unit, committed=_units(attempt))
    return kept.replace(together, attempt.number)


def _keep_feeds(attempt: Attempting) -> bool:
    taken = [Taken(**told["feed"]) for told in attempt.context.sources.values() if "feed" in told]
    if taken and attempt.superseded():
        return False
    for item in taken:
        assert item.unit == unit_of(attempt.unit.key)  # noqa: S101 - the plan's window
        KeptFeeds(side=_side(attempt, FEEDS), load=attempt.unit.destination, committed=_units(attempt)).take(item)
    return True


def _side(attempt: Attempting, kind: str) -> Side:
    unit = attempt.unit
    layout = () if kind == FEEDS else (UNIT,)
    return Side(table=attempt.lake, kind=kind, pipeline=unit.pipeline, load=unit.destination, partition_by=layout)


def _units(attempt: Attempting) -> dict[str, int]:
    return attempt.ledger.units(attempt.unit.pipeline, attempt.unit.destination)
