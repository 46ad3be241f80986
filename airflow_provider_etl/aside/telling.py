"""Rows that were set aside, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from airflow_provider_etl.hooks.quarantine import Group

_COLUMNS: Final = ("window", "refused by", "rules", "rows", "first seen", "age", "retries", "retryable", "state")
_NUMBERS: Final = (3, 5, 6, 7)
_LONGEST: Final = 200  # characters of a raw record that `show` prints


def groups(found: Sequence[Group], now: datetime) -> Iterator[str]:
    """A table of windows and rules.

    Args:
        found: the groups.
        now: until when ages count.
    """
    rows = [_COLUMNS, *(_group(group, now) for group in found)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    for row in rows:
        cells = [
            cell.rjust(width) if place in _NUMBERS else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield ("  " + "  ".join(cells)).rstrip()


def _group(group: Group, now: datetime) -> tuple[str, ...]:
    seen = group.first_seen
    return (
        group.window.key,
        f"{group.dataset}.{group.stage}",
        ", ".join(group.rules),
        f"{group.rows:,}",
        f"{seen:%Y-%m-%d %H:%M}" if seen else "-",
        age((now - seen).total_seconds()) if seen else "-",
        str(group.retries),
        f"{group.retryable:,}",
        group.state,
    )


def age(seconds: float) -> str:
    """A span of time in its largest unit: 45s, 3m, 5h, 12d."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{max(int(seconds), 0)}s"


def rows(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Each row: where it was refused, why, and its record."""
    for row in found:
        key = row["window"]["key"]
        place = f"{row['source_file']}:{row['source_line'] or '?'}" if row["source_file"] else "no file"
        yield f"{key}  {row['dataset']}.{row['stage']}  {', '.join(row['rules'] or ())}  {row['state']}, {place}"
        yield f"    {row['message'] or '-'}"
        raw = row["raw"]
        yield f"    {_cut(raw) if raw is not None else '(no record is kept)'}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters; export has them all)"
