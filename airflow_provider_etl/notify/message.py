"""What is told, and when."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

Event = Literal["failure", "retry", "success", "quarantine", "late"]


@dataclass(frozen=True, kw_only=True)
class Message:
    """What happened.

    Args:
        event: failure (a task failed for good), retry (a try failed), success, quarantine (rows were set aside), late
            (the load isn't there in time).
        pipeline: its name.
        run: the run's id.
        windows: `start/end` in UTC, as far as they are known.
        text: what happened, in words; several lines at most.
        link: where to look in the UI; empty where nothing is known.
    """

    event: Event
    pipeline: str
    run: str
    windows: tuple[str, ...]
    text: str
    link: str = ""

    @property
    def subject(self) -> str:
        """One line."""
        return f"[{self.event}] {self.pipeline}" + (f" {', '.join(self.windows)}" if self.windows else "")

    @property
    def body(self) -> str:
        """All of it as text."""
        return "\n".join(part for part in (self.subject, self.text, self.link) if part)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "windows": list(self.windows), "subject": self.subject}


class Connection(Protocol):
    """The parts of an Airflow connection that a kind may ask for."""

    host: str | None
    schema: str | None
    port: int | None
    login: str | None
    password: str | None
    extra_dejson: dict[str, Any]

    def get_hook(self) -> Any:
        """The hook of the connection's type."""


class Notifier(Protocol):
    """A kind."""

    @property
    def on(self) -> tuple[Event, ...]:
        """What is told."""

    def deliver(self, message: Message, connection: Connection) -> None:
        """Send a message."""
