"""What a backfill changes in Airflow 3: its start and its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import delete, exists, select, update

from airflow_provider_etl.backfill.airflow3_db import session, whole
from airflow_provider_etl.backfill.facts import Order
from spark_jobs.errors import ConfigError, InfrastructureError

T = TypeVar("T")

_TRIES: Final = 8  # of a change while SQLite's only lock is taken


def start(order: Order) -> int:
    """Start a backfill of exactly these slots.

    Returns:
        Airflow's number of it.

    Raises:
        ConfigError: Airflow refuses it; why.
        InfrastructureError: the database can't be changed, or this Airflow is built otherwise.
    """
    with whole():  # a try that fails half-way would leave runs behind, and Airflow would delete those it began with
        return unlocked(lambda: _start(order))


def _start(order: Order) -> int:
    from airflow.exceptions import AirflowException
    from airflow.models import backfill as model
    from sqlalchemy.exc import SQLAlchemyError

    begun = datetime.now(UTC)
    slots = list(reversed(order.slots)) if order.backwards else list(order.slots)
    dates = sorted(slot.logical or slot.start for slot in slots)
    try:
        with _listing(model, [slot.info for slot in slots]):
            made = model._create_backfill(  # noqa: SLF001 - what Airflow's own command calls; there is no public way
                dag_id=order.dag,
                from_date=dates[0],
                to_date=dates[-1],
                max_active_runs=order.max_active,
                reverse=order.backwards,
                dag_run_conf=dict(order.conf) if order.conf is not None else None,
                triggering_user_name=_user(),
                reprocess_behavior=model.ReprocessBehavior(order.reprocess),
                run_on_latest_version=_latest(order),
            )
    except SQLAlchemyError as error:
        unlocked(lambda: _forget(order.dag, begun))
        raise InfrastructureError(f"the backfill couldn't be written: {str(error).splitlines()[0]}") from error
    except (AirflowException, ValueError) as error:
        raise ConfigError(f"Airflow refuses the backfill: {error}", where=order.dag) from error
    return int(made.id)


@contextmanager
def _listing(model: Any, infos: list[Any]) -> Iterator[None]:
    """Airflow's function takes a range alone: let it find exactly the slots that were shown.

    Raises:
        InfrastructureError: it looks for them otherwise than it did in 3.1 to 3.4.
    """
    own = getattr(model, "_get_info_list", None)
    if own is None or not hasattr(model, "_create_backfill"):
        raise InfrastructureError(
            "this Airflow starts backfills in another way than 3.1 to 3.4",
            where="airflow.models.backfill",
            remedy="use `airflow backfill create`, and update airflow-provider-etl",
        )
    model._get_info_list = lambda **_: infos  # noqa: SLF001
    try:
        yield
    finally:
        model._get_info_list = own  # noqa: SLF001


def _latest(order: Order) -> bool:
    try:
        from airflow.api_fastapi.common.dagbag import resolve_run_on_latest_version
    except ImportError:  # before 3.3: a backfill took the latest version unless told otherwise
        return order.latest is not False
    with session() as db:
        return bool(resolve_run_on_latest_version(order.latest, order.dag, db, fallback=True))


def _user() -> str | None:
    from getpass import getuser

    try:
        return getuser()
    except (KeyError, OSError):  # a user id without a name, as containers have
        return None


def _forget(dag: str, begun: datetime) -> None:
    """Take away what a start has left that failed half-way: a backfill without runs, which would block the next."""
    from airflow.models.backfill import Backfill, BackfillDagRun

    runs = exists(select(BackfillDagRun.id).where(BackfillDagRun.backfill_id == Backfill.id))
    with session() as db:
        orphan = Backfill.dag_id == dag, Backfill.created_at >= begun, Backfill.completed_at.is_(None), ~runs
        db.execute(delete(Backfill).where(*orphan).execution_options(synchronize_session=False))


def cancel(backfill: int) -> None:
    """End a backfill: its queued runs fail, and none of its runs stays behind for ever.

    Airflow's own way leaves the backfill paused, and runs of a paused backfill that somebody clears later are never
    started again (apache/airflow#72337): here it ends unpaused.

    Raises:
        ConfigError: it is over already, or there is none of that number.
    """
    unlocked(lambda: _cancel(backfill))


def _cancel(backfill: int) -> None:
    from airflow.models import DagRun
    from airflow.models.backfill import Backfill, BackfillDagRun

    with session() as db:
        found = db.get(Backfill, backfill)
        if found is None:
            raise ConfigError(f"there is no backfill {backfill}")
        if found.completed_at is not None:
            raise ConfigError(f"backfill {backfill} is over already")
        found.is_paused = True  # and committed by itself, so that no run of it starts meanwhile
    mine = select(BackfillDagRun.dag_run_id).where(BackfillDagRun.backfill_id == backfill)
    with session() as db:
        waiting = update(DagRun).where(DagRun.id.in_(mine), DagRun.state == "queued")
        now = datetime.now(UTC)
        db.execute(waiting.values(state="failed", end_date=now).execution_options(synchronize_session=False))
        found = db.get(Backfill, backfill)
        found.completed_at, found.is_paused = now, False


def loaded(dag: Any, runs: Sequence[str], note: str) -> None:
    """Write into the notes of runs that are over that their windows were loaded since; failed ones succeed.

    Args:
        dag: as serialised.
        runs: their ids.
        note: replaces the note that they have.
    """
    unlocked(lambda: _loaded(dag, runs, note))


def _loaded(dag: Any, runs: Sequence[str], note: str) -> None:
    from airflow.api.common.mark_tasks import set_dag_run_state_to_success
    from airflow.models import DagRun

    with session() as db:
        for run in db.scalars(select(DagRun).where(DagRun.dag_id == dag.dag_id, DagRun.run_id.in_(runs))).all():
            if run.state == "failed":
                set_dag_run_state_to_success(dag=dag, run_id=run.run_id, commit=True, session=db)
            run.note = note


def close(backfill: int) -> None:
    """Count a backfill as over, if all its runs are: as the scheduler does, which comes by every half minute.

    Until then Airflow would refuse the DAG's next backfill.
    """
    unlocked(lambda: _close(backfill))


def _close(backfill: int) -> None:
    from airflow.models import DagRun
    from airflow.models.backfill import Backfill

    going = exists(select(DagRun.id).where(DagRun.backfill_id == backfill, DagRun.state.in_(("queued", "running"))))
    over = update(Backfill).where(Backfill.id == backfill, Backfill.completed_at.is_(None), ~going)
    with session() as db:
        db.execute(over.values(completed_at=datetime.now(UTC)).execution_options(synchronize_session=False))


def unlocked(change: Callable[[], T]) -> T:
    """Make a change, again where SQLite's only lock was taken meanwhile.

    Raises:
        InfrastructureError: it stays locked.
    """
    for tried in range(_TRIES - 1):
        try:
            return change()
        except InfrastructureError as error:
            if "database is locked" not in str(error):
                raise
            time.sleep(min(0.25 * 2**tried, 5))
    return change()
