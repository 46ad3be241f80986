"""What the answer hangs on most: each input and figure twice (or half) as much, and what becomes of the answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from airflow_provider_etl.capacity.asking import Ask
from airflow_provider_etl.capacity.figures import Figures
from airflow_provider_etl.capacity.sizing import Sizing, sized

_TWICE: Final = ("records_per_hour", "record_bytes", "sources", "peak", "retention")
_HALF: Final = ("utilisation", "window")  # less of them is what needs more
_FIGURES: Final = ("cpu", "cpu_small", "start_cpu", "start_seconds", "memory", "stored", "storage_spare", "driver")

_FELT: Final = 1.005


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What one change does.

    Args:
        name: the input or figure.
        by: what it was multiplied by.
        cores, memory, storage: the answer's over what it was; 1 is no change.
    """

    name: str
    by: float
    cores: float
    memory: float
    storage: float

    @property
    def felt(self) -> bool:
        """Whether anything changes that one would see."""
        return max(self.cores, self.memory, self.storage) > _FELT


def effects(ask: Ask, figures: Figures) -> list[Effect]:
    """Of every input and figure: what changes cores or memory most first, then what changes storage."""
    base = sized(ask, figures)
    found = [
        Effect(
            name=name,
            by=by,
            cores=other.cores / base.cores,
            memory=other.memory / base.memory,
            storage=other.storage / base.storage,
        )
        for name, by, other in _others(ask, figures)
    ]
    return sorted(found, key=lambda effect: (-max(effect.cores, effect.memory), -effect.storage, effect.name))


def _others(ask: Ask, figures: Figures) -> Iterator[tuple[str, float, Sizing]]:
    for name, by in (*((name, 2.0) for name in _TWICE), *((name, 0.5) for name in _HALF)):
        told: dict[str, Any] = {name: getattr(ask, name) * by}
        yield name, by, sized(replace(ask, **told), figures)
    for name in _FIGURES:
        # Twice a memory may fit on no machine that was asked for: what it needs is told all the same.
        roomy = replace(ask, machine_memory=2 * ask.machine_memory)
        yield name, 2.0, sized(roomy, figures.with_value(name, 2 * figures.value(name)))
