"""What doesn't run over Spark Connect yet, as data: `lint` says it before anything starts, and a plan is refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from spark_jobs.check.expectation import Expectation
from spark_jobs.errors import ConfigError
from spark_jobs.plan import VERBS

if TYPE_CHECKING:
    from spark_jobs.plan import Plan

STAYS: Final = "would leave files that only a server on the client's own machine lets it remove"
REMEDY: Final = "use an engine of kind local or spark_submit"
_LOG: Final = "its log is read by Delta's Java classes"
_FILES: Final = "its files are looked into by Java classes"


@dataclass(frozen=True, kw_only=True)
class Able:
    """What runs of a group of kinds.

    Args:
        kinds: names that do, or that don't where `others` do.
        others: whether all others run.
        why: why the rest doesn't.
    """

    kinds: frozenset[str]
    others: bool = False
    why: str

    def runs(self, name: str) -> bool:
        """Whether a kind does."""
        return (name in self.kinds) != self.others


ABLE: Final = {
    "extract": Able(kinds=frozenset({"files", "table"}), why="only files and tables were tried over Spark Connect"),
    "format": Able(kinds=frozenset({"csv", "tsv", "text", "fixed", "delta"}), why=_FILES),
    "transform": Able(kinds=frozenset({"python"}), others=True, why="its function may ask for what needs the JVM"),
    "check": Able(kinds=frozenset({"python"}), others=True, why="its function may ask for what needs the JVM"),
    "load": Able(kinds=frozenset({"delta"}), why="only Delta's own writer commits once and no more without the JVM"),
    "strategy": Able(kinds=frozenset({"replace_window", "append", "snapshot"}), why=_LOG),
}
"""Group of kinds -> what of it runs."""
OPTIONS: Final[Mapping[str, Mapping[str, tuple[object, str]]]] = {
    "extract": {
        "manifest": (None, "small files beside a file are read by Java classes"),
        "repeated_files": ("read", "checksums are made by Java classes"),
        "partitions": ((), "names of folders weren't tried"),
        "as_of": (None, _LOG),
        "changes": (False, _LOG),
    },
    "load": {
        "cluster_by": ((), "what clusters a table is asked of Delta's Java classes"),
        "change_feed": (False, "it wasn't tried"),
    },
}
"""Group -> option -> (the one value that runs, why no other does)."""


def refused(group: str, name: str, kind: Any) -> Iterator[tuple[str, str]]:
    """What of a kind doesn't run: (option, or empty for the kind itself; why).

    Args:
        group: extract, transform, check or load.
        name: the kind's name.
        kind: the kind.
    """
    if group == "check" and isinstance(kind, Expectation):
        yield "", "Great Expectations asks for a classic session"
    elif not ABLE[group].runs(name):
        yield "", ABLE[group].why
    elif group == "extract" and not ABLE["format"].runs(kind.format):
        yield "format", f"{kind.format}: {ABLE['format'].why}"
    elif group == "load" and not ABLE["strategy"].runs(kind.write.strategy):
        yield "write", f"strategy {kind.write.strategy}: {ABLE['strategy'].why}"
    if group == "extract" and name == "files" and kind.consumes:
        yield "window", "which files a window has read is kept by Java classes"
    for option, (fine, why) in OPTIONS.get(group, {}).items():
        if getattr(kind, option, fine) != fine:
            yield option, why


def refuse(plan: Plan) -> None:
    """See that all of a plan runs, before anything is read.

    Raises:
        ConfigError: something doesn't.
    """
    for where, message in _of(plan):
        raise ConfigError(
            f"it doesn't run over Spark Connect: {message}", where=where, expected="docs/connect.md", remedy=REMEDY
        )


def _of(plan: Plan) -> Iterator[tuple[str, str]]:
    from spark_jobs.connect.folders import seen_by_both

    if plan.verbs != VERBS and not seen_by_both(plan):
        yield "plan", f"a task per verb {STAYS} (execution: fused)"
    if plan.reach is not None:
        yield "plan", "lookback wasn't tried"
    if plan.data_docs:
        yield "data_docs", "pages are written by Java classes"
    kinds = [(f"extract.{name}", "extract", kind.type, kind) for name, kind in plan.extract.items()]
    for name, dataset in plan.transform.items():
        kinds += [(f"transform.{name}", "transform", step, kind) for step, kind in dataset.steps]
    for name, checks in plan.check.items():
        kinds += [(f"check.{name}", "check", check, kind) for check, kind in checks]
    kinds += [(f"load.{name}", "load", kind.type, kind) for name, (_, kind) in plan.load.items()]
    for where, group, name, kind in kinds:
        for option, why in refused(group, name, kind):
            yield f"{where}.{option}" if option else where, f"{name}: {why}"
