"""Kinds in a few words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from airflow_provider_etl.starter.values import flow
from spark_jobs import kinds
from spark_jobs.lookback import column_of

WIDTH: Final = 100
_LONGEST: Final = 200


def wrapped(text: str, first: str, more: str) -> Iterator[str]:
    """A text in lines of at most WIDTH characters.

    Args:
        text: the text.
        first: what the first line begins with.
        more: what the others begin with.
    """
    yield from textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )


def source(kind: Any, lookback: timedelta | None) -> str:
    """A source: kind, format, place, which rows belong to a window, and how far before it they are read."""
    rows = getattr(kind, "window", None)
    column = getattr(rows, "column", None)
    more = f" and the {flow(lookback)} before it" if lookback and column_of(kind) else ""
    belong = f"rows of the window{more} by {column}" if column else "all of it for every window"
    if kinds.reads_datasets(kind):
        return f"{kind.type} {' '.join(kind.query.split())}" + (f", {belong}" if column else "")
    place = getattr(kind, "path", None) or getattr(kind, "told", "")
    what = f"{kind.type} {getattr(kind, 'format', '')}".strip()
    return (
        f"{what} {place}, {belong if rows else 'one query a window' if hasattr(kind, 'query') else 'one path a window'}"
    )


def option(name: str, kind: Any) -> str:
    """A step or check with its options, shortened."""
    options = kinds.dump(kind)
    short = getattr(kind, "shorthand", None)
    only = options.get(short) if isinstance(options, Mapping) and set(options) == {short} else None
    text = flow(options if only is None else only)
    if isinstance(only, str):
        text = only
    text = " ".join(text.split())
    return f"{name} {text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}".removesuffix(" {}")


def load(name: str, kind: Any) -> str:
    """A load: where the rows go, and how."""
    place = getattr(kind, "path", None) or getattr(kind, "place", "")
    return f"{name}: {kind.type} {place} by {kind.write.strategy}"
