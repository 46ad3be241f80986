"""Asking a condition as a sensor does, without one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_provider_etl.sensors.condition import Answer, Asking
from spark_jobs.window import Window

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DAY = Window(start=datetime(2013, 1, 1, tzinfo=UTC), end=datetime(2013, 1, 2, tzinfo=UTC))


def ask(condition: Any, **more: Any) -> Answer:
    """Ask once, for the first of January 2013 at noon of 2026's first day, unless told otherwise."""
    answer: Answer = condition.ready(Asking(**({"now": NOW, "window": DAY} | more)))
    return answer


def after(**length: float) -> datetime:
    """NOW, and a while later."""
    return NOW + timedelta(**length)
