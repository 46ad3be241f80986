"""The state machine of a circuit breaker: pure, its clock is an argument.

Closed, it lets everybody through and remembers failures; enough of them within a time open it. Open, it lets nobody
through until it has cooled down. Half-open, it lets one through, whose end closes it or opens it again; a probe that
nobody hears of any more gives way to another after one more cool-down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from spark_jobs.extract.breaker import Breaker

Phase = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, kw_only=True)
class State:
    """What is remembered of a connection.

    Args:
        failures: when it didn't answer, oldest first; those that may still count.
        opened: when it was opened last; None while it is closed.
        probe: who was let through since, and when; empty and None where nobody was.
        probed: when.
    """

    failures: tuple[datetime, ...] = ()
    opened: datetime | None = None
    probe: str = ""
    probed: datetime | None = None


CLOSED = State()


def phase(state: State, options: Breaker, now: datetime) -> Phase:
    """Closed, open, or half-open: cooled down, and not yet closed."""
    if state.opened is None:
        return "closed"
    return "half-open" if now >= state.opened + options.cool_down else "open"


def admit(state: State, options: Breaker, now: datetime, who: str) -> tuple[bool, State]:
    """Whether somebody may ask the connection, and what is remembered then.

    Args:
        state: what is remembered.
        options: the breaker's.
        now: aware.
        who: names the one who asks; the same for its retries.
    """
    found = phase(state, options, now)
    if found == "closed":
        return True, state
    if found == "half-open" and (not state.probe or state.probe == who or _lost(state, options, now)):
        return True, replace(state, probe=who, probed=now)
    return False, state


def failed(state: State, options: Breaker, now: datetime, who: str) -> State:
    """What is remembered after the connection didn't answer; those let through before it opened change nothing."""
    if state.opened is not None:
        return State(opened=now) if state.probe == who else state
    recent = tuple(moment for moment in state.failures if moment > now - options.within)
    failures = (*recent, now)[-options.failures :]
    return State(opened=now) if len(failures) >= options.failures else State(failures=failures)


def answered(state: State, who: str) -> State:
    """What is remembered after the connection answered: the probe closes it, others change nothing.

    A success among failures doesn't take them back: of a connection that answers every other time, they count.
    """
    return CLOSED if state.opened is not None and state.probe == who else state


def until(state: State, options: Breaker, now: datetime) -> datetime | None:
    """When somebody is let through again at the latest; None where it is closed."""
    if state.opened is None:
        return None
    cooled = state.opened + options.cool_down
    return cooled if now < cooled or state.probed is None else state.probed + options.cool_down


def _lost(state: State, options: Breaker, now: datetime) -> bool:
    return state.probed is not None and now >= state.probed + options.cool_down
