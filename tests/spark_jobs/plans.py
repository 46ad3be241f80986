"""Plans for tests, as the pipeline file's reader would build them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from spark_jobs.ledger import attempt_number
from spark_jobs.plan import Attempt, Plan
from spark_jobs.window import Window

FINGERPRINT = "abcde" + "0" * 59


def day(number: int, days: int = 1, zone: str = "UTC") -> Window:
    """The window of `days` days that starts on a day of January 2013."""
    start = datetime(2013, 1, number, tzinfo=UTC)
    return Window(start=start, end=start + timedelta(days=days), timezone=zone)


def attempt(second: float, token: str | None = None, fingerprint: str = FINGERPRINT) -> Attempt:
    """An attempt submitted `second` seconds into 2026."""
    now = datetime(2026, 1, 1, tzinfo=UTC).timestamp() + second
    return Attempt(number=attempt_number(fingerprint, now=now), token=token or f"token-{second}", run=f"run-{second}")


def plan(folder: Path, window: Window, who: Attempt, **rest: Any) -> Plan:
    """A plan that stages and quarantines under a folder."""
    options = {"pipeline": "flights", "fingerprint": FINGERPRINT} | rest
    return Plan(
        window=window, attempt=who, staging=str(folder / "staging"), quarantine=str(folder / "quarantine"), **options
    )
