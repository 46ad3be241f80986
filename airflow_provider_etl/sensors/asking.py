"""Conditions on their way: asked once all together, and carried as JSON from the worker to the triggerer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, cast

from airflow_provider_etl.sensors import CONDITIONS
from airflow_provider_etl.sensors.condition import Answer, Askable, Asking, Condition
from spark_jobs import kinds
from spark_jobs.errors import ConfigError, DataError, InfrastructureError
from spark_jobs.window import Window

GROUP: Final = "wait_for"
_PATIENCE: Final = 10  # times in a row that asking may fail before Airflow's own retries take over
_LONGEST: Final = 300  # characters of an error that is told


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One condition, for one window.

    Args:
        kind: its name in the pipeline file.
        condition: its options, everything of the window substituted but what is bound.
        window: None where there is none.
        values: what `${env.…}` and `${pipeline}` stand for where they are bound; no secrets, they are nobody's there.
        prepared: JSON, `Asking.prepared`.
        memory: JSON, `Asking.memory`.
        failures: how often in a row it couldn't be asked.
    """

    kind: str
    condition: Condition
    window: Window | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    prepared: Any = None
    memory: Any = None
    failures: int = 0

    @property
    def told(self) -> str:
        """What is waited for, in words; with the window, where there is one."""
        what = cast("Askable", self.condition).told
        return f"{what}, for window {self.window.key}" if self.window else what

    def to_json(self) -> dict[str, Any]:
        """As plain JSON: names of connections, never what is in them."""
        return {
            "kind": self.kind,
            "options": kinds.dump(self.condition),
            "window": self.window.to_json() if self.window else None,
            "values": dict(self.values),
            "prepared": self.prepared,
            "memory": self.memory,
            "failures": self.failures,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Ask:
        """The inverse of `to_json`."""
        kind = kinds.find(CONDITIONS, value["kind"], GROUP)
        return cls(
            kind=value["kind"],
            condition=kinds.build(kind, value["options"], value["kind"]),
            window=Window.from_json(value["window"]) if value["window"] else None,
            values=value["values"],
            prepared=value["prepared"],
            memory=value["memory"],
            failures=value["failures"],
        )

    def once(self, now: datetime, *, remembers: bool) -> tuple[Answer, Ask]:
        """Ask once.

        Args:
            now: aware.
            remembers: whether the Ask that is returned will be the next one asked.

        Returns:
            The answer, and what to ask next time.

        Raises:
            ConfigError, DataError: waiting can't help.
            InfrastructureError: it couldn't be asked too often in a row.
        """
        asking = Asking(
            now=now,
            window=self.window,
            values=self.values,
            prepared=self.prepared,
            memory=self.memory,
            remembers=remembers,
        )
        try:
            answer = cast("Askable", self.condition).ready(asking)
        except (ConfigError, DataError):
            raise
        except Exception as error:  # noqa: BLE001 - a hook's client may fail in any way; it is told, and not for ever
            return self._unanswered(error)
        return answer, replace(self, memory=answer.memory, failures=0)

    def _unanswered(self, error: Exception) -> tuple[Answer, Ask]:
        from airflow_provider_etl.compat import redacted

        told = f"{type(error).__name__}: {redacted(' '.join(str(error).split()))[:_LONGEST]}"
        if self.failures + 1 >= _PATIENCE:
            raise InfrastructureError(
                f"couldn't be asked {_PATIENCE} times in a row: {told}", where=self.told
            ) from error
        seen = f"it couldn't be asked ({told})"
        return Answer(found=False, seen=seen), replace(self, failures=self.failures + 1)


@dataclass(frozen=True, kw_only=True)
class Round:
    """What one round of asking gave.

    Args:
        open: what isn't true yet, to be asked again.
        seen: what there is of it, in words.
        met: what is true, in words.
    """

    open: tuple[Ask, ...]
    seen: str
    met: tuple[str, ...]


def ask_all(asks: Sequence[Ask], now: datetime, *, remembers: bool = True) -> Round:
    """Ask every condition once.

    Args:
        asks: one a window.
        now: aware.
        remembers: see `Ask.once`.
    """
    answers = [(ask, *ask.once(now, remembers=remembers)) for ask in asks]
    waiting = [(ask, answer, following) for ask, answer, following in answers if not answer.found]
    several = len(asks) > 1
    return Round(
        open=tuple(following for _, _, following in waiting),
        seen="; ".join(f"{_key(ask)}{answer.seen}" if several else answer.seen for ask, answer, _ in waiting[:3]),
        met=tuple(f"{ask.told}: {answer.seen}" for ask, answer, _ in answers if answer.found),
    )


def _key(ask: Ask) -> str:
    return f"{ask.window.key}: " if ask.window else ""
