"""The trigger of a deferred task: it looks at the job until it has ended, and ends it where a user ends the task."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_provider_etl.compat import TELLS_TRIGGERS, still_deferred
from airflow_provider_etl.engines import engine_of
from airflow_provider_etl.engines.base import BLIND, Handle
from spark_jobs.errors import EtlError, InfrastructureError

_JITTER: Final = 0.1  # of the interval, so that the jobs of one schedule aren't all asked for at once
_LONGEST: Final = 300.0  # seconds for one look


class JobTrigger(BaseTrigger):
    """Wait until a job has ended, or the time is up. A triggerer that takes over from another goes on with it.

    Args:
        engine: `{kind, options}` as `engine_of` takes them: names of connections, nothing that is in them.
        handle: `Handle.to_json`.
        end: ISO 8601; when the time is up. None: never.
    """

    def __init__(self, *, engine: dict[str, Any], handle: dict[str, str], end: str | None = None) -> None:
        super().__init__()
        self.engine, self.handle, self.end = engine, handle, end

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Plain JSON."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return path, {"engine": self.engine, "handle": self.handle, "end": self.end}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until it has ended; one event."""
        try:
            yield TriggerEvent(await self._seen())
        except asyncio.CancelledError:
            if not TELLS_TRIGGERS:
                await self._ended_by_user()
            raise

    async def _ended_by_user(self) -> None:
        """Before 3.3: end the job, where nobody waits for it. Where nobody can be asked, a triggerer is going down."""
        try:
            if not await self._called(still_deferred, self.task_instance):
                await self.on_kill()
        except Exception as error:  # noqa: BLE001 - a trigger that is stopped must not count as one that failed
            self.log.warning("%s", f"[etl] job {self.handle['id']} wasn't ended: {error}")

    async def on_kill(self) -> None:
        """End the job: a user has cleared the task, or said how it ended."""
        self.log.info("[etl] ends job %s: its task was cleared or marked", self.handle["id"])
        engine = await self._called(self._engine)
        await self._called(engine.cancel, Handle.from_json(self.handle))

    async def _seen(self) -> dict[str, Any]:
        loop, every = asyncio.get_running_loop(), float(self.engine["options"].get("poll", 15.0))
        heard, engine = loop.time(), None
        while True:
            try:
                engine = engine or await self._called(self._engine)
                if await self._called(engine.status, Handle.from_json(self.handle)) == "ended":
                    return {"state": "ended"}
                heard = loop.time()
            except EtlError as error:
                if not isinstance(error, InfrastructureError) or loop.time() - heard > BLIND:
                    return {"state": "lost", "kind": error.kind, "message": str(error)}
                self.log.info("%s", f"[etl] job {self.handle['id']}: {error}")
            if self.end is not None and datetime.now(UTC) >= datetime.fromisoformat(self.end):
                return {"state": "late"}
            await asyncio.sleep(every * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 - no secret

    def _engine(self) -> Any:
        return engine_of(**self.engine)

    async def _called(self, call: Any, *arguments: Any) -> Any:
        """What a blocking call gives, from a thread of asgiref's: so a hook in it may ask Airflow for a connection."""
        try:
            asking = sync_to_async(call, thread_sensitive=False)(*arguments)
            return await asyncio.wait_for(asking, _LONGEST)
        except TimeoutError:
            raise InfrastructureError(f"no answer within {_LONGEST:g} s", where="engine") from None
