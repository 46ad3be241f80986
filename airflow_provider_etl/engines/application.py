"""One application from submission to report, on any engine: the same code under Airflow and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Final

from airflow_provider_etl.engines.base import Engine, Handle, Job, is_detached
from airflow_provider_etl.engines.resuming import Forgetful, Memory, begun
from spark_jobs.errors import ConfigError, DataError, EtlError, InfrastructureError, ResourceError

_CLASSES: Final[dict[str, type[EtlError]]] = {
    "config": ConfigError,
    "data": DataError,
    "resource": ResourceError,
    "infrastructure": InfrastructureError,
}


class Application:
    """A job on its engine.

    Args:
        engine: where it runs.
        job: what runs.
        memory: where the handle of a job that outlives this process is kept.
    """

    def __init__(self, engine: Engine, job: Job, memory: Memory | None = None) -> None:
        self._engine, self._job, self._memory = engine, job, memory or Forgetful()
        self._handle: Handle | None = None
        self._cancelled = False

    def run(self, say: Callable[[str], None]) -> Any:
        """Run it to its end.

        Args:
            say: takes each line of its output the moment it comes.

        Returns:
            The report as JSON, whether it loaded or failed; a list of them where the job has several plans.

        Raises:
            EtlError: it couldn't be started, or ended without a report.
        """
        handle = self.begin(say)
        with self._held(say):
            with closing(self._engine.output(handle)) as lines:  # type: ignore[type-var]
                for line in lines:
                    say(line)
            return self._engine.report(handle)

    def begin(self, say: Callable[[str], None]) -> Handle:
        """Submit it, or find what an earlier try has submitted.

        Raises:
            EtlError: it couldn't be started.
        """
        with self._held(say):
            if is_detached(self._engine):
                handle = begun(self._engine, self._job, self, say)
            else:
                handle = self._handle = self._engine.submit(self._job)
            if self._cancelled:
                self._end()
            return handle

    def lives_on(self) -> bool:
        """Whether an earlier try's job still runs by itself: this one goes on with it, and starts nothing.

        Raises:
            EtlError: its engine doesn't say.
        """
        return is_detached(self._engine) and self._engine.find(self._job.token) is not None

    def recall(self) -> Handle | None:
        """What the memory holds."""
        return self._memory.recall()

    def keep(self, handle: Handle) -> None:
        """Know the job from its first moment on: whoever interrupts us now ends it."""
        self._handle = handle
        self._memory.keep(handle)

    def cancel(self) -> None:
        """End it; safe in a signal handler and at any time, before it was submitted too."""
        self._cancelled = True
        self._end()

    @contextmanager
    def _held(self, say: Callable[[str], None]) -> Iterator[None]:
        """End the job where something goes wrong while we hold it; what went wrong is what is raised."""
        try:
            yield
        except BaseException as error:
            # Out of sight isn't out of order: a job that lives on by itself is found again by its owner's next try.
            found_again = is_detached(self._engine) and bool(self._job.owner)
            if not (found_again and isinstance(error, InfrastructureError)):
                self._let_go(say)
            raise

    def _let_go(self, say: Callable[[str], None]) -> None:
        try:
            if self._handle is None and is_detached(self._engine):  # interrupted while it was submitted
                self._handle = self._engine.find(self._job.token)
            self._end()
        except EtlError as error:
            say(f"[etl] error: the job couldn't be ended, and may still run: {error}")

    def _end(self) -> None:
        if self._handle is not None:
            self._engine.cancel(self._handle)


def failure(report: Mapping[str, Any]) -> EtlError | None:
    """The error of a failed report, of the class that says whether a retry makes sense; None where it didn't fail."""
    if report.get("state") != "failed":
        return None
    error = report.get("error") or {}
    return error_of(str(error.get("kind")), str(error.get("message") or ""), str(error.get("where") or ""))


def error_of(kind: str, message: str, where: str = "") -> EtlError:
    """An error of a kind, as a report or an event names it."""
    return _CLASSES.get(kind, InfrastructureError)(message or "it failed and didn't say why", where=where)
