"""What the upkeep of every format can be asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from spark_jobs.errors import ConfigError
from spark_jobs.plan import Plan

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

GIB: Final = 1 << 30


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The table that is kept up.

    Args:
        spark: a session of its own, whose settings are nobody else's.
        plan: of the pipeline, whichever window.
        name: the load's name.
        destination: its kind, paths resolved.
        say: takes one line of progress.
    """

    spark: SparkSession
    plan: Plan
    name: str
    destination: Any
    say: Callable[[str], None]


class Upkeep(Protocol):
    """The upkeep of one table; made with a Subject."""

    def maintain(self, *, dry: bool) -> Mapping[str, Any]:
        """Do what the block says, or tell what would be done.

        Returns:
            `state` (`done`, `shown`, `absent`), `before` and `after` ({files, bytes, rows}; `after` not where it is
            shown), `actions` ([{action, …}]), `advice` (texts).
        """

    def history(self, limit: int) -> list[Mapping[str, Any]]:
        """The last versions, the newest first: {version, at, operation, window, run, attempt, inserted, deleted}."""

    def restore(self, version: int, *, dry: bool) -> Mapping[str, Any]:
        """Make the table again what it was at a version; windows loaded since are held no more.

        Returns:
            `state`, `version` (the new one), `windows`: those that are missing from now on.
        """


def upkeep_of(subject: Subject) -> Upkeep:
    """What keeps a table up.

    Raises:
        ConfigError: its kind can't be.
    """
    named = getattr(subject.destination, "upkeep", None)
    if named is None:
        raise ConfigError(
            f"destination {subject.destination.type} is kept up by its own system",
            where=f"load.{subject.name}",
            expected="a load of type delta or files",
        )
    module, _, attribute = named.partition(":")
    made: Upkeep = getattr(importlib.import_module(module), attribute)(subject)
    return made


def advice(rows: int, size: int, parts: int, by: tuple[str, ...]) -> list[str]:
    """What a layout costs, in words; nothing where it costs nothing.

    Args:
        rows: in the table.
        size: of its files, bytes.
        parts: folders that `partition_by` has made.
        by: its columns.
    """
    if not by or parts < 2 or size / parts >= GIB:
        return []
    each, names = size / parts / GIB, ", ".join(by)
    told = f"{parts} partitions by {names} hold {_size(each)} each ({rows:,} rows in all): under 1 GB they gain little"
    if size < GIB:
        return [f"{told}; leave partition_by out unless windows of a pipeline run at once, which it keeps apart"]
    return [f"{told}; partition by something coarser, such as the month, and keep what windows need to be apart"]


def _size(gigabytes: float) -> str:
    return f"{gigabytes:.1f} GiB" if gigabytes >= 0.1 else f"{gigabytes * 1024:.1f} MiB"
