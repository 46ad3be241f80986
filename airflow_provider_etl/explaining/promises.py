"""Each load's promise in words: what a repeat, another order and a crash do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from airflow_provider_etl.explaining.words import wrapped
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.starter.values import flow
from spark_jobs import kinds

# What differs between strategies; one that isn't here says its own `promise`.
_REPEAT: Final = {
    "replace_window": "the window's rows are replaced by what its source says now; rows of other windows stay",
    "append": "the rows that this pipeline loaded for the window are replaced; all others stay",
    "snapshot": "the table is replaced by what the source says now, unless a newer window was loaded meanwhile",
}
_ORDER: Final = {
    "replace_window": "none counts: no two windows share a row, so any order, or several at once, end alike",
    "append": "none counts: each window has rows of its own; one that cuts through a loaded window is refused",
    "snapshot": "the newest window wins; an older one that runs later is superseded and changes nothing",
}
_CRASH: Final = (
    "nothing is published but by one commit, which also records the window: killed before it, the table is as it was; "
    "killed after it, the next try finds its own commit and is done"
)
_SCOPE: Final = "{scope}: only such rows are this pipeline's; what others load into the table is never touched"
_REFUSED: Final = "rows that break the contract or a check with on_fail: quarantine are in {place}, with the reason"


def told(pipeline: Pipeline) -> Iterator[str]:
    """The promises, line by line."""
    yield "loads, and why any window may run at any time, in any order, any number of times"
    for name, (_, kind) in pipeline.load.items():
        write = kind.write
        options = {key: value for key, value in kinds.dump(write).items() if key != "strategy"}
        said = ", ".join(f"{key} {flow(value)}" for key, value in options.items())
        head = f"{name}: {write.strategy}{f' ({said})' if said else ''}: {write.promise}"
        yield from wrapped(head, "  ", "      ")
        if getattr(kind, "scope", None):
            yield from wrapped(_SCOPE.format(scope=flow(dict(kind.scope))), f"    {'the scope':<10}", " " * 14)
        yield from _parts(write)
    place = f"{pipeline.environment.quarantine}/{pipeline.id}"
    yield from wrapped(_REFUSED.format(place=place), "  ", "      ")


def _parts(write: Any) -> Iterator[str]:
    parts = {
        "a repeat": _REPEAT.get(write.strategy, ""),
        "the order": _ORDER.get(write.strategy, ""),
        "a crash": _CRASH,
    }
    for word, text in parts.items():
        if text:
            yield from wrapped(text, f"    {word:<10}", " " * 14)
