"""What a conversion from nodes to values needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from airflow_provider_etl.spec.nodes import Node, ScalarNode
from airflow_provider_etl.spec.problems import Problems

# What `${…}` becomes in a text: text, a SQL literal, a value that is bound when it is asked, or nothing because it may
# not stand there.
Mode = Literal["text", "sql", "bind", "database"] | None
# (a text's node, mode) -> the text with all substituted that is known before a window is; problems are told.
Substitute = Callable[[ScalarNode, Mode], str]
Convert = Callable[[Node, "Reading", Mode], Any]


class _Failed:
    """No value: the reason has been told."""


FAILED: Final = _Failed()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a conversion needs.

    Args:
        problems: where problems go.
        substitute: what `${…}` stands for.
    """

    problems: Problems
    substitute: Substitute
