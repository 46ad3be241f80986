"""An engine whose jobs a service runs: submitted once, found by name, watched, ended, and their reports fetched.

What differs from service to service is a handful of calls, which a subclass makes; whose client makes them, nobody
here knows.
"""

from __future__ import annotations

import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Literal, Self

from airflow_provider_etl.engines.application import error_of
from airflow_provider_etl.engines.base import BLIND, Handle, Job, Outcome, State
from airflow_provider_etl.engines.losses import lost
from airflow_provider_etl.engines.shelf import Shelf
from spark_jobs.errors import EtlError, InfrastructureError

RECENT: Final = timedelta(days=3)  # how far back jobs are looked for by name
_OLD: Final = RECENT / 2  # a new job is younger, one that isn't listed is older, though clocks differ by a day
_MOST: Final = 1000  # jobs of one token
_TRIES: Final = 5  # times that a job is submitted whose answer got lost or was refused for a while
_FIRST, _LONGEST = 1.0, 20.0  # seconds between two of them
_SIGNAL: Final = 4.0  # seconds that a cancel may take in a signal handler; Airflow's supervisor gives a task 5


class ServiceEngine(ABC):
    """Jobs of a service.

    Args:
        options: `poll` (seconds between two looks), and what the service itself needs.
        shelf: through what plan, code, report and secrets go.
    """

    detached: Literal[True] = True
    kind: ClassVar[str]
    errors: ClassVar[tuple[type[Exception], ...]]
    """What the client raises."""
    words: ClassVar[Mapping[str, Outcome]]
    """The service's words for how a job stands; those that aren't here mean that it runs."""
    ending: ClassVar[frozenset[str]] = frozenset()
    """Those of them at which something of the job may still run."""
    config_signs: ClassVar[Sequence[str]] = ("denied",)
    """What the service says where a job that left no report would fail again; in any case of letters."""
    memory_option: ClassVar[str] = "memory"
    """The engine's option that gives a driver more memory."""

    def __init__(self, options: Mapping[str, Any], shelf: Shelf) -> None:
        self._options, self._shelf = options, shelf
        self._asked: set[str] = set()

    @classmethod
    @abstractmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """An engine whose client is made by the Airflow connection that the options name, when it is needed first."""

    # -- what a service does --------------------------------------------------------------------------------------

    @abstractmethod
    def _client(self, *, once: bool = False) -> Any:
        """The service's client; `once`: one that repeats no call by itself."""

    @abstractmethod
    def _told(self, error: Exception) -> EtlError:
        """An error of the client as one of ours: its class says whether a retry makes sense."""

    @abstractmethod
    def _is_missing(self, error: Exception) -> bool:
        """Whether the client says that there is no such thing."""

    @abstractmethod
    def _start(self, client: Any, name: str, job: Job, secret: str) -> str:
        """Submit a job; its id."""

    @abstractmethod
    def _listed(self, client: Any) -> Iterator[tuple[str, str]]:
        """(name, id) of the jobs of the last days, newest first."""

    def _listed_for(self, client: Any, prefix: str) -> Iterator[tuple[str, str]]:  # noqa: ARG002
        """Likewise, where the service can look for names that begin so; others may be among them."""
        return self._listed(client)

    @abstractmethod
    def _state(self, client: Any, handle: Handle) -> tuple[str, str]:
        """(the service's word for how a job stands, why)."""

    def _began(self, client: Any, handle: Handle) -> datetime | None:  # noqa: ARG002 - subclasses ask
        """When the service took a job; None where it never answers a submission with a job of days ago."""
        return None

    @abstractmethod
    def _end(self, client: Any, handle: Handle, *, force: bool) -> None:
        """End a job."""

    @abstractmethod
    def links(self, handle: Handle) -> Mapping[str, str]:
        """Addresses for people."""

    # -- the protocol ---------------------------------------------------------------------------------------------

    def submit(self, job: Job) -> Handle:
        """Submit a job; one whose token is running already is returned, not submitted again.

        An answer that got lost is no reason for a second job: before it is submitted again it is looked for by name.

        Raises:
            ConfigError: the service refuses it.
            InfrastructureError: the service doesn't answer.
        """
        known = self.jobs(job)
        mine = [handle for handle in known if handle.token == job.key]
        if running := next((handle for handle in mine if self.status(handle) == "running"), None):
            return running
        for handle in known:  # ended before, as far as the service knows; of a step it knows the submitter alone
            self._shelf.withdraw(handle.name)
        self._shelf.forget_all(job.family)
        first = max((handle.ordinal for handle in mine), default=0) + 1
        for number in range(first, first + _MOST):
            if made := self._anew(job, job.name(number)):
                return made
        raise InfrastructureError(f"it answers with jobs of days ago, {_MOST} times", where=f"engine {self.kind}")

    def _anew(self, job: Job, name: str) -> Handle | None:
        """A new job of a name; None where one had it that the service lists no more.

        Its token may be known for longer than it is listed: then the submission is answered with that older job.
        """
        if self._shelf.ended(name):
            return None
        self._shelf.put_plan(name, job)
        secret = self._shelf.hand_over(name, job.connections)
        handle = self._submitted(job, name, secret)
        if not self._is_old(handle):
            return handle
        self._shelf.forget(name)
        return None

    def _is_old(self, handle: Handle) -> bool:
        """Whether a job that answers a submission has ended before that was made; one that runs is gone on with."""
        try:
            began = self._began(self._client(), handle)
        except self.errors as error:
            raise self._ours(error) from None
        return began is not None and datetime.now(UTC) - began > _OLD and self.status(handle) == "ended"

    def _submitted(self, job: Job, name: str, secret: str) -> Handle:
        pause = _FIRST
        for again in range(_TRIES):
            try:
                if again and (found := self._named(job, name)):
                    return found
                return Handle(token=job.key, id=self._started(name, job, secret), name=name)
            except EtlError as failed:
                if not isinstance(failed, InfrastructureError) or again == _TRIES - 1:
                    self._shelf.forget(name)
                    raise
                time.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                pause = min(pause * 2, _LONGEST)
        raise AssertionError("the last try raises")

    def _started(self, name: str, job: Job, secret: str) -> str:
        try:
            return self._start(self._client(once=True), name, job, secret)
        except self.errors as error:
            raise self._ours(error) from None

    def _named(self, job: Job, name: str) -> Handle | None:
        return next((handle for handle in self.jobs(job) if handle.name == name), None)

    def find(self, token: str) -> Handle | None:
        """The running job of a token."""
        found = [handle for handle in self._handles("etl-") if handle.token == token[: len(handle.token)]]
        return next((handle for handle in found if self.status(handle) == "running"), None)

    def jobs(self, job: Job) -> Sequence[Handle]:
        """The jobs of the same owner, newest first.

        Raises:
            EtlError: the service doesn't say.
        """
        return self._handles(job.family)

    def _handles(self, prefix: str) -> Sequence[Handle]:
        try:
            named = [item for item in self._listed_for(self._client(), prefix) if item[0].startswith(prefix)]
        except self.errors as error:
            if self._is_missing(error):
                return []
            raise self._ours(error) from None
        return [Handle(token=name.split("-")[-2], id=found, name=name) for name, found in named if name.count("-") == 3]

    def status(self, handle: Handle) -> State:
        """Whether the job still runs."""
        return "running" if self.outcome(handle) == "running" else "ended"

    def outcome(self, handle: Handle) -> Outcome:
        """How the job stands."""
        return self.words.get(self._seen(handle)[0], "running")

    def gone(self, handle: Handle) -> bool:
        """Whether nothing of the job runs any more."""
        word = self._seen(handle)[0]
        return word in self.words and word not in self.ending

    def _seen(self, handle: Handle) -> tuple[str, str]:
        try:
            return self._state(self._client(), handle)
        except self.errors as error:
            raise self._ours(error) from None

    def output(self, handle: Handle) -> Iterator[str]:
        """A line for each change of the job's state, until it has ended.

        Raises:
            InfrastructureError: the service has not answered for ten minutes; the job goes on.
        """
        before, heard = "", time.monotonic()
        while True:
            try:
                word, why = self._seen(handle)
            except InfrastructureError as error:
                if time.monotonic() - heard > BLIND:
                    raise
                word, why = "not answered", error.what
            else:
                heard = time.monotonic()
            if word != before:
                yield f"[etl] job {handle.id}: {word}{f', {why}' if why else ''}"
            before = word
            if word in self.words:
                return
            time.sleep(float(self._options.get("poll", 15.0)))

    def cancel(self, handle: Handle) -> None:
        """End the job; a second call by force. Nothing happens where it has ended. Safe in a signal handler."""
        force = handle.id in self._asked
        self._asked.add(handle.id)
        failed: list[Exception] = []
        # In a thread: whom the signal interrupts may hold a lock of the client.
        work = threading.Thread(target=self._cancelled, args=(handle, force, failed), daemon=True, name="cancel")
        work.start()
        work.join(_SIGNAL)
        if failed:
            raise self._ours(failed[0]) from None

    def _cancelled(self, handle: Handle, force: bool, failed: list[Exception]) -> None:
        try:
            if self._may_run(handle, force):
                try:
                    self._end(self._client(), handle, force=force)
                finally:  # where the service ends nothing, a job that has begun ends itself by it
                    self._shelf.withdraw(handle.name)
            self._shelf.forget(handle.name)
        except Exception as error:  # noqa: BLE001 - told by whoever waits for this thread
            failed.append(error)

    def _may_run(self, handle: Handle, force: bool) -> bool:
        """Whether there is something to end; where nobody can say, it is ended: one that has ended takes no harm."""
        try:
            return self.outcome(handle) == "running" or (force and not self.gone(handle))
        except InfrastructureError:
            return True

    def report(self, handle: Handle) -> Any:
        """The report that the job left. It stays where it is, since a try that dies now will ask for it again.

        Raises:
            EtlError: it left none; the class and the text say why.
        """
        try:
            report = self.left(handle)
            self._shelf.forget(handle.name)
        except InfrastructureError as error:
            raise self._cancellation(handle) or error from None
        if report is None:
            raise self._lost(handle)
        if isinstance(report, Mapping) and "refused" in report:
            refused = error_of(report.get("kind", "config"), str(report["refused"]), self._shelf.job(handle.name))
            # Whoever cancels a job takes its secret away: one that begins at that moment doesn't find it.
            raise self._cancellation(handle) or refused
        return report

    def left(self, handle: Handle) -> Any:
        """What the job left where its report is expected; None where it left nothing."""
        return self._shelf.report(handle.name)

    def plan(self, handle: Handle) -> Any:
        """The plan that the job was submitted with."""
        return self._shelf.plan(handle.name)

    def _ours(self, error: Exception) -> EtlError:
        return error if isinstance(error, EtlError) else self._told(error)

    def _cancellation(self, handle: Handle) -> EtlError | None:
        """The error of a job that was cancelled; None where it wasn't."""
        if self.outcome(handle) != "cancelled":
            return None
        return InfrastructureError(f"job {handle.id} was cancelled", where=f"engine {self.kind}")

    def _lost(self, handle: Handle) -> EtlError:
        """Why a job ended without a report."""
        if error := self._cancellation(handle):
            return error
        seen = self._seen(handle)
        return lost(handle, seen, where=f"engine {self.kind}", memory=self.memory_option, signs=self.config_signs)
