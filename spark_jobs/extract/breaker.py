"""The options of a circuit breaker: when a source that doesn't answer is left alone for a while."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Literal

from spark_jobs.kinds import PYDANTIC

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """When tasks stop asking a connection that doesn't answer, and when one of them tries again."""

    __pydantic_config__: ClassVar[Mapping[str, Any]] = PYDANTIC

    failures: int = field(default=5, metadata={"ge": 1, "le": 100})
    """So many failures open it: only those of the connection itself, such as a refused one; never bad data."""
    within: timedelta = field(default=timedelta(minutes=10), metadata={"ge": _SECOND, "le": _DAY})
    """The time within which they count together."""
    cool_down: timedelta = field(default=timedelta(minutes=15), metadata={"ge": _SECOND, "le": _DAY})
    """How long it stays open; then one task is let through, and what becomes of that closes it or opens it again."""
    when_open: Literal["fail", "skip"] = "fail"
    """What becomes of a task meanwhile, before Spark starts: it fails, and is tried again as `retries` says, or it is
    skipped: the window is then not loaded by a run that succeeded (docs/breaker.md)."""
