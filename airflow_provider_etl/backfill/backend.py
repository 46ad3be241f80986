"""What a backfill asks of an Airflow: one small protocol, and a class for each of its generations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from airflow_provider_etl.backfill.facts import Dag, Order, Progress, Run, Slot, Spot


class Backend(Protocol):
    """One version of Airflow. The errors of all methods are those of `spark_jobs.errors`."""

    follows: bool
    """Whether a backfill goes on without the process that started it, and can be followed and cancelled."""

    def quiet(self) -> AbstractContextManager[None]:
        """Keeps Airflow's own log out of the command's output."""

    def default_timezone(self) -> str:
        """The zone in which Airflow's own commands read a date."""

    def dag(self, name: str) -> Dag:
        """What is known of a DAG."""

    def source(self, dag: Dag) -> Any:
        """The DAG itself, with its operators, from its file."""

    def slots(self, dag: Dag, first: datetime, last: datetime) -> list[Slot]:
        """The slots between two logical dates, both included, in the order of time; future ones too."""

    def runs(self, dag: Dag, slots: Sequence[Slot]) -> dict[Spot, Run]:
        """The latest run of each slot that has one."""

    def before(self, dag: Dag, slot: Slot) -> Run | None:
        """The last run before a slot."""

    def seconds(self, dag: Dag) -> list[float]:
        """How long the last runs that succeeded took."""

    def active(self, dag: Dag) -> Progress | None:
        """The backfill of a DAG that isn't over."""

    def unpause(self, dag: Dag) -> None:
        """Let a DAG run."""

    def start(self, order: Order) -> int:
        """Start a backfill: its number where it goes on by itself, else the exit code once it is over."""

    def progress(self, backfill: int) -> Progress:
        """A backfill as it is now."""

    def cancel(self, backfill: int) -> Progress:
        """End a backfill: runs that wait fail, those that have begun go on to their end."""

    def loaded(self, dag: Dag, runs: Sequence[str], note: str) -> None:
        """Write into the notes of runs that are over that their windows were loaded since; failed ones succeed."""

    def close(self, backfill: int) -> None:
        """Count a backfill as over, if all its runs are: the scheduler does so only every half minute."""

    def happened(self, asset: str, extra: Mapping[str, Any]) -> bool:
        """Tell the DAGs that an asset starts that it has changed; False where Airflow knows no such asset."""


def installed() -> Backend:
    """How backfills are made on the Airflow that is installed."""
    from airflow_provider_etl.compat import AIRFLOW_VERSION

    if AIRFLOW_VERSION < (3, 0):
        from airflow_provider_etl.backfill.airflow2 import Airflow2

        return Airflow2()
    from airflow_provider_etl.backfill.airflow3 import Airflow3

    return Airflow3()
