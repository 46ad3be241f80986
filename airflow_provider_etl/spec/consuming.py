"""Sources that give a window what no window has read before: whether each load can keep what that was."""

from __future__ import annotations

from airflow_provider_etl.spec.problems import Problems
from airflow_provider_etl.spec.reading import FAILED
from airflow_provider_etl.spec.verbs import Verbs
from spark_jobs.kinds import consumes
from spark_jobs.load.keeping import forgets


def check(verbs: Verbs, problems: Problems, *, ordered: bool) -> None:
    """Report loads that can't keep what a window has read, and change feeds whose windows may run side by side.

    Args:
        verbs: what was read.
        problems: where problems go.
        ordered: whether windows run one after the other.
    """
    for name, placed in verbs.extract.items():
        if placed.kind is FAILED or not consumes(placed.kind):
            continue
        for load, destination in verbs.load.items():
            why = forgets(destination.kind) if destination.kind is not FAILED else ""
            if why:
                message = f"load {load!r} can't keep what a window has read of {name!r}: {why}"
                hint = "load it into a delta table, by any strategy but snapshot"
                problems.add(destination.node.holder, "consumed-unkept", message, hint)
        if getattr(placed.kind, "changes", False) and not ordered:
            message = f"source {name!r} reads a change feed: a window goes on where the one before has ended, and here"
            hint = "say `depends_on_previous: true`"
            problems.add(verbs.sources[name], "changes-unordered", f"{message} they may run side by side", hint)
