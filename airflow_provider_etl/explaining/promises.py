"""Each load's promise in words: what a repeat, another order and a crash do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from airflow_provider_etl.explaining.words import wrapped
from airflow_provider_etl.spec import Pipeline
from airflow_provider_etl.starter.values import flow
from spark_jobs import kinds
from spark_jobs.kinds import consumes
from spark_jobs.load.by_key import Scd2
from spark_jobs.lookback import replaces_reach, window_column

_FUNCTION: Final = (
    "changes nothing where the source says the same; a table by key is a function of all {} ever delivered: \
none of them can be unsaid"
)
# What differs between strategies; one that isn't here says its own `promise`.
_REPEAT: Final = {
    "replace_window": "the window's rows are replaced by what its source says now; rows of other windows stay",
    "append": "the rows that this pipeline loaded for the window are replaced; all others stay",
    "snapshot": "the table is replaced by what the source says now, unless a newer window was loaded meanwhile",
    "merge": _FUNCTION.format("rows"),
    "scd2": "the events that the window brought are replaced, and the histories of their keys are made anew",
    "cdc": _FUNCTION.format("events"),
}
_ORDER: Final = {
    "replace_window": "none counts: no two windows share a row, so any order, or several at once, end alike",
    "append": "none counts: each window has rows of its own; one that cuts through a loaded window is refused",
    "snapshot": "the newest window wins; an older one that runs later is superseded and changes nothing",
    "merge": "none counts: the sequence decides, not the arrival; a deleted key leaves a tombstone that late rows heed",
    "scd2": "none counts: a late event splits the version that it falls into",
    "cdc": "none counts: the sequence decides, not the arrival; deletes and truncates leave tombstones",
}
_CRASH: Final = (
    "nothing is published but by one commit, which also records the window: killed before it, the table is as it was; "
    "killed after it, the next try finds its own commit and is done"
)
_REPEAT_REACH: Final = (
    "the rows of the window and of its lookback are replaced by what the source says now; rows before and after stay, "
    "and nothing before the pipeline's start is touched"
)
_ORDER_REACH: Final = (
    "windows share rows: each is as its source said when it was last read; one window runs at a time, and a run that "
    "has read before another publishes nothing over it"
)
_CONTEXT: Final = (
    "rows of the {lookback} before the window by {column} are read for the steps alone: after them, and before the "
    "checks, they are left out and counted as filtered"
)
_CONSUMED: Final = {
    "files": "a window reads the files that were changed in it; its loads keep which, and a repeat reads the same",
    "table": "a window reads the versions that no window has read; its loads keep which, and a repeat reads the same",
}
_NEW: Final = "a window reads what no window has read; its loads keep what that was"
_SCOPE: Final = "{scope}: only such rows are this pipeline's; what others load into the table is never touched"
_REFUSED: Final = "rows that break the contract or a check with on_fail: quarantine are in {place}, with the reason"


def told(pipeline: Pipeline) -> Iterator[str]:
    """The promises, line by line."""
    yield "loads, and why any window may run at any time, in any order, any number of times"
    for name, (dataset, kind) in pipeline.load.items():
        write = kind.write
        options = {key: value for key, value in kinds.dump(write).items() if key != "strategy"}
        said = ", ".join(f"{key} {flow(value)}" for key, value in options.items())
        strategy, promise = (
            ("scd2", Scd2.promise) if getattr(write, "history", False) else (write.strategy, write.promise)
        )
        parts = _parts(strategy)
        column = _looks_back_by(pipeline, dataset)
        if column is not None and replaces_reach(kind, column):
            promise = promise.replace("[start,", f"[start - {flow(pipeline.lookback)},")
            parts |= {"a repeat": _REPEAT_REACH, "the order": _ORDER_REACH}
        elif column is not None:
            parts["context"] = _CONTEXT.format(lookback=flow(pipeline.lookback), column=column)
        head = f"{name}: {write.strategy}{f' ({said})' if said else ''}: {promise}"
        yield from wrapped(head, "  ", "      ")
        if getattr(kind, "scope", None):
            yield from wrapped(_SCOPE.format(scope=flow(dict(kind.scope))), f"    {'the scope':<10}", " " * 14)
        yield from _told(parts)
    for name, source in pipeline.extract.items():
        if consumes(source):
            yield from wrapped(f"{name}: {_CONSUMED.get(source.type, _NEW)}", "  ", "      ")
    place = f"{pipeline.environment.quarantine}/{pipeline.id}"
    yield from wrapped(_REFUSED.format(place=place), "  ", "      ")


def _looks_back_by(pipeline: Pipeline, dataset: str) -> str | None:
    """The column by which the source of a dataset is read before the window too; None where it isn't."""
    if pipeline.lookback is None:
        return None
    return window_column(dataset, pipeline.extract, {name: item.source for name, item in pipeline.transform.items()})


def _parts(strategy: str) -> dict[str, str]:
    return {
        "a repeat": _REPEAT.get(strategy, ""),
        "the order": _ORDER.get(strategy, ""),
        "a crash": _CRASH,
    }


def _told(parts: Mapping[str, str]) -> Iterator[str]:
    for word, text in parts.items():
        if text:
            yield from wrapped(text, f"    {word:<10}", " " * 14)
