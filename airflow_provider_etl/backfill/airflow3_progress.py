"""A backfill of Airflow 3 as it is at a moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from airflow_provider_etl.backfill.airflow3_db import CHUNK, session, text, utc
from airflow_provider_etl.backfill.facts import Part, Progress
from spark_jobs.errors import ConfigError


def progress(backfill: int, zone: Callable[[str], str]) -> Progress:
    """A backfill as it is now.

    Args:
        backfill: its number.
        zone: gives the zone in which a DAG's timetable cuts.

    Raises:
        ConfigError: there is none of that number.
    """
    from airflow.models import DagModel
    from airflow.models.backfill import Backfill

    with session() as db:
        found = db.get(Backfill, backfill)
        if found is None:
            last = db.scalar(select(func.max(Backfill.id)))
            raise ConfigError(f"there is no backfill {backfill}", expected=f"1 to {last}" if last else "none yet")
        paused = db.scalar(select(DagModel.is_paused).where(DagModel.dag_id == found.dag_id))
        return Progress(
            id=backfill,
            dag=found.dag_id,
            timezone=zone(found.dag_id),
            begun=found.created_at,
            paused=bool(found.is_paused),
            dag_paused=bool(paused),
            completed=found.completed_at is not None,
            parts=_parts(db, found),
        )


def _parts(db: Any, backfill: Any) -> list[Part]:
    from airflow.models import DagRun
    from airflow.models.backfill import BackfillDagRun

    query = select(BackfillDagRun, DagRun).join(DagRun, DagRun.id == BackfillDagRun.dag_run_id, isouter=True)
    query = query.where(BackfillDagRun.backfill_id == backfill.id).order_by(BackfillDagRun.sort_ordinal)
    rows = [(link, run) for link, run in db.execute(query)]
    tasks = _tasks(db, backfill.dag_id, [run.run_id for _, run in rows if run is not None])
    return [_part(link, run, tasks) for link, run in rows]


def _part(link: Any, run: Any, tasks: Mapping[str, Mapping[str, str]]) -> Part:
    partition = getattr(link, "partition_key", None)
    if run is None:
        reason = str(link.exception_reason or "its run was deleted")
        return Part(slot=(utc(link.logical_date), partition), run_id="", state="none", reason=reason)
    end = run.end_date or datetime.now(UTC)
    return Part(
        slot=(utc(run.logical_date), partition),
        run_id=run.run_id,
        state=text(run.state),
        seconds=(end - run.start_date).total_seconds() if run.start_date and run.state != "queued" else None,
        tasks=tasks.get(run.run_id, {}),
        again=bool(run.clear_number),
    )


def _tasks(db: Any, dag: str, runs: Sequence[str]) -> dict[str, dict[str, str]]:
    """Run -> task -> state."""
    from airflow.models.taskinstance import TaskInstance

    found: dict[str, dict[str, str]] = {}
    for start in range(0, len(runs), CHUNK):
        query = select(TaskInstance.run_id, TaskInstance.task_id, TaskInstance.state)
        some = TaskInstance.run_id.in_(runs[start : start + CHUNK])
        for run, task, state in db.execute(query.where(TaskInstance.dag_id == dag, some)):
            found.setdefault(run, {})[task] = text(state)
    return found
