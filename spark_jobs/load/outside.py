"""Rows that a load can't take, by what they break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Rows that a load can't take.

    Args:
        rule: what they break: outside_window, outside_scope.
        condition: Spark SQL; true for such a row, never null.
        what: what they lie outside of, in words.
    """

    rule: str
    condition: str
    what: str
