"""The trigger of every sensor: it asks in a thread, and sleeps in between."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_provider_etl.sensors.asking import Ask, Round, ask_all
from airflow_provider_etl.sensors.condition import span
from spark_jobs.errors import EtlError

_JITTER: Final = 0.1  # of the interval, so that the sensors of one schedule don't all ask at once
_LONGEST: Final = 300.0  # seconds for one round of asking
_TOLD_EVERY: Final = timedelta(minutes=10)  # how often a wait that sees nothing new is told


class WaitTrigger(BaseTrigger):
    """Wait until conditions are true, or the time is up.

    A triggerer that takes over from another begins with what is here: the end of the time stays, what was remembered
    of a file that is being written is watched anew.

    Args:
        asks: `Ask.to_json` of each.
        every: seconds between two times of asking.
        end: ISO 8601; when the time is up.
        met: what the worker found to be true already, in words.
    """

    def __init__(self, *, asks: list[dict[str, Any]], every: float, end: str, met: list[str]) -> None:
        super().__init__()
        self.asks, self.every, self.end, self.met = asks, every, end, met

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Plain JSON: names of connections, nothing that is in them."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"asks": self.asks, "every": self.every, "end": self.end, "met": self.met}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Ask until all is true, nothing can be, or the time is up; one event says which."""
        asks: Sequence[Ask] = [Ask.from_json(ask) for ask in self.asks]
        met, end, told = list(self.met), datetime.fromisoformat(self.end), _Told()
        while True:
            try:
                found = await self._ask(asks)
            except EtlError as error:
                yield TriggerEvent({"error": {"kind": error.kind, "message": str(error)}})
                return
            asks, met = found.open, [*met, *found.met]
            left = end - datetime.now(UTC)
            if not asks or left <= timedelta():
                yield TriggerEvent({"asks": [ask.to_json() for ask in asks], "met": met, "seen": found.seen})
                return
            if told.worth(found.seen):
                self.log.info("%s", f"[etl] not yet: {found.seen}; {span(left)} left")
            jitter = random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311 - no secret
            await asyncio.sleep(min(self.every * jitter, left.total_seconds()))

    async def _ask(self, asks: Sequence[Ask]) -> Round:
        """Ask all in a thread; one that hangs is left behind, and asked anew."""
        try:
            # asgiref's, so that a hook in the thread may ask Airflow for its connection on every version.
            asking = sync_to_async(ask_all, thread_sensitive=False)(asks, datetime.now(UTC))
            return await asyncio.wait_for(asking, _LONGEST)
        except TimeoutError:
            return Round(open=tuple(asks), seen=f"no answer within {_LONGEST:g} s", met=())


class _Told:
    """What was told last, and when."""

    def __init__(self) -> None:
        self._seen, self._at = "", datetime.min.replace(tzinfo=UTC)

    def worth(self, seen: str) -> bool:
        """Whether something is new, or the last word on it is long ago."""
        now = datetime.now(UTC)
        if seen == self._seen and now - self._at < _TOLD_EVERY:
            return False
        self._seen, self._at = seen, now
        return True
