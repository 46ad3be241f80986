"""Rows that a load can't take, by what they break."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Rows that a load can't take.

    Args:
        rule: what they break: outside_window, outside_scope, null_key, null_sequence, …
        condition: Spark SQL; true for such a row, never null.
        told: what they do, in words that follow "rows": `lie outside the window …`, `have no key (id)`.
        expected: which rows are taken.
    """

    rule: str
    condition: str
    told: str
    expected: str
