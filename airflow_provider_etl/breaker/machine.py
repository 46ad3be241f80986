"""The state machine of a circuit breaker: pure, its clock is an argument.

Closed, it lets everybody through and remembers failures; enough of them within a time open it. Open, it lets nobody
through until it has cooled down. Half-open, it lets one through, whose end closes it or opens it again; a probe that
nobody hears of for one more cool-down gives way to another; it closes it still, where it was only slow.

All sources of a connection share what is remembered, each with options of its own: so failures are kept for as long,
and as many, as anybody's options may count, and counted by those of the one who decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from spark_jobs.extract.breaker import Breaker

_PROBES: Final = 20
_KEPT: Final = 100  # failures, the most that `failures` may ask for
_DAY: Final = timedelta(days=1)  # the longest that `within` may be
Phase = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, kw_only=True)
class State:
    """What is remembered of a connection.

    Args:
        failures: when it didn't answer, oldest first; the last 100 of a day, whoever they count for.
        opened: when it was opened last; None while it is closed.
        probe: who was let through since, the newest; empty where nobody was.
        probed: when that was; None where nobody was.
        probes: all who were let through since, oldest first; the last 20.
    """

    failures: tuple[datetime, ...] = ()
    opened: datetime | None = None
    probe: str = ""
    probed: datetime | None = None
    probes: tuple[str, ...] = ()


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
    if found == "half-open" and state.probe == who and not _lost(state, options, now):
        return True, state  # renewed by each retry, a task that never comes so far would keep it for itself
    if found == "half-open" and (not state.probe or _lost(state, options, now)):
        before = tuple(name for name in state.probes if name != who)
        return True, replace(state, probe=who, probed=now, probes=(*before, who)[-_PROBES:])
    return False, state


def failed(state: State, options: Breaker, now: datetime, who: str) -> State:
    """What is remembered after the connection didn't answer; those let through before it opened change nothing.

    Nor does a probe that another has taken the place of: whether the connection answers now, that one finds out.
    """
    if state.opened is not None:
        return State(opened=now) if state.probe == who else state
    recent = tuple(moment for moment in state.failures if moment > now - _DAY)
    after = State(failures=(*recent, now)[-_KEPT:])
    return State(opened=now) if counted(after, options, now) >= options.failures else after


def counted(state: State, options: Breaker, now: datetime) -> int:
    """How many of the failures that are remembered count together, by these options."""
    return sum(moment > now - options.within for moment in state.failures)


def answered(state: State, who: str) -> State:
    """What is remembered after the connection answered: a probe closes it, also an older one; others do nothing.

    A success among failures doesn't take them back: of a connection that answers every other time, they count.
    """
    return CLOSED if state.opened is not None and who in (state.probe, *state.probes) else state


def until(state: State, options: Breaker, now: datetime) -> datetime | None:
    """When somebody is let through again at the latest; None where it is closed."""
    if state.opened is None:
        return None
    cooled = state.opened + options.cool_down
    return cooled if now < cooled or state.probed is None else state.probed + options.cool_down


def _lost(state: State, options: Breaker, now: datetime) -> bool:
    return state.probed is not None and now >= state.probed + options.cool_down
