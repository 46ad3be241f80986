"""What an engine is: where Spark runs a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from spark_jobs.connections import Connections

State = Literal["running", "ended"]


@dataclass(frozen=True, kw_only=True)
class Job:
    """One application to run.

    Args:
        token: the same for every try of one generation of one task, so that a job whose submission got lost is found.
        plan: the plan as JSON (`spark_jobs.plan`); or several, that one Spark runs one after the other.
        connections: those that the plan names. They reach Spark beside it; what it says comes without their secrets.
    """

    token: str
    plan: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    connections: Connections = field(default_factory=Connections, repr=False)

    @property
    def plans(self) -> Sequence[Mapping[str, Any]]:
        """The plans, one or several."""
        return [self.plan] if isinstance(self.plan, Mapping) else self.plan


@dataclass(frozen=True, kw_only=True)
class Handle:
    """A submitted job.

    Args:
        token: the job's token.
        id: the engine's own name of the job: a process id, a step id, …
    """

    token: str
    id: str


class Engine(Protocol):
    """Where Spark runs.

    The errors of all methods are those of `spark_jobs.errors`: their class decides whether a retry makes sense.
    """

    def submit(self, job: Job) -> Handle:
        """Start a job; one whose token is running already is returned, not started again."""

    def find(self, token: str) -> Handle | None:
        """The running job of a token, None where there is none."""

    def status(self, handle: Handle) -> State:
        """Whether the job still runs."""

    def output(self, handle: Handle) -> Iterator[str]:
        """The job's lines while it runs; ends when the job ends."""

    def cancel(self, handle: Handle) -> None:
        """End the job, whatever it does; a second call ends it by force. Nothing happens where it has ended."""

    def report(self, handle: Handle) -> Any:
        """The report (JSON) of a job that has ended, loaded or failed; a list of them where the job had several plans.

        Afterwards the engine forgets it.

        Raises:
            EtlError: it ended without one.
        """
