"""What somebody asked for, whichever of the three dialects they spoke."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from airflow_provider_etl.backfill.facts import Reprocess


@dataclass(frozen=True, kw_only=True)
class Request:
    """A backfill as asked for.

    Args:
        dag: the DAG's id, or the path of a pipeline file.
        first, last: the range as text; one that is missing is the other.
        native: whether they were given in a native dialect, to be read as Airflow's own commands read them.
        reprocess: what becomes of windows that have a run.
        missing: only windows that the tables don't hold.
        outdated: only windows that the tables hold by another configuration; with `missing`, both.
        max_active: windows at once; None: as the DAG says.
        backwards: the latest window first.
        conf: every run's configuration; None where nothing was given.
        latest: run on the bundle's latest version; None: as the DAG or the deployment says.
        dry_run: only show.
        unpause: let the DAG run if it is paused.
        wait: follow it to its end; and wait for another backfill that is active.
        yes: ask nothing.
        batch: compute so much time in one Spark job, before the runs.
        environment: name or path of an environment; None: as the DAG says.
        notes: what was given and has no meaning here, a sentence each.
    """

    dag: str
    first: str = ""
    last: str = ""
    native: bool = False
    reprocess: Reprocess = "none"
    missing: bool = False
    outdated: bool = False
    max_active: int | None = None
    backwards: bool = False
    conf: Mapping[str, Any] | None = None
    latest: bool | None = None
    dry_run: bool = False
    unpause: bool = False
    wait: bool = True
    yes: bool = False
    batch: timedelta | None = None
    environment: str | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def by_ledger(self) -> bool:
        """Whether the tables decide which windows run."""
        return self.missing or self.outdated
