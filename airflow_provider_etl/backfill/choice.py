"""What becomes of each window of a backfill, and why: pure, so that it can be read and tested by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from airflow_provider_etl.backfill.facts import Dag, Reprocess, Run, Slot
from airflow_provider_etl.backfill.held import Held
from airflow_provider_etl.backfill.request import Request
from spark_jobs.errors import ConfigError

Action = Literal["start", "again", "leave", "in flight", "not yet", "refused"]
WORDS: Final[Mapping[Held, str]] = {
    "loaded": "loaded",
    "outdated": "loaded by another configuration",
    "missing": "not loaded",
    "superseded": "a newer snapshot is loaded",
    "unknown": "unknown",
}

_ENDED: Final = {"success": "succeeded", "failed": "failed"}


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a window.

    Args:
        slot: the window.
        run: the run that is there, None where there is none.
        held: how the tables hold it.
        cut: a window in the table that it would cut in two; empty where there is none.
        end: the DAG's last logical date.
    """

    slot: Slot
    run: Run | None = None
    held: Held = "unknown"
    cut: str = ""
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One window.

    Args:
        slot: the window.
        held: how the tables hold it.
        run: the run that is there.
        action: what becomes of it; `start` and `again` belong to the backfill.
        why: the reason, or what to say for something else.
        spark: whether Spark really runs: a first run of a window that is loaded alike finds nothing to do.
    """

    slot: Slot
    held: Held
    run: Run | None
    action: Action
    why: str = ""
    spark: bool = False

    @property
    def goes(self) -> bool:
        """Whether the backfill runs it."""
        return self.action in ("start", "again")


def choose(request: Request, seen: Seen, now: datetime) -> Choice:
    """What becomes of a window.

    Args:
        request: what was asked for.
        seen: what is known of it.
        now: the moment, aware.
    """
    action, why = _action(request, seen, now)
    # A cleared run always really runs; a new one doesn't where the tables hold the window.
    alike = seen.held == "loaded" and request.reprocess != "completed"
    spark = action == "again" or (action == "start" and not alike)
    return Choice(slot=seen.slot, held=seen.held, run=seen.run, action=action, why=why, spark=spark)


def _action(request: Request, seen: Seen, now: datetime) -> tuple[Action, str]:
    if seen.slot.end >= now:
        return "not yet", "it isn't over yet"
    if seen.end is not None and seen.slot.start > seen.end:
        return "refused", f"the DAG ends before it ({seen.end:%Y-%m-%d %H:%M} UTC): its tasks would never start"
    if seen.run is not None and not seen.run.over:
        return "in flight", f"run {seen.run.run_id} is {seen.run.state}: it goes on"
    if seen.cut:
        return "refused", f"the table holds {seen.cut}, of which this is a part: its rows can't be told apart"
    if request.by_ledger:
        return _by_ledger(request, seen.run, seen.held)
    return _by_run(request.reprocess, seen.run, seen.held)


def _by_ledger(request: Request, run: Run | None, held: Held) -> tuple[Action, str]:
    wanted = {"missing"} if request.missing else set()
    wanted |= {"outdated"} if request.outdated else set()
    if held in wanted:
        return ("again", "although its run succeeded" if run.state == "success" else "") if run else ("start", "")
    return "leave", "loaded by another configuration: --outdated runs it again" if held == "outdated" else ""


def _by_run(reprocess: Reprocess, run: Run | None, held: Held) -> tuple[Action, str]:
    if run is None:
        alike = held == "loaded" and reprocess != "completed"
        return "start", "finds its work done: --reprocess completed loads it again" if alike else ""
    if reprocess == "completed" or (reprocess == "failed" and run.state == "failed"):
        return "again", ""
    other = "failed" if run.state == "failed" else "completed"
    lacks = "" if held != "missing" else ", and --missing, since the table lacks it"
    return "leave", f"its run {_ENDED[run.state]}: --reprocess {other} runs it again{lacks}"


def demand(dag: Dag, request: Request, before: Run | None) -> None:
    """Refuse a backfill that Airflow would refuse, or that could never end.

    Args:
        dag: the DAG.
        request: what was asked for.
        before: the last run before the range.

    Raises:
        ConfigError: with the reason and the way out.
    """
    if not dag.depends_on_past:
        return
    if request.backwards:
        raise ConfigError(
            "its windows depend on the one before: they can't run backwards",
            where=dag.name,
            remedy="leave --run-backwards out",
        )
    if request.reprocess == "none" and not request.by_ledger:
        raise ConfigError(
            "its windows depend on the one before: Airflow wants to know what becomes of those that have a run",
            where=dag.name,
            remedy="say --reprocess failed, --reprocess completed or --missing",
        )
    if before is not None and before.state == "failed":
        raise ConfigError(
            f"its windows depend on the one before, and the run before the range ({before.run_id}) has failed",
            where=dag.name,
            remedy="begin the range there: the first window would wait for ever",
        )
