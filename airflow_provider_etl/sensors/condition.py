"""What every condition has, what it is asked with, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Protocol

from spark_jobs.errors import ConfigError
from spark_jobs.window import Window

Mode = Literal["deferrable", "reschedule", "poke"]
TASK: Final = "^[A-Za-z_][A-Za-z0-9_]{0,99}$"
_SECOND: Final = timedelta(seconds=1)
_MODE: Final = (
    "Where it waits: `deferrable` in the triggerer, `reschedule` nowhere (the task is started anew for every asking), "
    "`poke` in its worker's slot. By default as `[etl] wait_mode` says: deferrable."
)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """The options that every condition takes.

    Metadata of options, beside that of spark_jobs/kinds.py: `root` is True where a text must lie under a root of the
    environment as it is (paths must too, and are made absolute); `substitute` is "bind" where a value is handed over
    beside the text; `description` says what a docstring can't.
    """

    # pydantic reads docstrings of the class itself alone: what is inherited says it here.
    every: timedelta = field(
        default=timedelta(minutes=1),
        metadata={"ge": _SECOND, "description": "How long to wait before asking again."},
    )
    timeout: timedelta = field(
        default=timedelta(days=1),
        metadata={"ge": _SECOND, "description": "How long to wait at most, counted from the first time of asking."},
    )
    on_timeout: Literal["fail", "skip"] = field(
        default="fail", metadata={"description": "What happens then: the run fails, or is skipped."}
    )
    mode: Mode | None = field(default=None, metadata={"description": _MODE})
    task: str | None = field(
        default=None,
        metadata={
            "pattern": TASK,
            "description": "The task is called wait_<task>; by default wait_<its number in the list, from 1>.",
        },
    )


@dataclass(frozen=True, kw_only=True)
class Asking:
    """With what a condition is asked once.

    Args:
        now: aware.
        window: the run's window; None where a sensor written by hand has none.
        values: what `${env.…}` and `${pipeline}` stand for, in texts whose values are bound and not pasted.
        prepared: JSON; what the condition found out on the worker before it was asked for the first time.
        memory: JSON; what the answer before this one wants to know again; None for the first.
        remembers: whether the next asking will get this answer's memory; a rescheduled task can't.
    """

    now: datetime
    window: Window | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    prepared: Any = None
    memory: Any = None
    remembers: bool = True

    def of_window(self, where: str) -> Window:
        """The window.

        Raises:
            ConfigError: there is none.
        """
        if self.window is None:
            raise ConfigError("the run has no window", where=where, expected="a data interval, or a time of its own")
        return self.window


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was found.

    Args:
        found: whether the wait is over.
        seen: what there is, in words: for the log, and for whoever has to act when the time is up.
        memory: JSON for the next asking.
    """

    found: bool
    seen: str
    memory: Any = None


class Askable(Protocol):
    """A condition: its options, and the one method that asks once."""

    @property
    def told(self) -> str:
        """What is waited for, in words."""

    def ready(self, asking: Asking, /) -> Answer:
        """Ask once; it may block, for seconds.

        Raises:
            ConfigError: it can never come true as it is written.
            Exception: it couldn't be asked; it is asked again.
        """


def span(length: timedelta) -> str:
    """A length of time in words, in its two largest units: `1 d 6 h`, `2 min`, `0 s`."""
    seconds = max(int(length.total_seconds()), 0)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts[:2]) or "0 s"
