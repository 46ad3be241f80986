"""What an engine is: where Spark runs a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Protocol, TypeGuard

from spark_jobs.connections import Connections

State = Literal["running", "ended"]
Outcome = Literal["running", "succeeded", "failed", "cancelled"]
BLIND: Final = 600.0  # seconds for which a service may not answer; the job goes on meanwhile
_SHORT: Final = 24  # digits of a digest in a job's name
_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_LETTERS: Final = int("a0", 36) - 100  # from 100 on a number is two digits of that base, the first a letter


@dataclass(frozen=True, kw_only=True)
class Job:
    """One application to run.

    Args:
        token: the same for every try of one generation of one task, so that a job whose submission got lost is found.
        plan: the plan as JSON (`spark_jobs.plan`); or several, that one Spark runs one after the other.
        connections: those that the plan names. They reach Spark beside it; what it says comes without their secrets.
        owner: the task instance as a digest: jobs of all its generations have the same. Empty: of no task.
    """

    token: str
    plan: Mapping[str, Any] | Sequence[Mapping[str, Any]]
    connections: Connections = field(default_factory=Connections, repr=False)
    owner: str = ""

    @property
    def key(self) -> str:
        """The token as it stands in names."""
        return self.token[:_SHORT]

    @property
    def family(self) -> str:
        """What the names of all jobs of the owner begin with; without an owner only this token's do."""
        return f"etl-{self.owner[:_SHORT] or self.key}-"

    def name(self, ordinal: int) -> str:
        """What the job is called that is the token's first, its second and so on.

        At most 56 characters up to the 1035th: Kubernetes and its operators append seven, and take no more than 63.
        """
        first, last = divmod(ordinal + _LETTERS, 36)
        short = ordinal >= 100 and first < 36
        return f"{self.family}{self.key}-{_DIGITS[first] + _DIGITS[last] if short else ordinal}"

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
        name: of a job that outlives its task: what it is called where it runs, and where its files are.
    """

    token: str
    id: str
    name: str = ""

    def to_json(self) -> dict[str, str]:
        """As JSON: enough for another process to go on with the job."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, str]) -> Handle:
        """The inverse of `to_json`."""
        return cls(token=value["token"], id=value["id"], name=value["name"])

    @property
    def ordinal(self) -> int:
        """Which of its token's jobs it is, from 1; 0 where its name doesn't say."""
        last = self.name.rpartition("-")[2]
        if last.isdecimal():
            return int(last)
        return int(last, 36) - _LETTERS if len(last) == 2 and last.isascii() and last.isalnum() else 0


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


class Detached(Engine, Protocol):
    """An engine whose jobs live on without the process that submitted them.

    A job is called `etl-OWNER-TOKEN-N`, so that whoever lost its handle finds it. Any process that has made an engine
    of the same options may ask for a handle's status, output, report and end.
    """

    detached: Literal[True]

    def jobs(self, job: Job) -> Sequence[Handle]:
        """The jobs of the same owner, whatever their token and whether or not they have ended, newest first."""

    def outcome(self, handle: Handle) -> Outcome:
        """How the job stands; one that is being cancelled is `cancelled`."""

    def gone(self, handle: Handle) -> bool:
        """Whether nothing of the job runs any more; one that is being cancelled may still write."""

    def left(self, handle: Handle) -> Any:
        """What a job that has ended left in place of a report (JSON); None where it left nothing.

        Raises:
            EtlError: nobody can say.
        """

    def plan(self, handle: Handle) -> Any:
        """The plan, or the plans, that the job was submitted with (JSON)."""

    def links(self, handle: Handle) -> Mapping[str, str]:
        """Addresses for people, by what the UI calls them."""


def is_detached(engine: Engine) -> TypeGuard[Detached]:
    """Whether an engine's jobs outlive the task."""
    return bool(getattr(engine, "detached", False))
