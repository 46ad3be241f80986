"""The trigger of a run's watch: it looks at the tasks that load until they have ended, or the run is late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_provider_etl.compat import ended


class FreshnessTrigger(BaseTrigger):
    """Wait until tasks of a run have ended, or the time is up; which of both is for the worker to say.

    Args:
        dag_id: the DAG.
        run_id: its run.
        task_ids: the tasks.
        every: seconds between two looks.
        end: ISO 8601; when the time is up.
    """

    def __init__(self, *, dag_id: str, run_id: str, task_ids: list[str], every: float, end: str) -> None:
        super().__init__()
        self.dag_id, self.run_id, self.task_ids, self.every, self.end = dag_id, run_id, task_ids, every, end

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Plain JSON."""
        names = ("dag_id", "run_id", "task_ids", "every", "end")
        return f"{type(self).__module__}.{type(self).__qualname__}", {name: getattr(self, name) for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Look until there is nothing to wait for; one event."""
        end, look = datetime.fromisoformat(self.end), sync_to_async(ended, thread_sensitive=False)
        while not await look(self.dag_id, self.run_id, self.task_ids):
            left = (end - datetime.now(UTC)).total_seconds()
            if left <= 0:
                break
            await asyncio.sleep(min(self.every, left))
        yield TriggerEvent({})
