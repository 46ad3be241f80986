"""What a pipeline waits for, as it was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One item of `wait_for`.

    Args:
        name: the task is called `wait_<name>`: as the item says, else its number in the list, from 1.
        kind: name of the condition.
        condition: its options, `env` substituted, window variables left.
    """

    name: str
    kind: str
    condition: Any

    @property
    def task(self) -> str:
        """The task's id."""
        return f"wait_{self.name}"


@dataclass(frozen=True, kw_only=True)
class Awaited:
    """A pipeline that another one waits for, and where that stands.

    Args:
        name: the pipeline that is waited for.
        load: one of its loads; None for all.
        anywhere: whether a DAG that no pipeline file defines will do too.
        path, line, column, key: the place.
    """

    name: str
    load: str | None
    anywhere: bool
    path: str
    line: int
    column: int
    key: str
