"""Backfills on Airflow 3: by its own metadata models, in the process of the command, as its own command does it.

`airflow.models.backfill` is no public interface. What is used of it is the same in 3.1, 3.3 and 3.4; where a name is
gone, the error says so and nothing has been changed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from airflow_provider_etl.backfill.airflow3_db import CHUNK, session, text, utc
from airflow_provider_etl.backfill.bounds import MOST
from airflow_provider_etl.backfill.command import InCommand
from airflow_provider_etl.backfill.facts import Dag, Order, Progress, Run, Slot, Spot
from spark_jobs.errors import ConfigError

_PAST: Final = 20  # runs whose duration is looked at


class Airflow3(InCommand):
    """The Airflow whose metadata database this process is configured for."""

    follows = True

    def __init__(self) -> None:
        self._serialized: dict[str, Any] = {}

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """See `Backend`; Airflow 3 logs by structlog too."""
        import structlog

        before = structlog.get_config()
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
        try:
            with super().quiet():
                yield
        finally:
            structlog.configure(**before)

    def dag(self, name: str) -> Dag:
        """What is known of a DAG.

        Raises:
            ConfigError: Airflow knows no DAG of that name.
        """
        from airflow.models import DagModel

        with session() as db:
            model = db.get(DagModel, name)
            if model is None or model.is_stale:
                near = _near(name, db.scalars(select(DagModel.dag_id).where(DagModel.is_stale.is_(False))).all())
                raise ConfigError(
                    f"Airflow knows no DAG {name!r}",
                    expected="the id of a DAG that the dag-processor has read",
                    remedy=near or "airflow dags list; airflow dags list-import-errors",
                )
            serialized = self._dag(name)
            return Dag(
                name=name,
                timezone=_zone(serialized),
                paused=bool(model.is_paused),
                refused=_refused(serialized, model),
                depends_on_past=any(task.depends_on_past for task in serialized.tasks),
                max_active=int(serialized.max_active_runs),
                tasks=len(serialized.tasks),
                path=str(model.fileloc or ""),
                bundle=str(model.bundle_name or ""),
                catchup=bool(serialized.catchup),
                end=utc(serialized.end_date),
            )

    def _dag(self, name: str) -> Any:
        from airflow.models.serialized_dag import SerializedDagModel

        if name not in self._serialized:
            found = SerializedDagModel.get_dag(name)
            if found is None:
                raise ConfigError(
                    f"DAG {name!r} isn't serialised yet", remedy="wait until the dag-processor has read it"
                )
            self._serialized[name] = found
        return self._serialized[name]

    def source(self, dag: Dag) -> Any:
        """The DAG with its operators, from its file.

        Raises:
            ConfigError: the file isn't on this machine, or doesn't make the DAG.
        """
        from airflow_provider_etl.backfill.parse import parse

        return parse(dag.name, Path(dag.path), dag.bundle)

    def slots(self, dag: Dag, first: datetime, last: datetime) -> list[Slot]:
        """The slots between two logical dates, both included; of too many for a backfill, one more than it may have."""
        serialized = self._dag(dag.name)
        if getattr(serialized.timetable, "partitioned", False):
            # Airflow takes the clock's reading of both ends for one on the timetable's own clock, whatever their zone.
            zone = ZoneInfo(_zone(serialized))
            first, last = (moment.astimezone(zone).replace(tzinfo=UTC) for moment in (first, last))
        return [_slot(info) for info in islice(serialized.iter_dagrun_infos_between(first, last), MOST + 1)]

    def runs(self, dag: Dag, slots: Sequence[Slot]) -> dict[Spot, Run]:
        """The latest run of each slot that has one."""
        from airflow.models import DagRun

        found: dict[Spot, Run] = {}
        with session() as db:
            for start in range(0, len(slots), CHUNK):
                some = slots[start : start + CHUNK]
                dates = [slot.logical for slot in some if slot.logical is not None]
                keys = [slot.partition for slot in some if slot.partition is not None]
                here = DagRun.logical_date.in_(dates) if dates else DagRun.partition_key.in_(keys)
                query = select(DagRun).where(DagRun.dag_id == dag.name, here)
                for run in db.scalars(query.order_by(DagRun.start_date.asc(), DagRun.id.asc())):
                    found[utc(run.logical_date), run.partition_key if keys else None] = _run(run)
        return found

    def before(self, dag: Dag, slot: Slot) -> Run | None:
        """The last run before a slot."""
        from airflow.models import DagRun

        if slot.logical is None:
            return None
        query = select(DagRun).where(DagRun.dag_id == dag.name, DagRun.logical_date < slot.logical)
        with session() as db:
            found = db.scalars(query.order_by(DagRun.logical_date.desc()).limit(1)).first()
            return _run(found) if found else None

    def seconds(self, dag: Dag) -> list[float]:
        """How long the last runs that succeeded took."""
        from airflow.models import DagRun

        query = select(DagRun.start_date, DagRun.end_date).where(DagRun.dag_id == dag.name, DagRun.state == "success")
        with session() as db:
            spans = db.execute(query.order_by(DagRun.end_date.desc()).limit(_PAST)).all()
        return [(end - start).total_seconds() for start, end in spans if start and end]

    def active(self, dag: Dag) -> Progress | None:
        """The backfill of a DAG that isn't over."""
        from airflow.models.backfill import Backfill

        query = select(Backfill.id).where(Backfill.dag_id == dag.name, Backfill.completed_at.is_(None))
        with session() as db:
            found = db.scalars(query.order_by(Backfill.id)).first()
        return self.progress(found) if found is not None else None

    def unpause(self, dag: Dag) -> None:
        """Let a DAG run."""
        from airflow.models import DagModel

        with session() as db:
            db.get(DagModel, dag.name).is_paused = False

    def start(self, order: Order) -> int:
        """Start a backfill of exactly these slots; its number."""
        from airflow_provider_etl.backfill.airflow3_changes import start

        return start(order)

    def cancel(self, backfill: int) -> Progress:
        """End a backfill: runs that wait fail, those that have begun go on."""
        from airflow_provider_etl.backfill.airflow3_changes import cancel

        cancel(backfill)
        return self.progress(backfill)

    def loaded(self, dag: Dag, runs: Sequence[str], note: str) -> None:
        """Write into the notes of runs that are over that their windows were loaded since; failed ones succeed."""
        from airflow_provider_etl.backfill.airflow3_changes import loaded

        loaded(self._dag(dag.name), runs, note)

    def close(self, backfill: int) -> None:
        """Count a backfill as over, if all its runs are."""
        from airflow_provider_etl.backfill.airflow3_changes import close

        close(backfill)

    def happened(self, asset: str, extra: Mapping[str, Any]) -> bool:
        """Tell the DAGs that an asset starts that it has changed; False where Airflow knows no such asset."""
        from airflow.assets.manager import asset_manager
        from airflow.models.asset import AssetModel

        with session() as db:
            model = db.scalars(select(AssetModel).where(AssetModel.name == asset)).first()
            if model is None:
                return False
            return asset_manager.register_asset_change(asset=model, extra=dict(extra), session=db) is not None

    def progress(self, backfill: int) -> Progress:
        """A backfill as it is now.

        Raises:
            ConfigError: there is none of that number.
        """
        from airflow_provider_etl.backfill.airflow3_progress import progress

        return progress(backfill, lambda name: _zone(self._dag(name)))


def _slot(info: Any) -> Slot:
    partition = getattr(info, "partition_key", None)
    interval = info.data_interval
    if interval is None:
        moment = utc(getattr(info, "partition_date", None) or info.run_after)
        return Slot(logical=None, partition=partition, start=moment, end=moment, info=info)
    return Slot(logical=utc(info.logical_date), start=utc(interval.start), end=utc(interval.end), info=info)


def _run(run: Any) -> Run:
    return Run(run_id=run.run_id, state=text(run.state))


def _zone(dag: Any) -> str:
    """The zone in which the timetable cuts; the DAG's own may be another."""
    zone = getattr(dag.timetable, "_timezone", None) or dag.timezone
    return str(getattr(zone, "name", None) or "UTC")


def _refused(dag: Any, model: Any) -> str:
    if not (dag.timetable.periodic and dag.timetable.can_be_scheduled):
        told = getattr(model, "timetable_summary", None) or "none"
        return f"its schedule ({told}) cuts no windows: start a run with window_start and window_end instead"
    allowed = getattr(dag, "allowed_run_types", None)
    if allowed is not None and "backfill" not in [str(getattr(kind, "value", kind)) for kind in allowed]:
        return f"it allows only runs of type {', '.join(map(str, allowed))}: add backfill to allowed_run_types"
    return ""


def _near(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    found = get_close_matches(name, known, n=1)
    return f"did you mean {found[0]!r}?" if found else ""
