"""A message by e-mail."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from airflow_provider_etl.notify.message import Connection, Event, Message
from spark_jobs.kinds import PYDANTIC


@dataclass(frozen=True, kw_only=True)
class Email:
    """Send an e-mail, by the hook of apache-airflow-providers-smtp."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    type: Literal["email"]
    """The kind."""
    to: tuple[str, ...] = field(metadata={"min_length": 1})
    """Addresses."""
    connection: str = "smtp_default"
    """Airflow connection of type smtp; its extra's `from_email` is the sender."""
    on: tuple[Event, ...] = ("failure", "late")
    """What is told."""

    def deliver(self, message: Message, connection: Connection) -> None:
        """Send it."""
        with connection.get_hook() as hook:
            text = f"<pre>{html.escape(message.body)}</pre>"
            hook.send_email_smtp(to=list(self.to), subject=message.subject, html_content=text)
