"""Why a service's job ended without a report, as far as the service says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from airflow_provider_etl.engines.base import Handle
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError, ResourceError

_MEMORY: Final = ("OutOfMemory", "exit code 137", "exitCode: 137", "out of memory")


def lost(handle: Handle, seen: tuple[str, str], *, where: str, memory: str, signs: Sequence[str]) -> EtlError:
    """The error of a job that nobody cancelled: its class says whether a retry makes sense.

    Args:
        handle: the job.
        seen: (the service's word for how it ended, what it says beside that or an empty text).
        where: the place, for the text.
        memory: the engine's option that gives a driver more memory.
        signs: what the service says where the job would fail again; in any case of letters.
    """
    word, why = seen
    told = f"job {handle.id} ended as {word}"
    if any(sign in why for sign in _MEMORY):
        return ResourceError(f"{told}: {why}", where=where, remedy=f"raise the engine's `{memory}`")
    if any(sign.lower() in why.lower() for sign in signs):
        return ConfigError(f"{told}: {why}", where=where, remedy="see what the job may do")
    return InfrastructureError(f"{told} and left no report", where=where, remedy=why or "see the job's logs")
