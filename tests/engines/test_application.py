"""Given an engine whose jobs outlive their task, when a try is interrupted or loses its sight, then no job is doubled
and none goes on that nobody asks for again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import pytest

from airflow_provider_etl.engines.application import Application
from airflow_provider_etl.engines.base import Handle, Job, Outcome, State
from spark_jobs.errors import EtlError, InfrastructureError

AWAY = InfrastructureError("away", where="engine far")


class Far:
    """A service in memory: jobs by id, and what goes wrong when."""

    detached: Literal[True] = True

    def __init__(self) -> None:
        self.states: dict[str, Outcome] = {}
        self.handles: list[Handle] = []
        self.reports: dict[str, Any] = {}
        self.fails: dict[str, BaseException] = {}

    def _go(self, step: str) -> None:
        if step in self.fails:
            raise self.fails[step]

    def submit(self, job: Job) -> Handle:
        handle = Handle(token=job.key, id=str(len(self.handles) + 1), name=f"{job.family}{job.key}-{len(self.handles)}")
        self.handles.insert(0, handle)
        self.states[handle.id] = "running"
        self._go("submit")
        return handle

    def jobs(self, job: Job) -> Sequence[Handle]:
        return [handle for handle in self.handles if handle.name.startswith(job.family)]

    def find(self, token: str) -> Handle | None:
        found = [handle for handle in self.handles if handle.token == token[: len(handle.token)]]
        return next((handle for handle in found if self.states[handle.id] == "running"), None)

    def status(self, handle: Handle) -> State:
        return "running" if self.states[handle.id] == "running" else "ended"

    def outcome(self, handle: Handle) -> Outcome:
        return self.states[handle.id]

    def gone(self, handle: Handle) -> bool:
        return self.states[handle.id] != "running"

    def output(self, handle: Handle) -> Iterator[str]:
        yield f"job {handle.id}"
        self._go("output")

    def cancel(self, handle: Handle) -> None:
        self._go("cancel")
        if self.states[handle.id] == "running":
            self.states[handle.id] = "cancelled"

    def left(self, handle: Handle) -> Any:
        self._go("left")
        return self.reports.get(handle.id)

    def report(self, handle: Handle) -> Any:
        return self.left(handle)

    def plan(self, _handle: Handle) -> Any:
        return {}

    def links(self, _handle: Handle) -> dict[str, str]:
        return {}


def run(engine: Far, owner: str = "o" * 64) -> list[str]:
    said: list[str] = []
    Application(engine, Job(token="t" * 64, plan={}, owner=owner)).run(said.append)
    return said


@pytest.mark.parametrize("when", ["submit", "output"])
def test_an_interrupt_ends_the_job_whenever_it_comes(when: str) -> None:
    engine = Far()
    engine.fails[when] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(engine)
    assert engine.states == {"1": "cancelled"}


def test_an_interrupt_stays_one_where_the_job_cant_be_ended() -> None:
    engine, said = Far(), list[str]()
    engine.fails = {"output": KeyboardInterrupt(), "cancel": AWAY}
    with pytest.raises(KeyboardInterrupt):
        Application(engine, Job(token="t" * 64, plan={}, owner="o" * 64)).run(said.append)
    assert said[-1] == "[etl] error: the job couldn't be ended, and may still run: engine far: away"


@pytest.mark.parametrize(("owner", "state"), [("o" * 64, "running"), ("", "cancelled")])
def test_a_job_out_of_sight_goes_on_only_where_a_retry_finds_it(owner: str, state: str) -> None:
    engine = Far()
    engine.fails["output"] = AWAY
    with pytest.raises(InfrastructureError):
        run(engine, owner)
    assert engine.states == {"1": state}


def test_a_job_that_has_loaded_isnt_run_again_because_its_report_cant_be_read_now() -> None:
    engine = Far()
    run(engine)
    engine.states["1"], engine.reports["1"] = "succeeded", {"state": "loaded"}
    engine.fails["left"] = AWAY
    with pytest.raises(EtlError):
        run(engine)
    engine.fails.clear()
    assert "goes on with job 1" in run(engine)[0]
    assert list(engine.states) == ["1"]


@pytest.mark.parametrize("left", [None, {"refused": "no plan"}, {"state": "failed"}, [{"state": "failed"}]])
def test_a_job_that_left_nothing_good_is_run_again(left: Any) -> None:
    engine = Far()
    run(engine)
    engine.states["1"], engine.reports["1"] = "succeeded", left
    run(engine)
    assert list(engine.states) == ["1", "2"]


def test_whoever_asks_is_told_whether_an_earlier_job_still_runs() -> None:
    engine, job = Far(), Job(token="t" * 64, plan={}, owner="o" * 64)
    assert not Application(engine, job).lives_on()
    engine.submit(job)
    assert Application(engine, job).lives_on()
