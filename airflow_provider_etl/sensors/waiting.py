"""How long to wait, and what is told while waiting and at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from airflow_provider_etl.sensors.asking import Ask, Round
from airflow_provider_etl.sensors.condition import span

MODES: Final = ("deferrable", "reschedule", "poke")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long and where to wait.

    Args:
        every: between two times of asking.
        timeout: at most, from the first time.
        on_timeout: `fail` or `skip`.
        mode: `deferrable`, `reschedule` or `poke`; None: as the deployment says.
    """

    every: timedelta
    timeout: timedelta
    on_timeout: str
    mode: str | None


def progress(told: Round, patience: Patience, left: timedelta, mode: str) -> str:
    """One line for the log of a wait that goes on."""
    where = {"deferrable": ", deferred to the triggerer", "reschedule": ", rescheduled"}.get(mode, "")
    return f"[etl] not yet: {told.seen}; asked again every {span(patience.every)}, {span(left)} left{where}"


def timed_out(asks: Sequence[Ask], patience: Patience, seen: str) -> str:
    """What is said when the time is up: what was waited for, what was seen last, what to do."""
    what = "; ".join(ask.told for ask in asks[:3])
    return (
        f"waited {span(patience.timeout)} for {what}. Seen last: {seen}. "
        "Look after whoever should bring it, then clear this task; if it always takes longer, raise timeout"
    )
