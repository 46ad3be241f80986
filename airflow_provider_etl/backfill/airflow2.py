"""Backfills on Airflow 2.11: its own `airflow dags backfill`, which runs in the command's process and ends with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from airflow_provider_etl.backfill.bounds import MOST
from airflow_provider_etl.backfill.command import InCommand
from airflow_provider_etl.backfill.facts import Dag, Order, Progress, Run, Slot, Spot
from spark_jobs.errors import ConfigError

_PAST: Final = 20  # runs whose duration is looked at
_GONE: Final = "on Airflow 2 a backfill ends with the command that runs it: there is nothing to come back to"


class Airflow2(InCommand):
    """The Airflow 2 whose metadata database this process is configured for."""

    follows = False

    def __init__(self) -> None:
        self._dags: dict[str, Any] = {}

    def dag(self, name: str) -> Dag:
        """What is known of a DAG.

        Raises:
            ConfigError: Airflow knows no DAG of that name.
        """
        from airflow.models import DagModel
        from airflow.utils.session import create_session

        with create_session() as db:
            model = db.get(DagModel, name)
            if model is None:
                raise ConfigError(f"Airflow knows no DAG {name!r}", remedy="airflow dags list")
            path = str(model.fileloc)
        dag = self._dag(name, path)
        zone = getattr(dag.timetable, "_timezone", None) or dag.timezone
        return Dag(
            name=name,
            timezone=str(getattr(zone, "name", None) or "UTC"),
            paused=False,  # a backfill of Airflow 2 runs whether its DAG is paused or not
            refused="" if dag.timetable.periodic and dag.timetable.can_be_scheduled else "its schedule cuts no windows",
            depends_on_past=any(task.depends_on_past for task in dag.tasks),
            max_active=int(dag.max_active_runs),
            tasks=len(dag.tasks),
            path=path,
            catchup=bool(dag.catchup),
            end=dag.end_date,
        )

    def _dag(self, name: str, path: str) -> Any:
        from airflow.models import DagBag

        if name not in self._dags:
            bag = DagBag(path, include_examples=False)
            if name not in bag.dags:
                raise ConfigError(f"its file doesn't make it: {'; '.join(bag.import_errors.values())}", where=name)
            self._dags[name] = bag.dags[name]
        return self._dags[name]

    def source(self, dag: Dag) -> Any:
        """The DAG with its operators, from its file."""
        return self._dag(dag.name, dag.path)

    def slots(self, dag: Dag, first: datetime, last: datetime) -> list[Slot]:
        """The slots between two logical dates, both included; of too many for a backfill, one more than it may have."""
        return [_slot(info) for info in islice(self.source(dag).iter_dagrun_infos_between(first, last), MOST + 1)]

    def runs(self, dag: Dag, slots: Sequence[Slot]) -> dict[Spot, Run]:
        """The run of each slot that has one; one that a killed backfill has left behind counts for none."""
        from airflow.models import DagRun

        first, last = slots[0].logical, slots[-1].logical
        found = DagRun.find(dag_id=dag.name, execution_start_date=first, execution_end_date=last)
        runs = {(run.execution_date.astimezone(UTC), None): (str(run.run_type), _run(run)) for run in found}
        alive = _alive(dag.name)
        return {spot: run for spot, (kind, run) in runs.items() if alive or run.over or kind != "backfill"}

    def before(self, dag: Dag, slot: Slot) -> Run | None:
        """The last run before a slot."""
        from airflow.models import DagRun

        found = [run for run in DagRun.find(dag_id=dag.name) if run.execution_date < slot.start]
        return _run(max(found, key=lambda run: run.execution_date)) if found else None

    def seconds(self, dag: Dag) -> list[float]:
        """How long the last runs that succeeded took."""
        from airflow.models import DagRun

        runs = [run for run in DagRun.find(dag_id=dag.name, state="success") if run.start_date and run.end_date]
        last = sorted(runs, key=lambda run: run.end_date)[-_PAST:]
        return [(run.end_date - run.start_date).total_seconds() for run in last]

    def active(self, _dag: Dag) -> Progress | None:
        """Airflow 2 keeps no list of backfills; runs in flight are left alone by each."""
        return None

    def unpause(self, dag: Dag) -> None:
        """There is no need to."""

    def start(self, order: Order) -> int:
        """Run Airflow's own command, once for each row of neighbouring slots; the exit code."""
        parts = neighbours(order.slots)
        codes = [_command(order, part) for part in (reversed(parts) if order.backwards else parts)]
        return max(codes, default=0)

    def progress(self, backfill: int) -> Progress:
        """Nothing can be followed.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"backfill {backfill} can't be followed: {_GONE}")

    def cancel(self, backfill: int) -> Progress:
        """Nothing can be cancelled.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"backfill {backfill} can't be cancelled: {_GONE}", remedy="press Ctrl-C where it runs")

    def loaded(self, dag: Dag, runs: Sequence[str], note: str) -> None:
        """Write into the notes of runs that are over that their windows were loaded since; failed ones succeed."""
        from airflow.api.common.mark_tasks import set_dag_run_state_to_success
        from airflow.models import DagRun
        from airflow.utils.session import create_session

        with create_session() as db:
            for run in db.query(DagRun).filter(DagRun.dag_id == dag.name, DagRun.run_id.in_(list(runs))):
                if run.state == "failed":
                    source = self.source(dag)
                    set_dag_run_state_to_success(dag=source, run_id=run.run_id, commit=True, session=db)
                run.note = note

    def close(self, backfill: int) -> None:
        """Nothing is open."""

    def happened(self, asset: str, extra: Mapping[str, Any]) -> bool:
        """Tell the DAGs that a dataset starts that it has changed; False where Airflow knows no such dataset."""
        from airflow.datasets import Dataset
        from airflow.datasets.manager import dataset_manager
        from airflow.models.dataset import DatasetModel
        from airflow.utils.session import create_session

        with create_session() as db:
            model = db.query(DatasetModel).filter(DatasetModel.uri == asset).first()
            if model is None:
                return False
            changed = dataset_manager.register_dataset_change(dataset=Dataset(model.uri), extra=dict(extra), session=db)  # noqa: AIR301, AIR311
            return changed is not None


def neighbours(slots: Sequence[Slot]) -> list[list[Slot]]:
    """Slots in rows without a gap: Airflow 2's command takes a range."""
    rows: list[list[Slot]] = []
    for slot in slots:
        if not rows or rows[-1][-1].end != slot.start:
            rows.append([])
        rows[-1].append(slot)
    return rows


def arguments(order: Order, slots: Sequence[Slot]) -> list[str]:
    """What follows `airflow` for a row of slots."""
    first, last = (slot.start.isoformat() for slot in (slots[0], slots[-1]))
    told = ["dags", "backfill", order.dag, "-s", first, "-e", last, "-y", "--continue-on-failures"]
    if order.reprocess != "none":
        told.append("--reset-dagruns")  # only windows that are to run again are among the slots
    if order.backwards:
        told.append("--run-backwards")
    return [*told, "--conf", json.dumps(dict(order.conf))] if order.conf else told


def _command(order: Order, slots: Sequence[Slot]) -> int:
    """Run it; its lines go where ours go, and so does Ctrl-C."""
    command = [sys.executable, "-m", "airflow", *arguments(order, slots)]
    # Its executors look for `airflow` on the path, which needn't hold this environment's programs.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return 1 if subprocess.run(command, env=os.environ | {"PATH": path}, check=False).returncode else 0


def _alive(dag: str) -> bool:
    """Whether a backfill of a DAG is running somewhere: nobody else moves its runs on."""
    from airflow.jobs.job import Job
    from airflow.utils.session import create_session

    with create_session() as db:
        jobs = db.query(Job).filter(Job.job_type == "BackfillJob", Job.dag_id == dag, Job.state == "running")
        return any(job.is_alive() for job in jobs)


def _slot(info: Any) -> Slot:
    start, end = info.data_interval.start.astimezone(UTC), info.data_interval.end.astimezone(UTC)
    return Slot(logical=info.logical_date.astimezone(UTC), start=start, end=end, info=info)


def _run(run: Any) -> Run:
    return Run(run_id=run.run_id, state=str(getattr(run.state, "value", run.state)))
