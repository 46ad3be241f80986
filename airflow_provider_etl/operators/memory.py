"""Where a task keeps the handle of its job: Airflow's store of task state, from 3.3 on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from airflow_provider_etl.compat import Context, state_store
from airflow_provider_etl.engines import engine_of
from airflow_provider_etl.engines.base import Handle, is_detached
from airflow_provider_etl.operators.links import note_job
from spark_jobs.errors import EtlError

KEY: Final = "etl_job"
_MOVES_NOTHING: Final = (
    *("poll", "role", "image", "script", "spark", "service_account", "node_selector", "tolerations"),
    *("spot", "spot_nodes", "spot_tolerations", "runtime", "node_type", "driver_node_type", "libraries"),
    "subnetwork",
)


class TaskMemory:
    """The handle of a task instance's newest job; it outlives tries and clears. Without a store, names are all.

    Args:
        context: the task's.
        kind: of the engine.
        options: of the engine.
        say: takes one line of progress.
    """

    def __init__(self, context: Context, kind: str, options: Mapping[str, Any], say: Callable[[str], None]) -> None:
        self._context, self._store, self._say = context, state_store(context), say
        self._engine: dict[str, Any] = {"kind": kind, "options": dict(options)}

    def recall(self) -> Handle | None:
        """The handle; None where there is none. A job on an engine that the environment no longer names is ended."""
        found = self._store.get(KEY) if self._store is not None else None
        if not found:
            return None
        handle = Handle.from_json(found["handle"])
        if _place(found["engine"]) == _place(self._engine):
            return handle
        self._end(found["engine"], handle)
        return None

    def keep(self, handle: Handle) -> None:
        """Keep a handle, and link to the job. Where that fails it goes on all the same: it is found by its name."""
        try:
            if self._store is not None:
                self._store.set(KEY, {"engine": self._engine, "handle": handle.to_json()})
            engine = engine_of(**self._engine)
            note_job(self._context, engine.links(handle) if is_detached(engine) else {})
        except Exception as error:  # noqa: BLE001 - whatever it is, the job runs
            self._say(f"[etl] job {handle.id} couldn't be noted ({error}): a retry finds it by its name")

    def _end(self, engine: Mapping[str, Any], handle: Handle) -> None:
        try:
            elsewhere = engine_of(**engine)
            if is_detached(elsewhere) and elsewhere.status(handle) == "running":
                self._say(f"[etl] ends job {handle.id} on an engine that the environment has changed since")
                elsewhere.cancel(handle)
        except EtlError as error:
            self._say(f"[etl] job {handle.id} of an engine that the environment has changed since: {error}")


def _place(engine: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """What of an engine decides where its jobs are: not how often it is asked, nor as whom later jobs run."""
    return engine["kind"], {key: value for key, value in engine["options"].items() if key not in _MOVES_NOTHING}
