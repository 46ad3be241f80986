"""One application from submission to report, on any engine: the same code under Airflow and on the command line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Final

from airflow_provider_etl.engines.base import Engine, Handle, Job
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
    """

    def __init__(self, engine: Engine, job: Job) -> None:
        self._engine, self._job = engine, job
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
        self._handle = self._engine.submit(self._job)
        try:
            if self._cancelled:
                self.cancel()
            with closing(self._engine.output(self._handle)) as lines:  # type: ignore[type-var]
                for line in lines:
                    say(line)
            return self._engine.report(self._handle)
        except BaseException:
            self._engine.cancel(self._handle)
            raise

    def cancel(self) -> None:
        """End it; safe in a signal handler and at any time, before it was submitted too."""
        self._cancelled = True
        if self._handle is not None:
            self._engine.cancel(self._handle)


def failure(report: Mapping[str, Any]) -> EtlError | None:
    """The error of a failed report, of the class that says whether a retry makes sense; None where it didn't fail."""
    if report.get("state") != "failed":
        return None
    error = report.get("error") or {}
    kind = _CLASSES.get(str(error.get("kind")), InfrastructureError)
    return kind(str(error.get("message") or "it failed and didn't say why"), where=str(error.get("where") or ""))
