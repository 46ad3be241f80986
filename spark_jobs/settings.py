"""Settings of a session that hold for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass
class _Held:
    """A setting that somebody has changed.

    Args:
        before: what it was, None where nobody had set it.
        values: what it is to be, by those who still want it: the last one's holds.
    """

    before: str | None
    values: dict[object, str] = field(default_factory=dict)


_lock: Final = threading.RLock()
_held: Final[dict[tuple[int, str], _Held]] = {}


@contextmanager
def changed(spark: SparkSession, key: str, value: str) -> Iterator[None]:
    """Have a setting hold within the block; once nobody is in such a block any more, it is what it was.

    Args:
        spark: a session; where several threads use it, the setting holds for all of them.
        key: the setting's name.
        value: as Spark's settings are written.
    """
    place, mine = (id(spark), key), object()
    with _lock:
        held = _held.get(place) or _Held(spark.conf.get(key, None))
        spark.conf.set(key, value)
        held.values[mine] = value
        _held[place] = held
    try:
        yield
    finally:
        with _lock:
            del held.values[mine]
            if not held.values:
                del _held[place]
            after = list(held.values.values())[-1] if held.values else held.before
            spark.conf.unset(key) if after is None else spark.conf.set(key, after)


def own(spark: SparkSession, key: str) -> str | None:
    """A setting as it is but for `changed`: the user's own, or None where nobody has set it."""
    with _lock:
        held = _held.get((id(spark), key))
        return held.before if held is not None else spark.conf.get(key, None)
