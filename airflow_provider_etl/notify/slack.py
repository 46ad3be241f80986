"""A message to a Slack channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from airflow_provider_etl.notify.message import Connection, Event, Message
from spark_jobs.kinds import PYDANTIC


@dataclass(frozen=True, kw_only=True)
class Slack:
    """Post to a channel, by the hook of apache-airflow-providers-slack."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    type: Literal["slack"]
    """The kind."""
    connection: str
    """Airflow connection of type slack, with a bot's token."""
    channel: str
    """Name or id of the channel."""
    on: tuple[Event, ...] = ("failure", "late")
    """What is told."""

    def deliver(self, message: Message, connection: Connection) -> None:
        """Send it (https://api.slack.com/methods/chat.postMessage)."""
        hook = connection.get_hook()
        hook.call("chat.postMessage", json={"channel": self.channel, "text": message.body})
