"""A driver on a standalone cluster: it outlives the task that has sent it, and any process may take it up again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Self

from airflow_provider_etl.engines import arguments, shared
from airflow_provider_etl.engines.base import Handle, Job, State
from airflow_provider_etl.engines.parcel import parcel
from airflow_provider_etl.engines.rest import UNKNOWN, Rest
from airflow_provider_etl.engines.target import Target
from spark_jobs import remote
from spark_jobs.errors import ConfigError, EtlError, InfrastructureError

_WHERE: Final = "engine spark_submit"
_LOOK: Final = 1.0  # seconds between two questions
_PATIENCE: Final = 120.0  # seconds for a master that is being restarted
_ENDED: Final = ("FINISHED", "KILLED", "FAILED", "ERROR", UNKNOWN)
_LATE: Final = 30.0  # seconds until we see what another machine has written: NFS keeps its lists that long
_LAST: Final = 15  # lines told of a driver that ended without a report
_BY_ITSELF: Final = ("FINISHED", "FAILED")
_LAUNCH: Final = (
    "spark.driver.memory",
    "spark.driver.cores",
    "spark.driver.extraJavaOptions",
    "spark.driver.extraClassPath",
)


class ClusterEngine:
    """Drivers on a standalone cluster.

    Args:
        target: where they are sent.
    """

    def __init__(self, target: Target) -> None:
        self._target, self._rest = target, Rest(target)
        self._jobs = str(target.jobs)

    @classmethod
    def of(cls, handle: Handle) -> Self:
        """The engine that a handle is of, in whichever process.

        Raises:
            ConfigError: it is of no driver on a cluster.
        """
        try:
            return cls(Target(**json.loads(handle.id)["target"]))
        except (ValueError, TypeError, KeyError):
            raise ConfigError(f"{handle.id!r} is no driver on a cluster", where=_WHERE) from None

    def submit(self, job: Job) -> Handle:
        """Send a driver; one that runs already for the token is returned, or that has ended well with nobody there.

        Raises:
            InfrastructureError: the master doesn't answer, or another process submits the job at this moment.
        """
        if found := self.find(job.token) or self._left(job.token):
            return found
        folder = shared.place(str(shared.root(self._jobs)), job.token)
        shared.sweep(self._jobs)
        shared.laid_out(folder, job)
        try:
            driver = self._sent(job, folder)
        except BaseException as error:
            begun = self._begun(folder)
            if begun is None or not isinstance(error, InfrastructureError):
                raise
            driver = begun
        shared.note(folder, driver)
        return self._handle(job.token, driver)

    def _begun(self, folder: Path) -> str | None:
        """The driver that has begun although its submission failed; None where there is none, nor ever will be."""
        if shared.withhold(folder, ""):
            shutil.rmtree(folder, ignore_errors=True)
            return None
        return shared.driver_of(folder)

    def _sent(self, job: Job, folder: Path) -> str:
        plan = job.plans[0]
        conf = arguments.settings(plan["spark"], self._target, "/tmp")  # noqa: S108 - of the driver's machine
        arguments.write_properties(folder / "spark.conf", conf)
        name = arguments.name_of(plan, job.token)
        made = parcel(Path(self._jobs, "_parcels"), "remote")
        told = arguments.arguments(self._target, name, folder / "spark.conf", made, conf)
        launch: dict[str, str] = {key: conf[key] for key in _LAUNCH if key in conf}
        launch |= {"spark.app.name": name, "spark.master": self._target.master, "spark.submit.deployMode": "cluster"}
        return self._rest.create([*told, "--folder", str(folder)], launch)

    def _handle(self, token: str, driver: str) -> Handle:
        return Handle(token=token, id=json.dumps({"driver": driver, "target": asdict(self._target)}, sort_keys=True))

    def find(self, token: str) -> Handle | None:
        """The running job of a token, whoever has submitted it."""
        folder = shared.place(self._jobs, token)
        driver = shared.driver_of(folder)
        if driver is None or shared.is_cancelled(folder) or shared.report_in(folder) is not None:
            return None
        return None if self._rest.state(driver) in _ENDED else self._handle(token, driver)

    def _left(self, token: str) -> Handle | None:
        """A job that has ended well, and whose report nobody has taken: who had submitted it was gone."""
        folder = shared.place(self._jobs, token)
        driver, report = shared.driver_of(folder), shared.report_in(folder)
        if driver is None or report is None or shared.is_cancelled(folder):
            return None
        last = report[-1] if isinstance(report, list) else report
        return None if last.get("state") == "failed" else self._handle(token, driver)

    def status(self, handle: Handle) -> State:
        """Whether the job still runs.

        Raises:
            InfrastructureError: the master doesn't answer.
        """
        folder = shared.place(self._jobs, handle.token)
        return "ended" if shared.report_in(folder) is not None or self._state(handle) in _ENDED else "running"

    def _state(self, handle: Handle) -> str:
        driver = self._driver(handle)
        state = self._rest.state(driver)
        # Another one may have claimed the job meanwhile: this one has ended for that.
        return state if self._driver(handle) == driver else self._rest.state(self._driver(handle))

    def _driver(self, handle: Handle) -> str:
        found = shared.driver_of(shared.place(self._jobs, handle.token))
        return found or str(json.loads(handle.id)["driver"])

    def output(self, handle: Handle) -> Iterator[str]:
        """The driver's lines as they come, and what becomes of it; ends when the job ends.

        Raises:
            InfrastructureError: the master hasn't answered for two minutes.
        """
        folder, read, said, deadline = shared.place(self._jobs, handle.token), 0, "", time.monotonic() + _PATIENCE
        while True:
            try:
                state = self._state(handle)
            except InfrastructureError:
                if time.monotonic() > deadline:
                    raise
                state = said
            else:
                deadline = time.monotonic() + _PATIENCE
            if state != said:
                yield f"[etl] {self._driver(handle)} is {state}"
            said, over = state, shared.report_in(folder) is not None or state in _ENDED
            lines, read = _lines(folder / remote.OUTPUT, read)
            yield from lines
            if over:
                return
            time.sleep(_LOOK)

    def cancel(self, handle: Handle) -> None:
        """Kill the driver: the worker tells it to end, and ends it by force ten seconds later.

        Raises:
            InfrastructureError: no master takes it; a driver that runs goes on, and is found by its token.
        """
        folder = shared.place(self._jobs, handle.token)
        shared.disarm(folder, self._driver(handle))
        driver = self._driver(handle)  # asked again: one whose submission was lost may have been quicker
        try:
            self._rest.kill(driver)
        except InfrastructureError:
            self._rest.kill(driver)  # once more: a driver that goes on unseen is worth a second try
        shared.note_cancelled(folder)

    def report(self, handle: Handle) -> Any:
        """The report, or the reports; then the job's folder goes.

        Raises:
            EtlError: the driver left none; the class and the text say why.
        """
        folder = shared.place(self._jobs, handle.token)
        found = self._awaited(handle, folder)
        if found is None:
            error = self._died(handle, folder)
        shutil.rmtree(folder, ignore_errors=True)
        if found is None:
            raise error
        return found

    def _awaited(self, handle: Handle, folder: Path) -> Any:
        """The report; where a driver that had begun ended by itself, its folder may show us that a moment later."""
        deadline = time.monotonic() + _LATE
        while (found := shared.report_in(folder)) is None and time.monotonic() < deadline:
            names = {path.name for path in folder.iterdir()} if folder.exists() else set()  # which makes NFS look anew
            if remote.CLAIM not in names or shared.is_cancelled(folder) or self._state(handle) not in _BY_ITSELF:
                break
            time.sleep(_LOOK)
        return found

    def _died(self, handle: Handle, folder: Path) -> EtlError:
        driver, state = self._driver(handle), self._state(handle)
        last = _lines(folder / remote.OUTPUT, 0)[0][-_LAST:]
        if state == "KILLED" or shared.is_cancelled(folder):
            return InfrastructureError(f"Spark was cancelled: {driver} is {state}", where=_WHERE)
        if last and last[-1].startswith("[etl] error: "):
            return ConfigError(last[-1], where=_WHERE)
        said = "; it said last:\n" + "\n".join(last) if last else ""
        return InfrastructureError(
            f"{driver} ended as {state} and left no report{said}",
            where=_WHERE,
            remedy=f"its log is in its worker's work folder; as our user it must see {folder.parent} and the jars",
        )


def _lines(path: Path, start: int) -> tuple[list[str], int]:
    """The whole lines of a file from an offset on, and the offset behind them."""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(start)
        whole = file.read().rpartition(b"\n")
        text = (whole[0] + whole[1]).decode("utf-8", errors="replace")
        return text.splitlines(), start + len(whole[0]) + len(whole[1])
    return [], start
