"""What the datasets beside the way of rows alone are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from spark_jobs.privacy import read_by

if TYPE_CHECKING:
    from spark_jobs.alone.fitting import Told


def few(told: Told, kind: Any, source: str) -> bool:
    """Whether a step or check reads, beside its own rows, any of a source, by way of whichever datasets.

    Args:
        told: the pipeline, or a plan of it.
        kind: the step or check.
        source: of whose rows only a few are here.
    """
    waiting, seen = list(_read(told, kind)), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += _origins(told, name)
    return source in seen


def _origins(told: Told, name: str) -> Iterator[str]:
    """The datasets that one is made of."""
    if name in told.extract:
        yield from _read(told, told.extract[name])
    elif name in told.transform:
        yield told.transform[name].source
        for _, step in told.transform[name].steps:
            yield from _read(told, step)


def _read(told: Told, kind: Any) -> set[str]:
    return read_by(kind, [*told.extract, *told.transform])
